//! Where a lab and its machines keep their files.
//!
//! ```text
//! network-namespace         holds the lab's network
//! plug                      puts a network card onto a bridge of the lab
//! machines/NAME/machine.json  written last: without it, the machine is half made
//! machines/NAME/disk0.qcow2   over the image; disk1.qcow2 and on are the further disks
//! machines/NAME/seed.iso      what cloud-init reads
//! machines/NAME/qemu.pid      removed by QEMU when it ends in order
//! machines/NAME/monitor.sock  QEMU's answers
//! machines/NAME/suspended     the memory is kept in the disk, as a snapshot of that name
//! machines/NAME/snapshots/    one file a snapshot, written when it is complete
//! ```

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::provision::namespace::Namespace;
use crate::provision::{Lab, ProviderError};

/// A lab's folder.
#[derive(Clone, Debug)]
pub(super) struct LabFolder(PathBuf);

/// A machine's folder.
#[derive(Clone, Debug)]
pub(super) struct MachineFolder {
    /// As people and `ps` see the process.
    pub title: String,
    pub name: String,
    path: PathBuf,
}

impl LabFolder {
    pub(super) fn of(lab: &Lab) -> Self {
        Self(lab.directory.clone())
    }

    pub(super) fn namespace(&self) -> Namespace {
        Namespace::at(self.0.join("network-namespace"))
    }

    pub(super) fn namespace_file(&self) -> PathBuf {
        self.0.join("network-namespace")
    }

    pub(super) fn plug(&self) -> PathBuf {
        self.0.join("plug")
    }

    pub(super) fn machine(&self, lab: &Lab, name: &str) -> MachineFolder {
        MachineFolder {
            title: format!("kinstall-{}-{name}", lab.id),
            name: name.to_owned(),
            path: self.0.join("machines").join(name),
        }
    }

    /// Names the machines that are there, sorted.
    pub(super) fn machines(&self) -> Result<Vec<String>, ProviderError> {
        names(&self.0.join("machines"))
    }

    /// Makes the folder; only root may look in, for it holds the machines' private keys.
    pub(super) fn create(&self) -> Result<(), ProviderError> {
        create(&self.0)
    }

    pub(super) fn remove(&self) -> Result<(), ProviderError> {
        remove(&self.0)
    }
}

impl MachineFolder {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(super) fn record(&self) -> PathBuf {
        self.file("machine.json")
    }

    pub(super) fn disk(&self, index: usize) -> PathBuf {
        self.file(&format!("disk{index}.qcow2"))
    }

    pub(super) fn console_log(&self) -> PathBuf {
        self.file("console.log")
    }

    pub(super) fn suspended(&self) -> PathBuf {
        self.file("suspended")
    }

    pub(super) fn snapshot(&self, name: &str) -> PathBuf {
        self.path.join("snapshots").join(name)
    }

    /// Names the machine's snapshots, sorted.
    pub(super) fn snapshots(&self) -> Result<Vec<String>, ProviderError> {
        names(&self.path.join("snapshots"))
    }

    pub(super) fn create(&self) -> Result<(), ProviderError> {
        create(&self.path)
    }

    pub(super) fn remove(&self) -> Result<(), ProviderError> {
        remove(&self.path)
    }

    /// Makes the error for what went wrong with the machine.
    pub(super) fn failed(&self, action: &'static str) -> impl Fn(String) -> ProviderError {
        let machine = self.name.clone();
        move |detail| ProviderError::Machine {
            action,
            machine: machine.clone(),
            detail,
        }
    }
}

/// Reads a JSON file; `None` where there is none.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ProviderError> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(ProviderError::file("read", path))?,
    };
    let value = serde_json::from_slice(&text).map_err(io::Error::from);
    value.map(Some).map_err(ProviderError::file("read", path))
}

/// Removes a file that may be absent.
pub(super) fn remove_file(path: &Path) -> Result<(), ProviderError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ProviderError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

fn create(path: &Path) -> Result<(), ProviderError> {
    let mut builder = fs::DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(path);
    made.map_err(ProviderError::file("create", path))
}

fn remove(path: &Path) -> Result<(), ProviderError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ProviderError::file("remove", path)(error))
        }
        _ => Ok(()),
    }
}

fn names(folder: &Path) -> Result<Vec<String>, ProviderError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(ProviderError::file("read", folder))?,
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}
