//! What is written down of a machine and of its snapshots.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

use super::disks;
use super::folder::MachineFolder;
use super::hardware::Hardware;
use crate::format_version;
use crate::model::ForwardedPort;
use crate::private_file;
use crate::provision::plan::made_with;
use crate::provision::{Lab, Machine, MachineSettings, Macs, MadeWith, ProviderError};

/// A machine that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MachineRecord {
    version: u32,
    pub hardware: Hardware,
    pub forwarded_ports: Vec<ForwardedPort>,
    pub made_with: MadeWith,
    /// Of its network cards: the way out, the lab, further networks.
    pub macs: Vec<String>,
    /// Whether the first of them leads out. It did before there was a choice.
    #[serde(default = "yes")]
    pub egress: bool,
}

fn yes() -> bool {
    true
}

/// A snapshot of one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SnapshotRecord {
    /// Its memory was kept.
    pub live: bool,
    pub taken: String,
    pub hardware: Hardware,
}

const VERSION: u32 = 1;

impl MachineRecord {
    pub(super) fn new(lab: &Lab, machine: &Machine) -> Self {
        let macs = Macs::of(lab);
        let macs = macs.of_machine(&machine.name).iter();
        Self {
            version: VERSION,
            hardware: Hardware::wanted(machine),
            forwarded_ports: machine.spec.forwarded_ports.clone(),
            made_with: made_with(lab, machine),
            macs: macs.map(ToString::to_string).collect(),
            egress: lab.egress,
        }
    }

    /// Reads a machine's record; `None` where the machine isn't complete.
    pub(super) fn read(folder: &MachineFolder) -> Result<Option<Self>, ProviderError> {
        let path = folder.record();
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ProviderError::file("read", &path)(error)),
            Ok(text) => format_version::read(&text, VERSION)
                .map(Some)
                .map_err(ProviderError::record(&path)),
        }
    }

    /// As [`MachineRecord::read`], where the machine has to be complete.
    pub(super) fn require(folder: &MachineFolder) -> Result<Self, ProviderError> {
        Self::read(folder)?.ok_or_else(|| ProviderError::Obstacle {
            message: format!("machine `{}` isn't there", folder.name),
            hints: vec!["`kinstall up` makes it".into()],
        })
    }

    pub(super) fn write(&self, folder: &MachineFolder) -> Result<(), ProviderError> {
        write(&folder.record(), self)
    }

    /// Returns what the machine has.
    pub(super) fn settings(self, folder: &MachineFolder) -> Result<MachineSettings, ProviderError> {
        let disk_mib = disks::size(&folder.disk(0))? >> 20;
        Ok(MachineSettings {
            takes_address: false,
            egress: Some(self.egress),
            changes_egress: false,
            cpus: self.hardware.cpus,
            memory_mib: self.hardware.memory_mib,
            disk_mib,
            extra_disks_gib: self.hardware.extra_disks_gib,
            forwarded_ports: self.forwarded_ports,
            shared_folders: self.hardware.shared_folders,
            made_with: self.made_with,
        })
    }
}

impl SnapshotRecord {
    pub(super) fn write(
        &self,
        folder: &MachineFolder,
        snapshot: &str,
    ) -> Result<(), ProviderError> {
        write(&folder.snapshot(snapshot), self)
    }
}

fn write(path: &std::path::Path, value: &impl Serialize) -> Result<(), ProviderError> {
    serde_json::to_vec_pretty(value)
        .map_err(std::io::Error::from)
        .and_then(|text| private_file::write(path, &text))
        .map_err(ProviderError::file("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_release_0_1_0_is_read() {
        let text = include_str!("../../../tests/fixtures/0.1.0/qemu-machine.json");
        let record: MachineRecord = format_version::read(text.as_bytes(), VERSION).unwrap();
        assert_eq!(record.hardware.memory_mib, 2048);
    }
}
