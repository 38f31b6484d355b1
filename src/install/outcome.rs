//! How a run over the hosts ended.

use super::lab::LabMachines;
use super::project::Project;
use crate::report::Summary;
use crate::run::{CheckedHosts, PlannedChanges};

/// What a check found.
pub struct Found {
    pub planned: PlannedChanges,
    /// A probe failed somewhere.
    pub failed: bool,
    pub summary: Summary,
}

impl Found {
    /// Returns what a check of all hosts found.
    pub fn of(checked: CheckedHosts, summary: Summary) -> Self {
        Self {
            planned: PlannedChanges {
                unreachable: summary.unreachable(),
                ..checked.planned
            },
            failed: checked.failed,
            summary,
        }
    }
}

/// How `up` ended.
pub struct Applied {
    pub project: Project,
    pub machines: LabMachines,
    pub summary: Summary,
    pub all_done: bool,
}

/// How a removal ended.
pub struct Removed {
    pub applied: Applied,
    /// Names of the hosts that are out of the cluster now.
    pub left: Vec<String>,
}
