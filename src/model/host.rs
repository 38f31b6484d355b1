//! One host: what it is in the cluster and how to reach it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::Serialize;

#[cfg(doc)]
use super::ClusterSpec;
use super::{AddressSource, Kubelet, MachineSpec, defaults, join_port};
use crate::secret::Secret;

/// A host of the cluster.
#[derive(Clone, Debug, Serialize)]
pub struct HostSpec {
    /// Inventory name; also the node's name in Kubernetes (lower-case, a valid DNS label).
    pub name: String,
    /// Node address: `ip`, else a private address of `ansible_host`, else what the host answers; `None` until
    /// then ([`ClusterSpec::with_reported`]).
    pub address: Option<IpAddr>,
    #[serde(skip)]
    pub address_source: AddressSource,
    /// Address at which the other hosts reach this one: `access_ip`, else the node address.
    pub access_address: Option<IpAddr>,
    pub roles: Roles,
    /// `node_labels`.
    pub labels: BTreeMap<String, String>,
    /// `node_taints`, and the control-plane taint where the host isn't a worker as well.
    pub taints: Vec<Taint>,
    /// Never serialised: templates have no business with access data.
    #[serde(skip)]
    pub connection: Connection,
    pub kubelet: Kubelet,
    pub machine: MachineSpec,
}

impl HostSpec {
    /// Returns the URL by which the other members of etcd know this one.
    pub fn etcd_peer_url(&self) -> Option<String> {
        self.etcd_url(2380)
    }

    /// Returns the URL by which clients reach its member of etcd.
    pub fn etcd_client_url(&self) -> Option<String> {
        self.etcd_url(2379)
    }

    fn etcd_url(&self, port: u16) -> Option<String> {
        let address = self.address?.to_string();
        Some(format!("https://{}", join_port(&address, port)))
    }
}

/// What a host does in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Roles {
    pub control_plane: bool,
    pub etcd: bool,
    pub worker: bool,
}

impl Roles {
    /// Returns whether the host is a node of Kubernetes, and not only a member of etcd.
    pub fn is_node(self) -> bool {
        self.control_plane || self.worker
    }
}

/// A node taint, `key=value:effect`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Taint {
    pub key: String,
    pub value: String,
    pub effect: String,
}

/// How to log in to a host.
#[derive(Clone, Debug)]
pub struct Connection {
    pub method: Method,
    /// Name or address to connect to: `ansible_host`, else the host's name.
    pub host: String,
    /// Address to connect to where that name can't be looked up.
    pub fallback: Option<IpAddr>,
    /// `ansible_port`; `None` is what the user's SSH configuration says, else 22 ([`Connection::port`]).
    pub port: Option<u16>,
    /// `ansible_user`; the lab's own user for machines that kinstall makes, else what the user's SSH configuration
    /// says, else the current user.
    pub user: Option<String>,
    /// `ansible_ssh_private_key_file`, `~` already expanded.
    pub private_key: Option<PathBuf>,
    /// `ansible_password`.
    pub password: Option<Secret>,
    pub escalation: Become,
    /// Hosts to go through, first hop first: `ansible_ssh_common_args` or the `bastion` group. `None` is what the user's
    /// SSH configuration says, else no host ([`Connection::jumps`]).
    pub jump: Option<Vec<JumpHost>>,
    /// SSH configuration that is read in place of the user's own (`-F` in `ansible_ssh_common_args`).
    pub configuration: Option<PathBuf>,
}

impl Connection {
    /// Returns the port of the SSH server.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(defaults::SSH_PORT)
    }

    /// Returns the hosts to go through, first hop first.
    pub fn jumps(&self) -> &[JumpHost] {
        self.jump.as_deref().unwrap_or_default()
    }
}

/// How commands get to a host (`ansible_connection`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Ssh,
    /// The host is this computer.
    Local,
}

/// One hop on the way to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JumpHost {
    pub user: Option<String>,
    pub host: String,
    /// `None` is what the user's SSH configuration says, else 22 ([`JumpHost::port`]).
    pub port: Option<u16>,
    pub private_key: Option<PathBuf>,
    pub password: Option<Secret>,
}

impl JumpHost {
    /// Returns the port of the SSH server.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(defaults::SSH_PORT)
    }
}

/// How the agent becomes root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Become {
    /// The login user is root, or `sudo` asks nothing.
    Sudo,
    /// `ansible_become_password`.
    SudoWithPassword(Secret),
    /// `ansible_become: false`.
    No,
}
