//! The members of the cluster as the last `up` reached them: who is in it, and how to get there once the inventory
//! doesn't have them any more.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::named_hosts;
use super::project::Project;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::format_version;
use crate::model::{
    AddressSource, Become, ClusterSpec, Connection, HostSpec, JumpHost, Method, Roles,
};
use crate::private_file;

const FILE: &str = "members.json";

/// Version of the file's layout.
const FORMAT: u32 = 1;

/// All members, in `.kinstall/members.json`; passwords are not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "it is named so in the file")]
pub struct Members {
    format: u32,
    members: Vec<Member>,
    /// Names of hosts that etcd was restored without: their disks have another cluster, also when they are no members any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lost: Vec<String>,
}

/// A host of which `up` made a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    pub name: String,
    address: Option<IpAddr>,
    pub control_plane: bool,
    /// It runs etcd as a service, alone or beside what else it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    etcd_host: bool,
    /// It is no node of Kubernetes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    etcd_only: bool,
    login: Login,
}

/// How it was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    /// The host is this computer.
    local: bool,
    host: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    user: Option<String>,
    private_key: Option<PathBuf>,
    /// Whether `sudo` is used.
    sudo: bool,
    jump: Vec<Jump>,
    /// The inventory said that there is no host to go through; else an empty list leaves that open.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    direct: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    configuration: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Jump {
    user: Option<String>,
    host: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    private_key: Option<PathBuf>,
}

impl Default for Members {
    fn default() -> Self {
        Self {
            format: FORMAT,
            members: Vec::new(),
            lost: Vec::new(),
        }
    }
}

impl Members {
    /// Reads the members; `None` before the first `up` of a kinstall that writes them down.
    pub fn load(directory: &Path) -> Result<Option<Self>, Diagnostics> {
        let path = directory.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let message = format!("failed to read `{}`: {error}", path.display());
                return Err(vec![Diagnostic::error(Kind::Environment, message)]);
            }
        };
        let members = format_version::read(&bytes, FORMAT);
        members.map(Some).map_err(|problem| {
            let message = format!("can't use `{}`: {problem}", path.display());
            let error = Diagnostic::error(Kind::Environment, message);
            vec![error.hint(problem.hint().unwrap_or(
                "remove the file; the next `kinstall up` writes it again, with the hosts that the inventory has",
            ))]
        })
    }

    /// Adds hosts of a cluster, as they are reached now, and leaves out those that have left; writes what changed.
    pub fn update(
        directory: &Path,
        cluster: &ClusterSpec,
        joined: &[String],
        left: &[String],
    ) -> Result<(), Diagnostics> {
        Self::change(directory, |now| {
            for host in joined.iter().filter_map(|name| cluster.host(name)) {
                let member = Member::of(host);
                match now.members.iter_mut().find(|it| it.name == host.name) {
                    Some(known) => {
                        let etcd_host = known.etcd_host;
                        *known = Member {
                            etcd_host,
                            ..member
                        };
                    }
                    None => now.members.push(member),
                }
            }
            now.members.retain(|it| !left.contains(&it.name));
            // With the last control plane, the cluster is gone, and what those have that weren't reached is no part of any.
            if !left.is_empty() && !now.members.iter().any(|it| it.control_plane) {
                now.members.iter_mut().for_each(|it| it.etcd_host = false);
            }
        })
    }

    /// Writes down that some members run etcd as a service.
    pub fn have_etcd(directory: &Path, names: &[String]) -> Result<(), Diagnostics> {
        Self::change(directory, |now| {
            let members = now.members.iter_mut();
            let hosts = members.filter(|it| names.contains(&it.name));
            hosts.for_each(|it| it.etcd_host = true);
        })
    }

    fn change(directory: &Path, change: impl FnOnce(&mut Self)) -> Result<(), Diagnostics> {
        let before = Self::load(directory)?;
        let mut now = before.clone().unwrap_or_default();
        change(&mut now);
        if before.as_ref() == Some(&now) {
            return Ok(());
        }
        now.write(directory)
    }

    /// Notes that etcd is restored without these hosts, and with all others.
    pub fn give_up(directory: &Path, lost: &[String]) -> Result<(), Diagnostics> {
        Self::change_lost(directory, |known| *known = lost.to_vec())
    }

    /// Notes that nothing is left on the disks of hosts.
    pub fn are_gone(directory: &Path, names: &[&str]) -> Result<(), Diagnostics> {
        Self::change_lost(directory, |known| {
            known.retain(|it| !names.contains(&it.as_str()));
        })
    }

    /// Returns the hosts that etcd was restored without.
    pub fn lost(&self) -> &[String] {
        &self.lost
    }

    fn change_lost(
        directory: &Path,
        change: impl FnOnce(&mut Vec<String>),
    ) -> Result<(), Diagnostics> {
        let mut now = Self::load(directory)?.unwrap_or_default();
        let before = now.lost.clone();
        change(&mut now.lost);
        if now.lost == before {
            return Ok(());
        }
        now.write(directory)
    }

    fn write(&self, directory: &Path) -> Result<(), Diagnostics> {
        let path = directory.join(FILE);
        let text = serde_json::to_vec_pretty(self).map_err(io::Error::from);
        let written = text.and_then(|text| private_file::write(&path, &text));
        written.map_err(|error| {
            let message = format!("failed to write `{}`: {error}", path.display());
            vec![Diagnostic::error(Kind::Environment, message)]
        })
    }

    /// Returns the members that a cluster's inventory doesn't have.
    pub fn departed(&self, cluster: &ClusterSpec) -> Vec<Member> {
        let members = self.members.iter();
        let departed = members.filter(|member| cluster.host(&member.name).is_none());
        departed.cloned().collect()
    }

    /// Returns whether the inventory has none of the control planes that the cluster has as such.
    pub fn lacks_control_planes(&self, cluster: &ClusterSpec) -> bool {
        let mut control_planes = self.members.iter().filter(|it| it.control_plane).peekable();
        control_planes.peek().is_some()
            && control_planes.all(|member| {
                let host = cluster.host(&member.name);
                host.is_none_or(|host| !host.roles.control_plane)
            })
    }

    /// Returns the hosts that run etcd as a service although the inventory has it on its control planes.
    pub fn etcd_hosts_against(&self, cluster: &ClusterSpec) -> Vec<&str> {
        if cluster.etcd.on_hosts {
            return Vec::new();
        }
        self.etcd_hosts()
    }

    /// Returns the hosts that run etcd as a service.
    pub fn etcd_hosts(&self) -> Vec<&str> {
        let hosts = self.members.iter().filter(|it| it.etcd_host);
        hosts.map(|it| it.name.as_str()).collect()
    }

    /// Returns the control planes and hosts of etcd that the inventory gives another address than they have in the cluster.
    pub fn moved_control_planes(&self, cluster: &ClusterSpec) -> Vec<Moved> {
        let control_planes = self.members.iter().filter(|it| it.control_plane);
        let is_only = control_planes.clone().count() == 1;
        let fixed = self.members.iter();
        let fixed = fixed.filter(|it| it.control_plane || it.etcd_host);
        let moved = fixed.filter_map(|member| {
            let (before, now) = (member.address?, cluster.host(&member.name)?.address?);
            (before != now).then(|| Moved {
                name: member.name.clone(),
                is_control_plane: member.control_plane,
                before,
                now,
                is_only: is_only && member.control_plane,
            })
        });
        moved.collect()
    }
}

/// A control plane or a host of etcd that the inventory gives another address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub name: String,
    pub is_control_plane: bool,
    pub before: IpAddr,
    pub now: IpAddr,
    /// The cluster has no other control plane.
    pub is_only: bool,
}

impl Member {
    fn of(host: &HostSpec) -> Self {
        let connection = &host.connection;
        let jump = |it: &JumpHost| Jump {
            user: it.user.clone(),
            host: it.host.clone(),
            port: it.port,
            private_key: it.private_key.clone(),
        };
        Self {
            name: host.name.clone(),
            address: host.address,
            control_plane: host.roles.control_plane,
            // The inventory may name it, and it may never have been one.
            etcd_host: false,
            etcd_only: !host.roles.is_node(),
            login: Login {
                local: connection.method == Method::Local,
                host: connection.host.clone(),
                port: connection.port,
                user: connection.user.clone(),
                private_key: connection.private_key.clone(),
                sudo: connection.escalation != Become::No,
                jump: connection.jumps().iter().map(jump).collect(),
                direct: connection.jump.as_ref().is_some_and(Vec::is_empty),
                configuration: connection.configuration.clone(),
            },
        }
    }

    /// Makes a host of it, as far as those need one who take it out of the cluster; all else is as on a host of the
    /// inventory.
    pub fn host(&self, like: &HostSpec, etcd_on_hosts: bool) -> HostSpec {
        let jump = |it: &Jump| JumpHost {
            user: it.user.clone(),
            host: it.host.clone(),
            port: it.port,
            private_key: it.private_key.clone(),
            password: None,
        };
        HostSpec {
            name: self.name.clone(),
            address: self.address,
            address_source: AddressSource::Inventory,
            access_address: self.address,
            roles: Roles {
                control_plane: self.control_plane,
                etcd: self.etcd_host || (self.control_plane && !etcd_on_hosts),
                worker: !self.control_plane && !self.etcd_only,
            },
            connection: Connection {
                method: if self.login.local {
                    Method::Local
                } else {
                    Method::Ssh
                },
                host: self.login.host.clone(),
                fallback: None,
                port: self.login.port,
                user: self.login.user.clone(),
                private_key: self.login.private_key.clone(),
                password: None,
                escalation: if self.login.sudo {
                    Become::Sudo
                } else {
                    Become::No
                },
                jump: (self.login.direct || !self.login.jump.is_empty())
                    .then(|| self.login.jump.iter().map(jump).collect()),
                configuration: self.login.configuration.clone(),
            },
            ..like.clone()
        }
    }
}

/// Fails for names of hosts that neither the inventory has nor the cluster.
pub fn require(project: &Project, names: &[String]) -> Result<(), Diagnostics> {
    let known = Members::load(&project.directory)?;
    let departed = known.map_or_else(Vec::new, |it| it.departed(&project.cluster));
    for name in names {
        if !departed.iter().any(|member| member.name == *name) {
            named_hosts::host(&project.cluster, name)?;
        }
    }
    Ok(())
}

/// Returns the cluster with members that the inventory doesn't have.
pub fn with(cluster: &ClusterSpec, members: &[Member]) -> ClusterSpec {
    let mut cluster = cluster.clone();
    if let Some(like) = cluster.hosts.first().cloned() {
        let on_hosts = cluster.etcd.on_hosts;
        let hosts = members.iter().map(|member| member.host(&like, on_hosts));
        cluster.hosts.extend(hosts);
    }
    cluster
}
