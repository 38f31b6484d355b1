//! The changes that a check found.

use serde::Serialize;

use crate::provision::MachineChange;
use crate::resource::Change;

/// What `up` would do, in the order in which it would do it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PlannedChanges {
    pub machines: Vec<MachineChange>,
    pub steps: Vec<StepChanges>,
}

/// The changes of one step on one host.
#[derive(Clone, Debug, Serialize)]
pub struct StepChanges {
    pub host: String,
    pub phase: String,
    pub step: String,
    pub changes: Vec<Change>,
}

impl PlannedChanges {
    /// Returns the number of single changes.
    pub fn count(&self) -> usize {
        self.machines.iter().filter(|it| it.is_possible()).count()
            + self
                .steps
                .iter()
                .map(|step| step.changes.len())
                .sum::<usize>()
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
