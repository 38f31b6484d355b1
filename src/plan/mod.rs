//! The plan: what every host should look like, phase by phase. Built purely and deterministically.
//!
//! ```text
//! cluster + facts + bundle + secrets + playbooks -> build -> Plan -> (run | show)
//! ```

pub mod build;
mod duplicates;
#[cfg(test)]
mod hash;
pub mod memory;
pub mod order;
pub mod phases;
mod playbook_order;

use indexmap::IndexMap;

use crate::wire::Batch;

pub use build::{PlanInput, build, check_sources};
pub use phases::{PHASES, PhaseRule};

/// Everything that `up` will hand to the agents; `plan` hands them the same.
///
/// It holds secrets, so that outside of tests nothing can write it down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize))]
pub struct Plan {
    /// In an order that respects [`Phase::after`]; phases that concern no host are left out.
    pub phases: Vec<Phase>,
}

/// A part of the plan that all its hosts may do at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize))]
pub struct Phase {
    /// `prepare`, `control-plane`, `join`, `add-ons`, …
    pub name: String,
    /// Phases that must be done (on all their hosts) before this one starts.
    pub after: Vec<String>,
    /// What to do, by host name, in inventory order.
    pub batches: IndexMap<String, Batch>,
    /// How many hosts at a time; `None`: all.
    pub serial: Option<usize>,
}

#[cfg(test)]
mod tests;
