//! The plan: what every host should look like, phase by phase. Built purely and deterministically.

pub mod phases;

use indexmap::IndexMap;
use serde::Serialize;

use crate::wire::Batch;

pub use phases::{PHASES, PhaseName, PhaseRule};

/// Everything that `up` will hand to the agents; `plan` hands them the same.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// In an order that respects [`Phase::after`].
    pub phases: Vec<Phase>,
}

/// A part of the plan that all its hosts may do at once.
#[derive(Clone, Debug, Serialize)]
pub struct Phase {
    /// `prepare`, `control-plane`, `join`, `add-ons`, …
    pub name: String,
    /// Phases that must be done (on all their hosts) before this one starts.
    pub after: Vec<String>,
    /// What to do, by host name.
    pub batches: IndexMap<String, Batch>,
    /// How many hosts at a time; `None`: all.
    pub serial: Option<usize>,
}
