//! What is needed to reach a host.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use super::configuration::SshConfiguration;
use super::credentials::UserKeys;
use super::jump::Jumps;
use super::keys::KeyPair;
use super::known_hosts::KnownHosts;
use crate::model::host::Connection;

/// Opens a TCP connection in place of the operating system; blocks.
pub type Dial = dyn Fn(SocketAddr) -> io::Result<TcpStream> + Send + Sync;

/// A host, and all that is needed to log in to it. Targets of one run are clones of one another with
/// another name and connection, so that they share `known_hosts` and `jumps`.
#[derive(Clone)]
pub struct Target {
    /// Inventory name.
    pub name: String,
    pub connection: Connection,
    pub known_hosts: KnownHosts,
    /// The lab's key; offered first.
    pub identity: Option<KeyPair>,
    /// The user's own keys; offered after the key that the inventory names.
    pub user_keys: UserKeys,
    /// The user's SSH configuration; `None` where there is none, or it is not for this host.
    pub configuration: Option<SshConfiguration>,
    /// The provider's way into the lab's network, for the first hop; `None` is the computer's own.
    pub dial: Option<Arc<Dial>>,
    /// Connections to jump hosts that are open already.
    pub jumps: Jumps,
}

impl Target {
    /// Returns `host:port`.
    pub fn address(&self) -> String {
        address(&self.connection.host, self.connection.port())
    }
}

/// Returns `host:port`, an IPv6 address in brackets.
pub(super) fn address(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}
