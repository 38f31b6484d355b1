//! Where a lab keeps its things, and the record that its supervisor works from.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::format_version;
use crate::provision::namespace::Namespace;
use crate::provision::{Forward, Lab, ProviderError};
use crate::whole_file;

/// A lab's folder.
#[derive(Clone, Debug)]
pub struct LabDirectory(PathBuf);

/// A machine's folder.
#[derive(Clone, Debug)]
pub(super) struct MachineDirectory(PathBuf);

/// What the supervisor has to run; without secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LabRecord {
    version: u32,
    pub(super) id: String,
    /// Root folder of the base image.
    pub(super) image: PathBuf,
    pub(super) gateway: IpNet,
    pub(super) machines: Vec<MachineRecord>,
    pub(super) forwards: Vec<Forward>,
    /// Whether machines reach what this computer reaches.
    #[serde(default)]
    pub(super) egress: bool,
}

/// One machine of the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MachineRecord {
    pub(super) name: String,
    pub(super) address: IpAddr,
    pub(super) cpus: u32,
    pub(super) memory_mib: u64,
}

impl LabRecord {
    const VERSION: u32 = 1;

    pub(super) fn new(lab: &Lab, image: PathBuf) -> Self {
        let machines = lab
            .machines
            .iter()
            .map(|machine| MachineRecord {
                name: machine.name.clone(),
                address: machine.address,
                cpus: machine.spec.cpus,
                memory_mib: machine.spec.memory_mib,
            })
            .collect();
        Self {
            version: Self::VERSION,
            id: lab.id.clone(),
            image,
            gateway: lab.gateway,
            machines,
            forwards: lab.forwards.clone(),
            egress: lab.egress,
        }
    }
}

impl LabDirectory {
    pub(super) fn of(lab: &Lab) -> Self {
        Self(lab.directory.clone())
    }

    /// Takes a folder that exists, for the supervisor.
    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn machine(&self, name: &str) -> MachineDirectory {
        MachineDirectory(self.0.join("machines").join(name))
    }

    /// Names the machines that are there and not in the lab's description.
    pub(super) fn left_over(&self, lab: &Lab) -> Result<Vec<String>, ProviderError> {
        let folder = self.0.join("machines");
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(ProviderError::file("read", &folder)(error)),
        };
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| lab.machine(name).is_none())
            .collect();
        names.sort();
        Ok(names)
    }

    pub(super) fn namespace(&self) -> Namespace {
        Namespace::at(self.0.join("network-namespace"))
    }

    /// Names of the supervisor's control groups, so that whoever comes next can clear them.
    pub(super) fn groups_file(&self) -> PathBuf {
        self.0.join("groups.json")
    }

    pub(super) fn lock_file(&self) -> PathBuf {
        self.0.join("supervisor.lock")
    }

    pub(super) fn supervisor_log(&self) -> PathBuf {
        self.0.join("supervisor.log")
    }

    /// Makes the folder; only root may look in, for it holds the machines' private keys.
    pub(super) fn create(&self) -> Result<(), ProviderError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .map_err(ProviderError::file("create", &self.0))
    }

    /// Removes the folder and all in it.
    pub(super) fn remove(&self) -> Result<(), ProviderError> {
        remove_all(&self.0).map_err(ProviderError::file("remove", &self.0))
    }

    pub(super) fn write_record(&self, record: &LabRecord) -> Result<(), ProviderError> {
        write_json(&self.record_file(), record)
    }

    pub(super) fn read_record(&self) -> Result<LabRecord, ProviderError> {
        let path = self.record_file();
        let text = fs::read(&path).map_err(ProviderError::file("read", &path))?;
        format_version::read(&text, LabRecord::VERSION).map_err(ProviderError::record(&path))
    }

    fn record_file(&self) -> PathBuf {
        self.0.join("lab.json")
    }
}

impl MachineDirectory {
    /// Returns whether [`super::clone::create`] got to its end.
    pub(super) fn is_complete(&self) -> bool {
        self.marker().exists()
    }

    /// The last file that is written when a machine is made.
    pub(super) fn marker(&self) -> PathBuf {
        self.0.join("complete")
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn remove(&self) -> Result<(), ProviderError> {
        remove_all(&self.0).map_err(ProviderError::file("remove", &self.0))
    }

    /// The machine's own files, over the base image.
    pub(super) fn upper(&self) -> PathBuf {
        self.0.join("upper")
    }

    /// Overlayfs's scratch folder.
    pub(super) fn work(&self) -> PathBuf {
        self.0.join("work")
    }

    /// Mount point of the whole; mounted for the supervisor only.
    pub(super) fn root(&self) -> PathBuf {
        self.0.join("root")
    }

    /// Folder on the real file system that is bound to `/var/lib/<name>`.
    pub(super) fn data(&self, name: &str) -> PathBuf {
        self.0.join("data").join(name)
    }

    pub(super) fn console_log(&self) -> PathBuf {
        self.0.join("console.log")
    }
}

/// Writes a JSON file so that it is there whole or not at all.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ProviderError> {
    serde_json::to_vec_pretty(value)
        .map_err(io::Error::from)
        .and_then(|text| whole_file::write(path, &text))
        .map_err(ProviderError::file("write", path))
}

pub(super) fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, ProviderError> {
    fs::read(path)
        .and_then(|text| serde_json::from_slice(&text).map_err(io::Error::from))
        .map_err(ProviderError::file("read", path))
}

/// Removes a folder that may be absent.
pub(super) fn remove_all(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_release_0_1_0_is_read() {
        let text = include_str!("../../../tests/fixtures/0.1.0/container-lab.json");
        let record: LabRecord = format_version::read(text.as_bytes(), LabRecord::VERSION).unwrap();
        assert_eq!(record.machines[0].name, "node1");
    }
}
