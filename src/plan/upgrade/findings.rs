//! What speaks against an upgrade, found before anything changes.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::{Hop, RunningVersions};
use crate::bundle::Minor;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::ClusterSpec;
use crate::wire::Facts;

/// The images and programs of a release, old ones beside them, and etcd's snapshot.
const DISK_MIB: u64 = 2048;

/// Returns what speaks against moving these nodes: all of them have to be members of the cluster, and well.
pub fn of_cluster(cluster: &ClusterSpec, running: &RunningVersions) -> Diagnostics {
    let mut problems = Diagnostics::new();
    for host in &cluster.hosts {
        let name = &host.name;
        match running.nodes.get(name) {
            None => problems.push(
                error(format!(
                    "`{name}` is in the inventory, but not a node of the cluster"
                ))
                .hint("let it join first: `kinstall up`, with the version that the cluster has")
                .hint("or take it out of the inventory"),
            ),
            Some(node) if !node.is_ready => problems.push(
                error(format!("node {name} is not ready"))
                    .hint("`kinstall status` shows how the nodes are"),
            ),
            Some(_) => {}
        }
    }
    for name in running.nodes.keys() {
        if cluster.host(name).is_none() {
            problems.push(
                error(format!(
                    "Kubernetes has the node {name}, which the inventory hasn't: it would stay at its version"
                ))
                .hint("add it to the inventory, or delete the node"),
            );
        }
    }
    problems
}

/// Returns what speaks against moving these machines.
pub fn of_nodes(cluster: &ClusterSpec, facts: &IndexMap<String, Facts>) -> Diagnostics {
    let mut problems = Diagnostics::new();
    for host in &cluster.hosts {
        let name = &host.name;
        match facts.get(name) {
            None => {
                let error = error(format!("`{name}` does not answer"));
                problems.push(error.hint(
                    "an upgrade moves all nodes: bring it back, or `kinstall node remove` it",
                ));
            }
            Some(facts) if facts.disk_free_mib < DISK_MIB => problems.push(
                error(format!(
                    "`{name}` has {} MiB of free disk under /var/lib; {DISK_MIB} are needed",
                    facts.disk_free_mib
                ))
                .hint("the images and programs of both releases are there for a while"),
            ),
            Some(_) => {}
        }
    }
    problems
}

/// Returns the API versions that clients still ask for and that a hop's release doesn't serve any more, from the API
/// server's metric `apiserver_requested_deprecated_apis`.
pub fn of_clients(metrics: &str, hops: &[Hop]) -> Diagnostics {
    let Some(last) = hops.last() else {
        return Diagnostics::new();
    };
    let used = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("apiserver_requested_deprecated_apis{"))
        .filter_map(|rest| rest.split_once('}'))
        .filter(|(_, value)| value.trim() != "0")
        .map(|(labels, _)| labels_of(labels));
    let removed = used.filter_map(|labels| {
        let removed: Minor = labels.get("removed_release")?.parse().ok()?;
        (removed <= last.release).then(|| {
            let label = |name: &str| labels.get(name).copied().unwrap_or_default();
            let group = match label("group") {
                "" => label("version").to_owned(),
                group => format!("{group}/{}", label("version")),
            };
            error(format!(
                "something still uses {} of {group}, which Kubernetes {removed} doesn't have any more",
                label("resource")
            ))
            .hint("the API server's audit log, or the managed fields of these objects, tell who does")
        })
    });
    removed.collect()
}

/// Splits `a="x",b="y"`; the values of this metric have no commas.
fn labels_of(labels: &str) -> BTreeMap<&str, &str> {
    let pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name, value.trim_matches('"')))
        .collect()
}

fn error(message: String) -> Diagnostic {
    Diagnostic::error(Kind::Environment, message)
}
