//! Nodes that Kubernetes has, and that come from elsewhere: they are named, and never removed unasked.

use indexmap::IndexMap;

use super::surroundings::Notice;
use crate::model::{ClusterSpec, HostSpec};
use crate::wire::Facts;

/// Returns the Nodes that the inventory doesn't have.
pub fn names<'a>(
    cluster: &ClusterSpec,
    facts: &'a IndexMap<String, Facts>,
) -> impl Iterator<Item = &'a String> {
    let mut lists = cluster
        .control_planes()
        .filter_map(|host| Some(&facts.get(&host.name)?.nodes));
    let nodes = lists.find(|nodes| !nodes.is_empty()).into_iter().flatten();
    nodes.filter(|name| cluster.host(name).is_none())
}

/// Returns a notice for each Node that neither the inventory has nor `known`.
pub fn notices(
    cluster: &ClusterSpec,
    facts: &IndexMap<String, Facts>,
    known: &[String],
) -> Vec<Notice> {
    let has_nodes = |host: &&HostSpec| facts.get(&host.name).is_some_and(|it| !it.nodes.is_empty());
    let Some(host) = cluster.control_planes().find(has_nodes) else {
        return Vec::new();
    };
    let unknown = names(cluster, facts).filter(|name| !known.contains(name));
    unknown
        .map(|name| Notice {
            host: host.name.clone(),
            message: format!(
                "Kubernetes has the node {name}, which the inventory hasn't; if it is gone for good, `kinstall ssh {} \
                 -- sudo kubectl delete node {name}` removes it",
                host.name
            ),
        })
        .collect()
}
