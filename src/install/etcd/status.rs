//! `kinstall etcd status`: the members and how they are.

use super::node::ask;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::lab::{Keys, LabMachines};
use crate::install::project::Project;
use crate::install::runtime;
use crate::model::{ClusterSpec, join_port};
use crate::report::etcd::EtcdStatus;

/// Asks a control plane for all members. Each part is asked for on its own, so that what can't be told leaves the others.
pub fn of(mut project: Project) -> Result<EtcdStatus, Diagnostics> {
    project.require_lab()?;
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let endpoints = endpoints(&project.cluster);
    // The list comes from the member that is asked, so that it comes without a majority as well.
    let line = format!(
        "echo == members; for endpoint in $endpoints; do etcd --endpoints=$endpoint member list --consistency=s --write-out=json && break; done || exit 1; \
         echo == status; etcd --endpoints={endpoints} --command-timeout=5s endpoint status --write-out=json; \
         echo; echo == health; etcd --endpoints={endpoints} --command-timeout=5s endpoint health --write-out=json; \
         echo; echo == alarms; etcd --endpoints={endpoints} --command-timeout=5s alarm list --write-out=json; \
         echo; echo == saved; cat $(ls /var/backups/kinstall-etcd/*.json | tail -n 1) < /dev/null; true"
    );
    let runtime = runtime::start()?;
    let asked = runtime.block_on(async {
        let (host, _, listing) = ask(&project, &machines, &line).await?;
        Ok::<_, Diagnostics>((host.name.clone(), listing))
    });
    runtime.shutdown_background();
    let (host, listing) = asked?;
    let Some(mut status) = EtcdStatus::read(&host, &listing) else {
        let message = format!("{host}: etcdctl's answer can't be read");
        return Err(vec![Diagnostic::error(Kind::Step, message)]);
    };
    let names: Vec<String> = project
        .cluster
        .etcd_hosts()
        .map(|host| host.name.clone())
        .collect();
    status.compare(&names);
    Ok(status)
}

/// The addresses at which all members serve, for etcdctl.
fn endpoints(cluster: &ClusterSpec) -> String {
    let addresses = cluster.etcd_hosts().filter_map(|host| host.address);
    let urls =
        addresses.map(|address| format!("https://{}", join_port(&address.to_string(), 2379)));
    urls.collect::<Vec<_>>().join(",")
}
