//! What connects the pods of a cluster that runs: it decides where the inventory leaves it open, and nothing else may
//! take its place.

use indexmap::IndexMap;

use super::PlanInput;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::{ClusterSpec, NetworkPlugin};
use crate::wire::Facts;

/// Returns what connects the pods of nodes that have joined, and the first of them; other clusters' `carriers` don't
/// count.
pub fn running<'a>(
    cluster: &'a ClusterSpec,
    facts: &IndexMap<String, Facts>,
    carriers: &[&str],
) -> Option<(&'a str, NetworkPlugin)> {
    let ours = cluster.hosts.iter().map(|host| host.name.as_str());
    ours.filter(|name| !carriers.contains(name))
        .find_map(|name| {
            let traces = &facts.get(name)?.traces;
            let has = |it: &NetworkPlugin| traces.pod_networks.iter().any(|at| at == it.file());
            let plugin = NetworkPlugin::ALL.into_iter().find(has)?;
            traces.joined.then_some((name, plugin))
        })
}

/// Refuses another one.
pub(super) fn refuse(input: &PlanInput<'_>, carriers: &[&str]) -> Result<(), Diagnostics> {
    let wanted = input.cluster.network.plugin;
    match running(input.cluster, input.facts, carriers) {
        Some((host, plugin)) if plugin != wanted => {
            let (plugin, wanted) = (plugin.name(), wanted.name());
            let message =
                format!("on `{host}`, {plugin} connects the pods; {wanted} can't take its place");
            let error = Diagnostic::error(Kind::Inventory, message)
                .hint("nothing was changed: no pod would reach another one meanwhile")
                .hint(format!("set `kube_network_plugin: {plugin}`"))
                .hint("for the other one, make the cluster anew: `kinstall reset`, then `kinstall up`");
            Err(vec![error])
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::running;
    use crate::model::NetworkPlugin;
    use crate::plan::tests::fixture::Fixture;

    #[test]
    fn another_plugin_than_the_one_that_runs_is_refused() {
        let mut fixture = Fixture::new();
        let traces = &mut fixture.facts.get_mut("node1").unwrap().traces;
        traces.pod_networks = vec!["10-flannel.conflist".to_owned()];
        fixture.cluster.network.plugin = NetworkPlugin::Cilium;
        // What an earlier cluster left doesn't count.
        assert_eq!(running(&fixture.cluster, &fixture.facts, &[]), None);
        let traces = &mut fixture.facts.get_mut("node1").unwrap().traces;
        traces.joined = true;
        let found = running(&fixture.cluster, &fixture.facts, &[]);
        assert_eq!(found, Some(("node1", NetworkPlugin::Flannel)));
        let errors = fixture.build().unwrap_err();
        assert_eq!(
            errors[0].message,
            "on `node1`, flannel connects the pods; cilium can't take its place"
        );
        // Nor does what another cluster runs.
        assert_eq!(running(&fixture.cluster, &fixture.facts, &["node1"]), None);
    }
}
