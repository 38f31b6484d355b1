//! Which control plane begins the cluster, and which one acts for it: chosen by what is found, so that no
//! control plane is special once there is a cluster.

use super::PlanInput;
use crate::model::HostSpec;
use crate::playbook::load;
use crate::playbook::schema::Hosts;
use crate::playbook::{Placement, Playbook};
use crate::resource::CommandState;
use crate::wire::{ControlPlaneState, Facts};

/// The control planes with a part of their own; where there is none, why.
#[derive(Clone, Debug)]
pub(super) struct ControlPlanes<'a> {
    /// Where the cluster began or begins; `None` where others have it and that one isn't among those that
    /// answered (it is gone, is off, or was taken off the cluster: then it joins like any other).
    pub initial: Result<Option<&'a HostSpec>, String>,
    /// Does what is done once for the cluster.
    pub acting: Result<&'a HostSpec, String>,
}

impl<'a> ControlPlanes<'a> {
    /// Chooses by the facts of all control planes that answered, whether they may be changed or not.
    pub(super) fn choose(input: &PlanInput<'a>, playbooks: &[Playbook]) -> Self {
        let founding = commands(playbooks, Hosts::InitialControlPlane);
        let joining = commands(playbooks, Hosts::JoiningControlPlanes);
        let (mut answered, mut silent) = (Vec::new(), Vec::new());
        // One that leaves can't act for the cluster.
        let stays = |host: &&HostSpec| !input.leaving.contains(&host.name);
        for host in input.cluster.control_planes().filter(stays) {
            match input.facts.get(&host.name) {
                Some(facts) => answered.push((host, facts)),
                None => silent.push(host.name.as_str()),
            }
        }
        let is_cut_short = |facts: &Facts| {
            let mut commands = founding.iter().chain(&joining);
            commands.any(|id| facts.commands.get(id) == Some(&CommandState::Begun))
        };
        let is_set_up = |facts: &Facts| {
            facts.control_plane != ControlPlaneState::Absent && !is_cut_short(facts)
        };
        let has_begun = |facts: &Facts| founding.iter().any(|id| facts.commands.contains_key(id));
        let set_up: Vec<_> = answered
            .iter()
            .filter(|(_, facts)| is_set_up(facts))
            .collect();
        let founder = answered
            .iter()
            .find(|(_, facts)| has_begun(facts) && (is_set_up(facts) || set_up.is_empty()));

        let initial = match (founder, answered.first()) {
            (Some((host, _)), _) => Ok(Some(*host)),
            (None, _) if !set_up.is_empty() => Ok(None),
            (None, _) if !silent.is_empty() => Err(may_have_it(&silent)),
            (None, first) => Ok(first.map(|(host, _)| *host)),
        };
        let ready = set_up
            .iter()
            .find(|(_, facts)| facts.control_plane == ControlPlaneState::Ready);
        if let Some((host, _)) = ready.or(set_up.first()) {
            let acting = Ok(*host);
            return Self { initial, acting };
        }
        // There is no cluster yet: the one that begins it acts, if it may.
        let initial = initial.and_then(|host| match host {
            Some(host) if !input.may_change(host) => Err(is_left_out(&host.name)),
            host => Ok(host),
        });
        let acting = initial
            .clone()
            .and_then(|host| host.ok_or_else(|| "there is no control plane".to_owned()));
        Self { initial, acting }
    }
}

/// Tells that all control planes answered and no host carries anything of a cluster: an `up` that was cut off early
/// leaves it so.
pub(super) fn there_is_no_cluster(input: &PlanInput<'_>) -> bool {
    let mut control_planes = input.cluster.control_planes();
    let is_bare = |facts: &Facts| {
        facts.control_plane == ControlPlaneState::Absent
            && !facts.traces.joined
            && !facts.etcd.has_data
    };
    control_planes.all(|host| input.facts.contains_key(&host.name))
        && input.facts.values().all(is_bare)
}

/// Returns the ids of the commands that make a control plane.
fn commands(playbooks: &[Playbook], hosts: Hosts) -> Vec<String> {
    let made = playbooks
        .iter()
        .filter(|it| it.placement == Placement::Each(hosts));
    made.flat_map(|playbook| {
        let steps = playbook.steps.iter();
        let commands = steps.filter(|step| matches!(step.action, load::Action::Command(_)));
        commands.map(|step| load::qualified(&playbook.component, &step.name.value))
    })
    .collect()
}

fn may_have_it(silent: &[&str]) -> String {
    let (names, verb) = (
        silent.join(", "),
        if silent.len() == 1 { "does" } else { "do" },
    );
    format!(
        "no control plane that answers has a cluster, and {names}, which {verb} not answer, may have one"
    )
}

fn is_left_out(name: &str) -> String {
    format!("there is no cluster yet, and --limit leaves out {name}, on which it begins")
}
