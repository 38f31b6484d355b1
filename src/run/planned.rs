//! The changes that a check found.

use std::collections::BTreeMap;

use serde::Serialize;

use super::assumed::{AssumedHost, Unasked};
use crate::plan::{LeftOut, Plan};
use crate::provision::MachineChange;
use crate::resource::Change;

/// What `up` would do, in the order in which it would do it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PlannedChanges {
    pub machines: Vec<MachineChange>,
    pub steps: Vec<StepChanges>,
    /// The phases of these steps, in an order that respects what each waits for.
    pub phases: Vec<PlannedPhase>,
    /// Hosts that can't be reached: nothing is known of what would change there.
    pub unreachable: Vec<String>,
    /// What can't be done now.
    pub left_out: Vec<LeftOut>,
    /// Hosts whose machines don't run, so that their steps follow from what they are taken to be like.
    pub assumed: Vec<AssumedHost>,
}

/// A phase with changes in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedPhase {
    pub name: String,
    /// Phases with changes that must be done before.
    pub after: Vec<String>,
    /// Hosts on which something changes.
    pub hosts: Vec<String>,
}

/// The changes of one step on one host.
#[derive(Clone, Debug, Serialize)]
pub struct StepChanges {
    pub host: String,
    pub phase: String,
    pub step: String,
    pub changes: Vec<Change>,
    /// The host could not be asked: this is what a machine needs that has nothing of it.
    pub assumed: bool,
}

impl PlannedChanges {
    /// Adds the steps of hosts that can't be asked.
    pub fn assume(&mut self, plan: &Plan, hosts: Vec<AssumedHost>) {
        let steps = hosts.iter().flat_map(|host| host.steps(plan));
        self.steps.extend(steps);
        self.assumed = hosts;
        self.add_order(plan);
    }

    /// Adds the order in which a plan makes these changes.
    pub fn add_order(&mut self, plan: &Plan) {
        self.phases.clear();
        let mut hosts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for step in &self.steps {
            let hosts = hosts.entry(&step.phase).or_default();
            if !hosts.contains(&step.host) {
                hosts.push(step.host.clone());
            }
        }
        // By phase, what stands for it where it has no changes itself.
        let mut ends: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for phase in &plan.phases {
            let mut after: Vec<String> = Vec::new();
            for name in phase
                .after
                .iter()
                .filter_map(|it| ends.get(it.as_str()))
                .flatten()
            {
                if !after.contains(name) {
                    after.push(name.clone());
                }
            }
            let Some(hosts) = hosts.remove(phase.name.as_str()) else {
                ends.insert(&phase.name, after);
                continue;
            };
            ends.insert(&phase.name, vec![phase.name.clone()]);
            self.phases.push(PlannedPhase {
                name: phase.name.clone(),
                after,
                hosts,
            });
        }
        self.left_out.clone_from(&plan.left_out);
    }

    /// Adds the changes of what is done afterwards.
    pub fn append(&mut self, later: Self) {
        self.machines.extend(later.machines);
        self.steps.extend(later.steps);
        self.phases.extend(later.phases);
        self.unreachable.extend(later.unreachable);
        self.left_out.extend(later.left_out);
        self.assumed.extend(later.assumed);
    }

    /// Returns the number of single changes, without what may be as it should be already.
    pub fn count(&self) -> usize {
        let machines = self.machines.iter().filter(|it| it.is_possible());
        let steps = self.steps.iter().filter(|step| !self.is_open(step));
        machines.count() + steps.map(|step| step.changes.len()).sum::<usize>()
    }

    /// Returns whether a step may turn out to have nothing to do: its host was made before and can't be asked.
    fn is_open(&self, step: &StepChanges) -> bool {
        step.assumed
            && (self.assumed.iter())
                .any(|it| it.host == step.host && it.machine != Unasked::NotMade)
    }

    /// Returns the number of hosts that change.
    pub fn hosts(&self) -> usize {
        let machines = self.machines.iter().map(|machine| machine.host.as_str());
        let steps = self.steps.iter().map(|step| step.host.as_str());
        machines
            .chain(steps)
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    }
}
