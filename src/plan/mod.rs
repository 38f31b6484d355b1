//! The plan: what every host should look like, phase by phase. Built purely and deterministically.
//!
//! ```text
//! cluster + facts + bundle + secrets + playbooks -> build -> Plan -> (run | show)
//! ```
//!
//! `phases` is the table of an action. `control_planes` and `place` tell where the steps of a playbook run,
//! `build` expands them there, and `stages` makes phases of them: a roll becomes a chain of phases, one a host.

pub mod build;
mod control_planes;
mod duplicates;
pub mod etcd_hosts;
pub mod etcd_refusals;
pub mod foreign;
#[cfg(test)]
mod hash;
pub mod memory;
pub mod network_plugin;
pub mod no_longer_wanted;
pub mod order;
mod outcasts;
mod own_objects;
pub mod phases;
mod place;
mod playbook_order;
mod stages;
pub mod surroundings;
pub mod unknown_nodes;
pub mod upgrade;
pub mod versions;

use indexmap::IndexMap;

use crate::wire::Batch;

pub use build::{PlanInput, build, check_sources};
pub use phases::{Of, Pace, Stage, phases};

/// Everything that `up` will hand to the agents; `plan` hands them the same.
///
/// It holds secrets, so that outside of tests nothing can write it down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize))]
pub struct Plan {
    /// In an order that respects [`Phase::after`]; phases that concern no host are left out.
    pub phases: Vec<Phase>,
    /// What can't be done now; in most plans nothing.
    pub left_out: Vec<LeftOut>,
}

impl Plan {
    /// Returns whether a host has something to do.
    pub fn concerns(&self, host: &str) -> bool {
        let mut phases = self.phases.iter();
        phases.any(|phase| phase.batches.contains_key(host))
    }

    /// Ends the plan with the last phase of a host's turn in a roll; `false` where it has no turn.
    pub fn end_after(&mut self, host: &str) -> bool {
        let is_its = |phase: &Phase| phase.host.as_deref() == Some(host);
        let Some(last) = self.phases.iter().rposition(is_its) else {
            return false;
        };
        self.phases.truncate(last + 1);
        true
    }
}

/// A part of the plan that all its hosts may do at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(serde::Serialize))]
pub struct Phase {
    /// `prepare`, `control-plane`, `join`, `add-ons`, …; in a roll `control-plane-join/cp2`.
    pub name: String,
    /// Phases that must be done (on all their hosts) before this one starts. A host's own phases follow one
    /// another beside that.
    pub after: Vec<String>,
    /// Phases that must be over (on all their hosts), done or not: steps for a host that failed there are left out.
    pub over: Vec<String>,
    /// In a roll, the host that is concerned: it fails where the phase does. Batches may be on other hosts, whose
    /// own phases don't wait for them.
    pub host: Option<String>,
    /// What to do, by the name of the host that does it, in inventory order.
    pub batches: IndexMap<String, Batch>,
}

/// Phases that are not in a plan although they should be.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeftOut {
    pub phases: Vec<String>,
    pub reason: String,
}

#[cfg(test)]
mod tests;
