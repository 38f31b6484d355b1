//! Commands on a control plane, from which etcd can be reached.

use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::lab::LabMachines;
use crate::install::project::Project;
use crate::model::HostSpec;
use crate::ssh::Session;

/// Begins a line of shell: sets `programs` to the folder with etcdctl and etcdutl (of the node where etcd runs on hosts, else in
/// the container of the etcd that runs here), `endpoints` to the URLs of those who answer for the cluster, and defines `etcd` as
/// etcdctl with what it logs in with. Ends with code 9 where no etcd runs.
pub(in crate::install) const FIND: &str = "programs=; pki=/etc/kubernetes/pki/etcd; endpoints=https://127.0.0.1:2379; \
    if [ -s /etc/etcd/endpoints ]; then pki=/etc/etcd/pki; endpoints=$(cat /etc/etcd/endpoints); programs=/usr/local/bin; fi; own=$(readlink /proc/self/ns/net /proc/self/ns/user); \
    for process in /proc/[0-9]*; do [ -z \"$programs\" ] || break; \
    case $(readlink $process/exe) in */etcd) \
    if [ \"$(readlink $process/ns/net $process/ns/user)\" = \"$own\" ] && [ -x $process/root/usr/local/bin/etcdctl ]; then programs=$process/root/usr/local/bin; fi;; esac; done; \
    [ -n \"$programs\" ] || exit 9; \
    etcd() { $programs/etcdctl --cacert=$pki/ca.crt --cert=$pki/healthcheck-client.crt --key=$pki/healthcheck-client.key \"$@\"; }; ";

/// What [`FIND`] ends with where no etcd runs.
const NO_ETCD: u8 = 9;

/// Connects to the first control plane on which a line that begins with [`FIND`] finds etcd, and returns what it printed.
/// The line holds no single quotes.
pub(super) async fn ask<'a>(
    project: &'a Project,
    machines: &LabMachines,
    line: &str,
) -> Result<(&'a HostSpec, Session, String), Diagnostics> {
    let mut problems = Diagnostics::new();
    for host in project.cluster.control_planes() {
        let asked = async {
            let session = Session::connect(&machines.target(host)).await?;
            let finished = session.exec_as_root(&format!("{FIND}{line}")).await?;
            Ok((session, finished))
        };
        match asked.await {
            Err(error) => problems.push(crate::ssh::SshError::diagnostic(&error, &host.name)),
            Ok((_, finished)) if finished.exit.code() == NO_ETCD => {
                let message = format!("{}: etcd does not run", host.name);
                let problem = Diagnostic::error(Kind::Step, message);
                problems.push(problem.hint("`kinstall status` shows what else does not run"));
            }
            Ok((session, finished)) if finished.exit.code() == 0 => {
                let text = String::from_utf8_lossy(&finished.stdout).into_owned();
                return Ok((host, session, text));
            }
            Ok((_, finished)) => problems.push(failed(&host.name, &finished.stderr)),
        }
    }
    Err(problems)
}

/// Says what a program on a host wrote last before it failed.
pub(in crate::install) fn failed(host: &str, stderr: &[u8]) -> Diagnostic {
    let said = String::from_utf8_lossy(stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty());
    let message = format!("{host}: {}", last.unwrap_or("no output").trim());
    Diagnostic::error(Kind::Step, message)
}
