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
    /// The hosts for which it is not done.
    failed: BTreeSet<String>,
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
            ..Progress::default()
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
        let needed = phase.after.iter().chain(&phase.over);
        let needed = needed.filter_map(|name| self.0.get(name));
        let hosts: BTreeSet<&String> = needed.flat_map(|progress| &progress.open).collect();
        hosts.into_iter().cloned().collect()
    }

    /// A host will not do its part of a phase, which is for itself or for another one; the first reason counts.
    pub(super) fn fail(&mut self, phase: &str, host: &str, concerned: &str, failure: Failure) {
        if let Some(progress) = self.0.get_mut(phase) {
            progress.open.retain(|name| name != host);
            progress.failure.get_or_insert(failure);
            progress.failed.insert(concerned.to_owned());
        }
    }

    /// Returns the hosts that failed in what a phase waits for to be over.
    pub(super) fn failed_before(&self, phase: &Phase) -> Vec<String> {
        let over = phase.over.iter().filter_map(|name| self.0.get(name));
        let failed: BTreeSet<&String> = over.flat_map(|progress| &progress.failed).collect();
        failed.into_iter().cloned().collect()
    }

    /// Returns whether a phase may start: `None` while it has to wait.
    pub(super) fn ready(&self, phase: &Phase) -> Option<Result<(), Failure>> {
        let needed = || phase.after.iter().filter_map(|name| self.0.get(name));
        if let Some(failure) = needed().find_map(|progress| progress.failure.clone()) {
            return Some(Err(failure));
        }
        let over = phase.over.iter().filter_map(|name| self.0.get(name));
        let mut awaited = needed().chain(over);
        let is_over = awaited.all(|progress| progress.open.is_empty());
        is_over.then_some(Ok(()))
    }
}
