//! What there is: machines as the provider sees them.

use ipnet::IpNet;
use serde::Serialize;

use crate::model::{ForwardedPort, MachineDefaults, SharedFolder};

/// What a machine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MachineState {
    Absent,
    /// Its making was interrupted; it has never run.
    Unfinished,
    /// Something of it is there, but what it is can't be told: its files are gone, or another version of kinstall
    /// wrote them.
    Unreadable,
    Stopped,
    /// Its memory is kept on disk.
    Suspended,
    /// It stands still with its memory kept: by hand, or because the disk is full.
    Paused,
    Running,
    /// It ended without having been shut down.
    Aborted,
}

impl MachineState {
    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Unfinished => "unfinished",
            Self::Unreadable => "unreadable",
            Self::Stopped => "stopped",
            Self::Suspended => "suspended",
            Self::Paused => "paused",
            Self::Running => "running",
            Self::Aborted => "aborted",
        }
    }
}

/// A machine of the lab, found by its mark: in the inventory or not any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedMachine {
    pub name: String,
    pub state: MachineState,
    /// `None` where the machine isn't there or the provider doesn't apply changes.
    pub settings: Option<MachineSettings>,
}

/// What a machine really has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineSettings {
    pub cpus: u32,
    pub memory_mib: u64,
    /// Size of the first disk, in MiB.
    pub disk_mib: u64,
    /// In GiB, in the order of their ports.
    pub extra_disks_gib: Vec<u64>,
    pub forwarded_ports: Vec<ForwardedPort>,
    pub shared_folders: Vec<SharedFolder>,
    /// What was written down when the machine was made: these can't be changed later.
    pub made_with: MadeWith,
    /// Whether it reaches the internet; `None` where that is not the provider's to decide.
    pub egress: Option<bool>,
    /// That can be changed while it runs.
    pub changes_egress: bool,
    /// Its address is given to it at every start, so it can be changed after all.
    pub takes_address: bool,
}

/// What a machine keeps from its first boot to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct MadeWith {
    /// As the inventory named it.
    pub image: String,
    /// Address in the lab network, then those in further networks.
    pub addresses: Vec<IpNet>,
    /// Time zone, proxy and mirror; not known of machines that kinstall 0.1.0 made.
    #[serde(default)]
    pub defaults: Option<MachineDefaults>,
}
