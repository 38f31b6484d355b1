//! Control planes that were taken out of the cluster while they were off, and are back with all that they had: their
//! etcd has no part in the cluster any more, and nothing that is done on them has an effect.

use super::PlanInput;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::HostSpec;
use crate::wire::{ControlPlaneState, Facts};

/// Refuses them, so that `up` doesn't take them for members.
pub(super) fn refuse(input: &PlanInput<'_>) -> Result<(), Diagnostics> {
    let control_planes = input.cluster.control_planes();
    let known: Vec<(&HostSpec, &Facts)> = control_planes
        .filter_map(|host| Some((host, input.facts.get(&host.name)?)))
        .collect();
    // A control plane that is ready has a part in the quorum: what it says of the Nodes is true.
    let mut lists = known.iter().map(|(_, facts)| &facts.nodes);
    let Some(nodes) = lists.find(|nodes| !nodes.is_empty()) else {
        return Ok(());
    };
    let is_outcast = |(host, facts): &&(&HostSpec, &Facts)| {
        facts.traces.joined
            && facts.control_plane == ControlPlaneState::Silent
            && !nodes.contains(&host.name)
            && input.may_change(host)
            && !input.take_over.contains(&host.name)
    };
    let refusals: Diagnostics = known
        .iter()
        .filter(is_outcast)
        .map(|(host, _)| refusal(&host.name))
        .collect();
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(refusals)
    }
}

fn refusal(name: &str) -> Diagnostic {
    let message = format!(
        "`{name}` is no member of the cluster any more: it was taken out while it was off, and has its old data still"
    );
    Diagnostic::error(Kind::Environment, message)
        .hint("nothing on it was changed")
        .hint(format!(
            "`kinstall reset {name}` takes Kubernetes off it; then `kinstall up` makes it a member again"
        ))
}
