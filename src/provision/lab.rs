//! What a provider is asked for: the lab and its machines.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::model::{MachineDefaults, MachineSpec};
use crate::secret::Secret;

/// The lab that a provider looks after.
#[derive(Clone, Debug)]
pub struct Lab {
    /// Short and unique on this computer; names of networks, groups and folders derive from it.
    pub id: String,
    /// Name of the cluster, for people: in the names of windows and folders.
    pub cluster: String,
    /// Folder on a real file system that the provider owns.
    pub directory: PathBuf,
    /// Where relative paths of images start.
    pub inventory_folder: PathBuf,
    /// Address of this computer in the lab network, with prefix: `192.168.56.1/24`.
    pub gateway: IpNet,
    /// User that kinstall logs in as; has sudo without a password.
    pub user: String,
    /// Public key (OpenSSH line) that may log in.
    pub authorized_key: String,
    pub machines: Vec<Machine>,
    /// Whether machines reach what this computer reaches.
    pub egress: bool,
    /// What all machines get at their first boot.
    pub defaults: MachineDefaults,
    /// Loopback ports that lead into the lab for as long as it runs.
    pub forwards: Vec<Forward>,
}

/// A machine that a provider makes for a host of the inventory.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Host name; also the inventory name.
    pub name: String,
    /// Static address in the lab network.
    pub address: IpAddr,
    pub spec: MachineSpec,
    /// OpenSSH private host key (ed25519), put on the machine before its first start.
    pub host_key: Secret,
}

/// A TCP port on loopback that leads to an address in the lab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    pub listen: SocketAddr,
    pub target: SocketAddr,
    /// Addresses that serve as well, for when the target doesn't answer.
    #[serde(default)]
    pub alternatives: Vec<SocketAddr>,
}

impl Lab {
    /// Finds a machine by its name.
    pub fn machine(&self, name: &str) -> Option<&Machine> {
        self.machines.iter().find(|machine| machine.name == name)
    }
}
