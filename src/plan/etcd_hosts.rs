//! Etcd on hosts: which one begins the cluster's etcd, and which one acts for it; chosen by what is found. Only the very first
//! member begins with nothing: a host without data where there may be a cluster joins the others, or nothing is done.

use super::{Plan, PlanInput};
use crate::model::HostSpec;
use crate::resource::CommandState;
use crate::wire::{ControlPlaneState, Facts};

/// The step that makes a member of a host.
pub const STEP: &str = "etcd/member";

/// The hosts of etcd with a part of their own; where nothing can be done with etcd now, why.
#[derive(Clone, Debug)]
pub(super) struct EtcdHosts<'a> {
    /// Where etcd begins; `None` where there are members.
    pub first: Option<&'a HostSpec>,
    /// Acts for the others: a member, else the one that begins. `None` where etcd isn't on hosts.
    pub acting: Result<Option<&'a HostSpec>, String>,
}

impl<'a> EtcdHosts<'a> {
    /// Chooses by the facts of all hosts that answered, whether they may be changed or not. What `carriers` have is
    /// another cluster's.
    pub(super) fn choose(input: &PlanInput<'a>, carriers: &[&str]) -> Self {
        let found = |acting| Self {
            first: None,
            acting,
        };
        if !input.cluster.etcd.on_hosts {
            return found(Ok(None));
        }
        let stays = |host: &&HostSpec| !input.leaving.contains(&host.name);
        let (mut answered, mut silent) = (Vec::new(), Vec::new());
        for host in input.cluster.etcd_hosts().filter(stays) {
            match input.facts.get(&host.name) {
                Some(facts) => answered.push((host, facts)),
                None => silent.push(host.name.as_str()),
            }
        }
        let is_kept = |host: &HostSpec| !carriers.contains(&host.name.as_str());
        let mut members = answered.iter();
        if let Some((host, _)) = members.find(|(host, facts)| is_kept(host) && is_member(facts)) {
            return found(Ok(Some(host)));
        }
        // What a control plane has is in etcd: without a member, that is lost or out of sight.
        for host in input.cluster.control_planes() {
            match input.facts.get(&host.name) {
                None if !silent.contains(&host.name.as_str()) => silent.push(&host.name),
                Some(facts)
                    if facts.control_plane != ControlPlaneState::Absent && is_kept(host) =>
                {
                    return found(Err(data_is_gone(&host.name, &silent)));
                }
                _ => {}
            }
        }
        if !silent.is_empty() {
            return found(Err(format!(
                "no host that answers has etcd's data, and there may be a cluster: {} didn't answer",
                silent.join(", ")
            )));
        }
        let first = answered.first().map(|(host, _)| *host);
        match first {
            Some(host) if !input.may_change(host) => found(Err(format!(
                "there is no cluster yet, and --limit leaves out {}, on which etcd begins",
                host.name
            ))),
            _ => Self {
                first,
                acting: Ok(first),
            },
        }
    }
}

/// Returns the hosts that are members of this cluster's etcd, by what is found. What `carriers` have is another cluster's.
pub fn members(input: &PlanInput<'_>, carriers: &[&str]) -> Vec<String> {
    let hosts = input.cluster.hosts.iter().map(|host| &host.name);
    let members = hosts.filter(|name| {
        let facts = input.facts.get(*name);
        facts.is_some_and(is_member) && !carriers.contains(&name.as_str())
    });
    members.cloned().collect()
}

/// Returns the hosts that a plan makes members of etcd, or keeps so.
pub fn planned(plan: &Plan) -> impl Iterator<Item = &String> {
    let batches = plan.phases.iter().flat_map(|phase| &phase.batches);
    let members = batches.filter(|(_, batch)| batch.steps.iter().any(|step| step.id == STEP));
    members.map(|(host, _)| host)
}

/// Tells whether a host is a member of etcd as a service, with its data.
pub(super) fn is_member(facts: &Facts) -> bool {
    facts.etcd.has_data && facts.commands.get(STEP) == Some(&CommandState::Done)
}

fn data_is_gone(control_plane: &str, silent: &[&str]) -> String {
    let others = match silent {
        [] => String::new(),
        _ => format!(" ({} didn't answer)", silent.join(", ")),
    };
    format!(
        "{control_plane} is a control plane, and no host of etcd that answers has its data{others}: etcd never begins \
         anew under a cluster"
    )
}
