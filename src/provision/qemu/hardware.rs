//! The hardware of a machine.

use serde::{Deserialize, Serialize};

use crate::model::SharedFolder;
use crate::provision::Machine;

/// What must be the same for a saved memory to be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hardware {
    pub cpus: u32,
    pub memory_mib: u64,
    pub extra_disks_gib: Vec<u64>,
    pub shared_folders: Vec<SharedFolder>,
}

impl Hardware {
    pub(super) fn wanted(machine: &Machine) -> Self {
        Self {
            cpus: machine.spec.cpus,
            memory_mib: machine.spec.memory_mib,
            extra_disks_gib: machine.spec.extra_disks_gib.clone(),
            shared_folders: machine.spec.shared_folders.clone(),
        }
    }

    /// Returns how many disks there are that the machine writes to.
    pub(super) fn disks(&self) -> usize {
        1 + self.extra_disks_gib.len()
    }
}
