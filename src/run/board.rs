//! How far the phases of a plan are, for all hosts to see.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{Phase, Plan};

/// Progress by the phases' names.
#[derive(Clone, Debug, Default)]
pub(super) struct Board(BTreeMap<String, Progress>);

#[derive(Clone, Debug, Default)]
struct Progress {
    /// Hosts that still have to do it.
    open: Vec<String>,
    failure: Option<Failure>,
}

/// Where it began that a phase can't be done: in itself, or in one that it waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub phase: String,
    pub host: String,
}

impl Board {
    pub(super) fn of(plan: &Plan) -> Self {
        let open = |phase: &Phase| Progress {
            open: phase.batches.keys().cloned().collect(),
            failure: None,
        };
        let phases = plan.phases.iter();
        Self(
            phases
                .map(|phase| (phase.name.clone(), open(phase)))
                .collect(),
        )
    }

    /// One host is done with a phase.
    pub(super) fn done(&mut self, phase: &str, host: &str) {
        if let Some(progress) = self.0.get_mut(phase) {
            progress.open.retain(|it| it != host);
        }
    }

    /// Returns the hosts that a phase waits for.
    pub(super) fn waits_for(&self, phase: &Phase) -> Vec<String> {
        let needed = phase.after.iter().filter_map(|name| self.0.get(name));
        let hosts: BTreeSet<&String> = needed.flat_map(|progress| &progress.open).collect();
        hosts.into_iter().cloned().collect()
    }

    /// A phase will not be done on all its hosts any more; the first reason counts.
    pub(super) fn fail(&mut self, phase: &str, failure: Failure) {
        if let Some(progress) = self.0.get_mut(phase) {
            progress.failure.get_or_insert(failure);
        }
    }

    /// Returns whether a phase may start: `None` while it has to wait.
    pub(super) fn ready(&self, phase: &Phase) -> Option<Result<(), Failure>> {
        let needed = || phase.after.iter().filter_map(|name| self.0.get(name));
        if let Some(failure) = needed().find_map(|progress| progress.failure.clone()) {
            return Some(Err(failure));
        }
        needed()
            .all(|progress| progress.open.is_empty())
            .then_some(Ok(()))
    }
}
