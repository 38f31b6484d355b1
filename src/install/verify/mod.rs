//! `verify`: walks through the checks on a running cluster, and takes everything away again.

mod access;
mod hosts;
mod requests;
mod steps;
mod walk;
pub mod watch;
mod ways;

use std::collections::BTreeMap;
use std::time::Instant;

use self::access::Cluster;
use super::lab::LabMachines;
use super::project::Project;
use super::runtime;
use crate::addon;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::ClusterSpec;
use crate::run::Cancel;
use crate::verify::{self, Check, CheckReport, Need, StepReport, Verification};

/// The label that namespaces and nodes get, so that they are found again after a killed run.
const LABEL: &str = "kinstall.local/verify";

/// What a walk tells as it goes.
pub enum Progress<'a> {
    Started(&'a Check),
    Step(&'a StepReport),
    Ended(&'a CheckReport),
}

/// Is told how far it is.
pub type Report<'a> = &'a (dyn Fn(Progress<'_>) + Sync);

/// Runs the checks, all or those of `--quick`; what fails is in what it returns.
pub fn run(
    project: &Project,
    machines: &LabMachines,
    quick: bool,
    report: Report<'_>,
) -> Result<Verification, Diagnostics> {
    let mut checks = verify::builtin().map_err(|error| vec![error])?;
    checks.retain(|check| !quick || check.quick);
    let runtime = runtime::start()?;
    let begun = Instant::now();
    let result = runtime.block_on(async {
        let cancel = Cancel::on_ctrl_c();
        let cluster = Cluster::connect(project, machines, "checks").await?;
        cluster.clean().await?;
        let walked = cancel.unless(walk_through(&cluster, &checks, report)).await;
        cluster.clean().await?;
        walked.unwrap_or_else(|_| {
            let error = Diagnostic::error(Kind::Interrupted, "interrupted");
            Err(vec![error.hint("what the checks had made is removed")])
        })
    });
    runtime.shutdown_background();
    let mut verification = result?;
    verification.seconds = access::seconds(begun);
    Ok(verification)
}

async fn walk_through(
    cluster: &Cluster<'_>,
    checks: &[Check],
    report: Report<'_>,
) -> Result<Verification, Diagnostics> {
    let values = values(cluster).await?;
    let mut lacks = lacks(&cluster.project.cluster);
    if checks
        .iter()
        .any(|it| it.needs.contains(&Need::StorageClass))
        && !cluster.has_default_storage_class().await?
    {
        lacks.push(Need::StorageClass);
    }
    cluster.make_namespace().await?;
    walk::walk(cluster, checks, &lacks, values, report).await
}

/// Returns what checks may need and the inventory doesn't ask for.
fn lacks(cluster: &ClusterSpec) -> Vec<Need> {
    let addons = &cluster.addons;
    let has_addresses = addons.metallb.is_some();
    let has = [
        (Need::LoadBalancer, has_addresses),
        (Need::Ingress, has_addresses && addons.ingress.is_some()),
        (Need::NodeLocalDns, cluster.dns.node_local_address.is_some()),
    ];
    let of_addons = addon::all().iter();
    let of_addons = of_addons.map(|addon| (Need::Addon(addon), cluster.has(addon)));
    let lacks = has.into_iter().chain(of_addons).filter(|(_, has)| !has);
    lacks.map(|(need, _)| need).collect()
}

/// Returns the names that checks know from the beginning.
async fn values(cluster: &Cluster<'_>) -> Result<BTreeMap<String, String>, Diagnostics> {
    let spec = &cluster.project.cluster;
    let worker = spec.hosts.iter().find(|host| host.roles.worker);
    let node = worker.or(spec.nodes().next());
    let address = node.and_then(|host| host.access_address.or(host.address));
    let text = |value: Option<String>| value.unwrap_or_default();
    let ingress = spec.addons.ingress.as_ref();
    let ingress_class = ingress.and_then(|ingress| ingress.classes.first().cloned());
    let values = [
        ("ingress_class", text(ingress_class)),
        ("namespace", cluster.namespace.clone()),
        ("image", cluster.image().await?),
        ("domain", spec.dns.domain.clone()),
        ("node", text(node.map(|host| host.name.clone()))),
        ("node_address", text(address.map(|it| it.to_string()))),
        (
            "node_local_dns",
            text(spec.dns.node_local_address.map(|it| it.to_string())),
        ),
    ];
    let values = values
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    Ok(values.collect())
}
