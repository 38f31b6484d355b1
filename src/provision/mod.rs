//! Machines: who makes them, and how to reach them.
//!
//! A provider is asked for the state of the lab's machines, makes what is missing, and opens
//! connections to them. VirtualBox will be one more module beside `container`.

#[cfg(target_os = "linux")]
pub mod container;

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// A machine that a provider makes for a host of the inventory.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Host name; also the inventory name.
    pub name: String,
    /// Static address in the lab network.
    pub address: std::net::IpAddr,
    pub cpus: u32,
    pub memory_mib: u64,
    /// OpenSSH private host key (ed25519), put on the machine before its first start.
    pub host_key: Secret,
}

/// The lab that a provider looks after.
#[derive(Clone, Debug)]
pub struct Lab {
    /// Short and unique on this computer; names of namespaces, bridges and folders derive from it.
    pub id: String,
    /// Folder on a real file system that the provider owns: `/var/lib/kinstall/labs/<id>`.
    pub directory: PathBuf,
    /// Address of this computer in the lab network, with prefix: `192.168.56.1/24`.
    pub gateway: ipnet::IpNet,
    /// User that kinstall logs in as; has sudo without a password.
    pub user: String,
    /// Public key (OpenSSH line) that may log in.
    pub authorized_key: String,
    pub machines: Vec<Machine>,
    /// Loopback ports that lead into the lab for as long as it runs.
    pub forwards: Vec<Forward>,
}

/// A TCP port on loopback that leads to an address in the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    pub listen: SocketAddr,
    pub target: SocketAddr,
}

/// What a machine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MachineState {
    Absent,
    Stopped,
    Running,
}

/// Something that makes machines. Calls block.
pub trait Provider: Send + Sync {
    /// Returns why this provider can't be used on this computer, each with what to do; empty if it can.
    fn obstacles(&self) -> Vec<crate::diagnostic::Diagnostic>;

    /// Returns each machine's state, in the lab's order; asks the real thing, never a cache.
    fn states(&self, lab: &Lab) -> Result<Vec<MachineState>, ProviderError>;

    /// Makes and starts what is missing, in parallel. `report` is told what happens to which machine.
    fn up(&self, lab: &Lab, report: &(dyn Fn(&str, &str) + Sync)) -> Result<(), ProviderError>;

    /// Removes every trace of the lab.
    fn down(&self, lab: &Lab, report: &(dyn Fn(&str, &str) + Sync)) -> Result<(), ProviderError>;

    /// Opens a TCP connection to an address of the lab's network.
    fn dial(&self, lab: &Lab, target: SocketAddr) -> io::Result<TcpStream>;
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
}
