//! Machines: who makes them, and how to reach them.
//!
//! A provider observes the machines of a lab, [`plan::changes`] says what is missing, and the provider
//! carries that out; one folder a provider.

pub mod computer;
#[cfg(target_os = "linux")]
pub mod container;
mod first_contact;
pub mod forward;
mod lab;
pub mod last_words;
mod mac;
pub mod machine_image;
#[cfg(target_os = "linux")]
mod namespace;
mod observed;
mod parallel;
pub mod plan;
#[cfg(target_os = "linux")]
pub mod qemu;
pub mod seed;
pub mod shared_folders;
mod snapshot;
pub mod virtualbox;

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use self::shared_folders::SharedFolders;
pub use first_contact::{FirstContact, INSECURE_KEYS};
pub use lab::{Forward, Lab, Machine};
pub use mac::{Mac, Macs};
pub use observed::{MachineSettings, MachineState, MadeWith, ObservedMachine};
pub use plan::{MachineAction, MachineChange, SettingChange};
pub use snapshot::{Snapshot, SnapshotOfMachine};

use crate::diagnostic::Diagnostics;
use crate::format_version::FormatError;

/// Is told what happens to which machine; an empty name stands for the lab.
pub type Report<'a> = &'a (dyn Fn(&str, &str) + Sync);

/// What the power button does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// Shut down in order; switched off only when that takes too long.
    Halt,
    /// Started, or woken where it was suspended.
    Start,
    /// Its memory goes to disk.
    Suspend,
    Resume,
}

/// Something that makes machines. Calls block; names are those of the lab's machines.
pub trait Provider: Send + Sync {
    /// Returns why this provider can't be used on this computer, each with what to do; empty if it can.
    fn obstacles(&self) -> Diagnostics;

    /// Returns the lab's machines, those of the inventory in its order and then those that it doesn't
    /// have any more; asks the real thing, never a cache.
    fn observe(&self, lab: &Lab) -> Result<Vec<ObservedMachine>, ProviderError>;

    /// Fails where something that changes need can't be had; changes nothing and asks no server.
    fn check(&self, _lab: &Lab, _changes: &[MachineChange]) -> Result<(), ProviderError> {
        Ok(())
    }

    /// Carries out what [`plan::changes`] found, machines in parallel; they all run afterwards.
    fn up(&self, lab: &Lab, changes: &[MachineChange], report: Report)
    -> Result<(), ProviderError>;

    /// Removes machines without a trace.
    fn remove(&self, lab: &Lab, names: &[&str], report: Report) -> Result<(), ProviderError>;

    /// Removes every trace of the lab.
    fn down(&self, lab: &Lab, report: Report) -> Result<(), ProviderError>;

    /// Switches machines; what is in that state already stays as it is.
    fn power(
        &self,
        lab: &Lab,
        names: &[&str],
        power: Power,
        report: Report,
    ) -> Result<(), ProviderError>;

    /// Returns who keeps snapshots; `None` where there are none.
    fn snapshots(&self) -> Option<&dyn Snapshots> {
        None
    }

    /// Returns the file with what a machine wrote to its serial console.
    fn console_log(&self, lab: &Lab, name: &str) -> PathBuf;

    /// Opens a TCP connection to an address of the lab's network.
    fn dial(&self, _lab: &Lab, target: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect_timeout(&target, Duration::from_secs(10))
    }

    /// Runs a command inside the lab's network, on this process's terminal.
    fn run_in_network(&self, _lab: &Lab, command: &mut Command) -> io::Result<ExitStatus> {
        command.status()
    }

    /// Returns what the user has to know of the lab as it is now; asked after [`Provider::up`].
    fn notices(&self, _lab: &Lab) -> Vec<String> {
        Vec::new()
    }

    /// Tells whether machines set themselves up at their first boot, so that `up` waits for the end of it.
    fn has_first_boot(&self) -> bool {
        false
    }

    /// Returns how folders of this computer reach its machines; `None` where they don't.
    fn shared_folders(&self) -> Option<SharedFolders> {
        None
    }

    /// Returns how to log in to a machine whose image may not have cloud-init; `None` where it has.
    /// Asked after [`Provider::up`].
    fn first_contact(
        &self,
        _lab: &Lab,
        _machine: &Machine,
    ) -> Result<Option<FirstContact>, ProviderError> {
        Ok(None)
    }

    /// Closes the way in that [`Provider::first_contact`] opened.
    fn end_first_contact(&self, _lab: &Lab, _machine: &Machine) -> Result<(), ProviderError> {
        Ok(())
    }

    /// Returns how long a machine may take from its start to the first login.
    fn patience(&self) -> Duration;
}

/// A provider that keeps snapshots.
pub trait Snapshots {
    /// Returns all snapshots of the lab, oldest first.
    fn list(&self, lab: &Lab) -> Result<Vec<Snapshot>, ProviderError>;

    /// Takes a snapshot of machines: at one moment, all of them paused, where more than one runs.
    fn save(
        &self,
        lab: &Lab,
        names: &[&str],
        snapshot: &str,
        report: Report,
    ) -> Result<(), ProviderError>;

    /// Brings machines back to a snapshot; they run afterwards if they ran then.
    fn restore(
        &self,
        lab: &Lab,
        names: &[&str],
        snapshot: &str,
        report: Report,
    ) -> Result<(), ProviderError>;

    /// Removes a snapshot of machines.
    fn delete(
        &self,
        lab: &Lab,
        names: &[&str],
        snapshot: &str,
        report: Report,
    ) -> Result<(), ProviderError>;
}

/// Why a provider failed.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("failed to {action} machine `{machine}`: {detail}")]
    Machine {
        action: &'static str,
        machine: String,
        detail: String,
    },
    #[error("failed to {action}: {detail}")]
    Lab { action: String, detail: String },
    /// Something that the user can mend, with how.
    #[error("{message}")]
    Obstacle { message: String, hints: Vec<String> },
    #[error("failed to {action} `{path}`")]
    File {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

impl ProviderError {
    /// Makes the error for a file, for use with `map_err`.
    pub fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }

    /// Makes the error for a record that can't be used, for use with `map_err`.
    pub fn record(path: &Path) -> impl FnOnce(FormatError) -> Self {
        let path = path.to_owned();
        move |error| match error {
            FormatError::Malformed(source) => Self::file("read", &path)(source.into()),
            FormatError::Other { .. } => Self::Obstacle {
                message: format!("can't use `{}`: {error}", path.display()),
                hints: error.hint().map(str::to_owned).into_iter().collect(),
            },
        }
    }
}
