//! The small facts that must survive between commands: which provider made the machines, and where.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::format_version::{self, FormatError};
use crate::model::{NetworkPlugin, Provider};
use crate::private_file;
use crate::resource::Sha256;

const FILE: &str = "lab.json";

/// Version of the file's layout.
const FORMAT: u32 = 1;

/// State of one lab, in `.kinstall/lab.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabState {
    pub format: u32,
    /// Unique on this computer; derived from the inventory's path.
    pub id: String,
    /// Set by the first `up`.
    pub provider: Option<Provider>,
    /// Loopback port that leads to the API server; chosen by the first `up`.
    pub api_port: Option<u16>,
    /// Node addresses that the hosts were asked for by the last `up`, by host name.
    #[serde(default)]
    pub addresses: BTreeMap<String, IpAddr>,
    /// What connects the pods since the last `up`; it stays where the inventory leaves it open.
    #[serde(default)]
    pub network_plugin: Option<NetworkPlugin>,
}

impl LabState {
    /// Reads the state, or makes the one that a lab starts with; writes nothing.
    pub fn load(directory: &Path, inventory: &Path) -> Result<Self, Diagnostics> {
        let path = directory.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => format_version::read(&bytes, FORMAT)
                .map_err(|problem| vec![unreadable(&path, &problem)]),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self {
                format: FORMAT,
                id: id_of(inventory),
                provider: None,
                api_port: None,
                addresses: BTreeMap::new(),
                network_plugin: None,
            }),
            Err(error) => {
                let message = format!("failed to read `{}`: {error}", path.display());
                Err(vec![Diagnostic::error(Kind::Environment, message)])
            }
        }
    }

    /// Returns whether an `up` has kept the state.
    pub fn is_saved(directory: &Path) -> bool {
        directory.join(FILE).exists()
    }

    /// Writes the state.
    pub fn save(&self, directory: &Path) -> Result<(), Diagnostics> {
        let path = directory.join(FILE);
        let written = serde_json::to_vec_pretty(self)
            .map_err(io::Error::from)
            .and_then(|text| private_file::write(&path, &text));
        written.map_err(|error| {
            let message = format!("failed to write `{}`: {error}", path.display());
            vec![Diagnostic::error(Kind::Environment, message)]
        })
    }

    /// Returns where a provider may keep the lab's machines: a real file system, not the project. Those
    /// of VirtualBox are the user's own, the others root's.
    pub fn machine_directory(&self, provider: Provider) -> PathBuf {
        let labs = match provider {
            Provider::VirtualBox => etcetera::choose_base_strategy()
                .map_or_else(|_| std::env::temp_dir(), |base| base.data_dir())
                .join("kinstall/labs"),
            _ => PathBuf::from("/var/lib/kinstall/labs"),
        };
        labs.join(&self.id)
    }

    /// Returns the loopback address that leads to the API server, choosing a free port once.
    pub fn api_address(&mut self) -> SocketAddr {
        let port = *self.api_port.get_or_insert_with(|| free_port(6443));
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    }
}

fn unreadable(path: &Path, problem: &FormatError) -> Diagnostic {
    let path = path.display();
    match problem.hint() {
        Some(hint) => {
            let message = format!("can't use `{path}`: {problem}");
            Diagnostic::error(Kind::Environment, message).hint(hint)
        }
        None => Diagnostic::error(Kind::Environment, format!("`{path}` is damaged: {problem}"))
            .hint(
                "remove the file; `kinstall up`, with the same --provider as before, finds the \
             machines and makes it again",
            ),
    }
}

fn id_of(inventory: &Path) -> String {
    Sha256::of(inventory.as_os_str().as_encoded_bytes()).to_string()[..8].to_owned()
}

fn free_port(wanted: u16) -> u16 {
    let free = |port: u16| {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .and_then(|it| it.local_addr())
            .ok()
    };
    let address = (wanted..wanted + 100).find_map(free).or_else(|| free(0));
    address.map_or(wanted, |address| address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_release_0_1_0_is_read() {
        let text = include_str!("../../tests/fixtures/0.1.0/lab.json");
        let record: LabState = format_version::read(text.as_bytes(), FORMAT).unwrap();
        assert_eq!(record.api_port, Some(6443));
    }
}
