//! The lab of a project: its machines, its keys, and how they are reached.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;

use super::project::Project;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::{Become, Connection, HostSpec, Provider as ProviderKind};
use crate::provision::container::ContainerProvider;
use crate::provision::{Forward, Lab, Machine, MachineState, Provider};
use crate::ssh::{Jumps, KeyPair, KnownHosts, Policy, Target, UserKeys};

/// User on machines that kinstall makes.
const LAB_USER: &str = "kinstall";

/// The machines of a cluster, made by kinstall or there already.
pub struct LabMachines {
    /// `None` for machines that kinstall doesn't make.
    made: Option<Made>,
    identity: KeyPair,
    known_hosts: KnownHosts,
    user_keys: UserKeys,
    jumps: Jumps,
}

/// Machines that kinstall makes.
struct Made {
    provider: Arc<ContainerProvider>,
    lab: Arc<Lab>,
}

impl LabMachines {
    /// Prepares keys and the description of the lab; starts nothing.
    pub fn of(project: &mut Project) -> Result<Self, Diagnostics> {
        let keys = project.directory.join("ssh");
        let identity = load_key(&keys.join("id_ed25519"), "kinstall")?;
        let policy = match project.provider() {
            Some(ProviderKind::Container) => Policy::Strict,
            _ => Policy::AcceptNew,
        };
        let mut known_hosts = KnownHosts::new(keys.join("known_hosts"), policy);
        if project.provider() != Some(ProviderKind::Container) {
            if let Some(home) = std::env::home_dir() {
                known_hosts = known_hosts.trusting(home.join(".ssh/known_hosts"));
            }
            return Ok(Self {
                made: None,
                identity,
                known_hosts,
                user_keys: UserKeys::from_environment(),
                jumps: Jumps::default(),
            });
        }
        let lab = describe(project, &keys, &identity, &known_hosts)?;
        let made = Some(Made {
            provider: Arc::new(container_provider()?),
            lab: Arc::new(lab),
        });
        Ok(Self {
            made,
            identity,
            known_hosts,
            user_keys: UserKeys::default(),
            jumps: Jumps::default(),
        })
    }

    /// Returns the machines' provider and lab, where kinstall makes them.
    pub fn made(&self) -> Option<(&ContainerProvider, &Lab)> {
        self.made.as_ref().map(|made| (&*made.provider, &*made.lab))
    }

    /// Returns why kinstall can't make machines on this computer; empty if it can.
    pub fn container_obstacles() -> Diagnostics {
        container_provider().map_or_else(|errors| errors, |provider| provider.obstacles())
    }

    /// Returns what each machine is doing, in the order of the hosts; `None` where kinstall doesn't make them.
    pub fn states(&self) -> Result<Option<Vec<MachineState>>, Diagnostics> {
        let Some((provider, lab)) = self.made() else {
            return Ok(None);
        };
        provider
            .states(lab)
            .map(Some)
            .map_err(|error| failed(&error))
    }

    /// Makes and starts what is missing; only where kinstall makes the machines.
    pub fn up(&self, report: &(dyn Fn(&str, &str) + Sync)) -> Result<(), Diagnostics> {
        let Some((provider, lab)) = self.made() else {
            return Ok(());
        };
        let obstacles = provider.obstacles();
        if obstacles.iter().any(Diagnostic::is_error) {
            return Err(obstacles);
        }
        provider.up(lab, report).map_err(|error| failed(&error))
    }

    /// Returns how to log in to a host.
    pub fn target(&self, host: &HostSpec) -> Target {
        let Some(made) = &self.made else {
            return Target {
                name: host.name.clone(),
                connection: host.connection.clone(),
                known_hosts: self.known_hosts.clone(),
                identity: Some(self.identity.clone()),
                user_keys: self.user_keys.clone(),
                jumps: self.jumps.clone(),
                dial: None,
            };
        };
        let (provider, lab) = (Arc::clone(&made.provider), Arc::clone(&made.lab));
        Target {
            name: host.name.clone(),
            connection: Connection {
                host: host.address.to_string(),
                port: 22,
                user: Some(made.lab.user.clone()),
                private_key: None,
                password: None,
                escalation: Become::Sudo,
                jump: Vec::new(),
            },
            known_hosts: self.known_hosts.clone(),
            identity: Some(self.identity.clone()),
            user_keys: UserKeys::default(),
            jumps: Jumps::default(),
            dial: Some(Arc::new(move |address| provider.dial(&lab, address))),
        }
    }
}

fn describe(
    project: &mut Project,
    keys: &Path,
    identity: &KeyPair,
    known_hosts: &KnownHosts,
) -> Result<Lab, Diagnostics> {
    let mut machines = Vec::new();
    for host in &project.cluster.hosts {
        let key = load_key(&keys.join("host-keys").join(&host.name), &host.name)?;
        known_hosts
            .learn(&host.address.to_string(), 22, &key.public)
            .map_err(|error| vec![Diagnostic::from_error(Kind::Environment, &error)])?;
        machines.push(Machine {
            name: host.name.clone(),
            address: host.address,
            cpus: host.machine.cpus,
            memory_mib: host.machine.memory_mib,
            host_key: key.private,
        });
    }
    let listen = project.state.api_address();
    let api = project
        .cluster
        .control_planes()
        .next()
        .map(|host| SocketAddr::new(host.address, project.cluster.control_plane.bind_port));
    Ok(Lab {
        id: project.state.id.clone(),
        directory: project.state.machine_directory(),
        gateway: gateway(project.cluster.network.node_cidr),
        user: LAB_USER.to_owned(),
        authorized_key: identity.public.clone(),
        machines,
        forwards: api
            .map(|target| Forward { listen, target })
            .into_iter()
            .collect(),
    })
}

fn container_provider() -> Result<ContainerProvider, Diagnostics> {
    let program = std::env::current_exe().map_err(|error| {
        vec![Diagnostic::error(
            Kind::Environment,
            format!("failed to find this program: {error}"),
        )]
    })?;
    // Machines and their base image are root's, whoever calls.
    let cache = PathBuf::from("/var/cache/kinstall");
    Ok(ContainerProvider {
        cache,
        program,
        mirror: None,
    })
}

/// This computer's address in the lab: the first of the node network.
fn gateway(network: IpNet) -> IpNet {
    let first: Option<IpAddr> = network.hosts().next();
    first
        .and_then(|address| IpNet::new(address, network.prefix_len()).ok())
        .unwrap_or(network)
}

fn load_key(path: &Path, comment: &str) -> Result<KeyPair, Diagnostics> {
    KeyPair::load_or_generate(path, comment)
        .map_err(|error| vec![Diagnostic::from_error(Kind::Environment, &error)])
}

/// Turns a provider's error into a message.
pub fn failed(error: &crate::provision::ProviderError) -> Diagnostics {
    vec![Diagnostic::from_error(Kind::Environment, error)]
}
