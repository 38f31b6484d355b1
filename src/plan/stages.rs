//! Makes phases of the steps that are placed: one for all hosts, or a chain of phases, one a host.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::place::Place;
use super::{LeftOut, Pace, Phase, Plan, Stage};
use crate::model::HostSpec;
use crate::playbook::{ExpandedStep, PhaseName};
use crate::wire::Batch;

/// Steps of one playbook at one place.
pub(super) struct Placed<'a> {
    pub place: Place<'a>,
    pub steps: Vec<ExpandedStep>,
}

/// Puts phases together, stage by stage.
pub(super) struct Assembly<'a, MakeBatch> {
    /// All hosts, in the order of the inventory.
    pub hosts: &'a [HostSpec],
    /// By phase, in the order in which steps run.
    pub placed: &'a BTreeMap<PhaseName, Vec<Placed<'a>>>,
    /// Phases whose place can't be told, and why.
    pub blocked: &'a BTreeMap<PhaseName, String>,
    /// Makes the batch of a host in the phase of this name.
    pub batch: MakeBatch,
}

impl<'a, MakeBatch> Assembly<'a, MakeBatch>
where
    MakeBatch: FnMut(&str, &HostSpec, &[&ExpandedStep]) -> Batch,
{
    pub(super) fn plan(mut self, stages: &[Stage]) -> Plan {
        let mut plan = Plan::default();
        // What a phase that waits for one of these has to wait for.
        let mut ends: BTreeMap<PhaseName, Vec<String>> = BTreeMap::new();
        let mut blocked = self.blocked.clone();
        for stage in stages {
            let mut needed = stage.after.iter().chain(stage.over).chain(stage.phases);
            if let Some(reason) = needed.find_map(|name| blocked.get(name)).cloned() {
                leave_out(&mut plan.left_out, stage, &reason);
                blocked.extend(stage.phases.iter().map(|name| (*name, reason.clone())));
                continue;
            }
            let after = names_of(stage.after, &ends);
            let mut phases = match stage.pace {
                Pace::Together => self.together(stage, &after),
                Pace::Chains(count) => self.chains(stage, &after, count),
            };
            let over = names_of(stage.over, &ends);
            for phase in &mut phases {
                phase.over.clone_from(&over);
            }
            // Who comes after a stage without phases comes after what that came after.
            let end = if phases.is_empty() {
                after
            } else {
                phases.iter().map(|phase| phase.name.clone()).collect()
            };
            ends.extend(stage.phases.iter().map(|name| (*name, end.clone())));
            plan.phases.extend(phases);
        }
        plan
    }

    fn together(&mut self, stage: &Stage, after: &[String]) -> Vec<Phase> {
        let mut phases = Vec::new();
        let mut after = after.to_vec();
        for name in stage.phases {
            let placed: Vec<_> = self
                .of_phase(*name)
                .filter(|it| stage.of.concerns(it.place.host))
                .collect();
            if let Some(phase) = self.phase(name.to_string(), after.clone(), &placed) {
                after = vec![phase.name.clone()];
                phases.push(phase);
            }
        }
        phases
    }

    fn chains(&mut self, stage: &Stage, after: &[String], count: usize) -> Vec<Phase> {
        // By host, in the order of the inventory; inside, in the order of the stage's phases.
        let mut turns: BTreeMap<usize, Vec<(PhaseName, Vec<&Placed<'a>>)>> = BTreeMap::new();
        let positions = positions(self.hosts);
        for name in stage.phases {
            for placed in self.of_phase(*name) {
                let host = placed.place.host;
                let Some(position) = positions
                    .get(host.name.as_str())
                    .filter(|_| stage.of.concerns(host))
                else {
                    continue;
                };
                let turn = turns.entry(*position).or_default();
                match turn.last_mut() {
                    Some((last, group)) if last == name => group.push(placed),
                    _ => turn.push((*name, vec![placed])),
                }
            }
        }
        let mut phases = Vec::new();
        let mut last = vec![after.to_vec(); count.max(1)];
        for (turn, (position, parts)) in turns.into_iter().enumerate() {
            let host = &self.hosts[position].name;
            let chain = turn % last.len();
            for (name, placed) in parts {
                let phase = self.phase(format!("{name}/{host}"), last[chain].clone(), &placed);
                if let Some(mut phase) = phase {
                    phase.host = Some(host.clone());
                    last[chain] = vec![phase.name.clone()];
                    phases.push(phase);
                }
            }
        }
        phases
    }

    fn of_phase(
        &self,
        name: PhaseName,
    ) -> impl Iterator<Item = &'a Placed<'a>> + use<'a, MakeBatch> {
        self.placed.get(&name).into_iter().flatten()
    }

    /// Makes a phase of what is placed in it; `None` where that is nothing.
    fn phase(&mut self, name: String, after: Vec<String>, placed: &[&Placed<'_>]) -> Option<Phase> {
        let mut by_host: BTreeMap<&str, Vec<&ExpandedStep>> = BTreeMap::new();
        for it in placed {
            let steps = by_host.entry(&it.place.on.name).or_default();
            steps.extend(&it.steps);
        }
        let mut batches = IndexMap::new();
        for host in self.hosts {
            if let Some(steps) = by_host.get(host.name.as_str()).filter(|it| !it.is_empty()) {
                batches.insert(host.name.clone(), (self.batch)(&name, host, steps));
            }
        }
        (!batches.is_empty()).then_some(Phase {
            name,
            after,
            over: Vec::new(),
            host: None,
            batches,
        })
    }
}

/// Returns what is waited for by those who wait for these, each once.
fn names_of(phases: &[PhaseName], ends: &BTreeMap<PhaseName, Vec<String>>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in phases.iter().filter_map(|name| ends.get(name)).flatten() {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn positions(hosts: &[HostSpec]) -> BTreeMap<&str, usize> {
    let hosts = hosts.iter().enumerate();
    hosts
        .map(|(position, host)| (host.name.as_str(), position))
        .collect()
}

fn leave_out(left_out: &mut Vec<LeftOut>, stage: &Stage, reason: &str) {
    let phases = stage.phases.iter().map(ToString::to_string);
    match left_out.iter_mut().find(|it| it.reason == reason) {
        Some(known) => known.phases.extend(phases),
        None => left_out.push(LeftOut {
            phases: phases.collect(),
            reason: reason.to_owned(),
        }),
    }
}
