//! The lab of a project: its machines, its keys, and how they are reached.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use ipnet::IpNet;

use super::project::Project;
use super::providers;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::{Become, Connection, HostSpec, Method, Provider as ProviderKind};
use crate::provision::{
    self, Forward, Lab, Machine, MachineChange, MachineState, Provider, ProviderError,
};
use crate::secret::Secret;
use crate::ssh::keys::KeyError;
use crate::ssh::{
    Jumps, KeyPair, KnownHosts, NewHostKey, Policy, SshConfiguration, Target, UserKeys,
};

/// User on machines that kinstall makes.
const LAB_USER: &str = "kinstall";

/// What happens to keys that aren't there yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// They are made and kept: for `up`.
    Make,
    /// Nothing is kept: for all that only looks.
    Read,
}

/// The machines of a cluster, made by kinstall or there already.
pub struct LabMachines {
    /// `None` for machines that kinstall doesn't make.
    made: Option<Made>,
    /// The key that logs in everywhere; `None` before the first `up`.
    identity: Option<KeyPair>,
    known_hosts: KnownHosts,
    user_keys: UserKeys,
    jumps: Jumps,
    /// The user's SSH configuration; `None` where there is none.
    configuration: Option<SshConfiguration>,
}

/// Machines that kinstall makes.
struct Made {
    provider: Arc<dyn Provider>,
    lab: Arc<Lab>,
}

impl LabMachines {
    /// Prepares keys and the description of the lab; starts nothing.
    pub fn of(project: &mut Project, access: Keys) -> Result<Self, Diagnostics> {
        let keys = project.directory.join("ssh");
        let identity = load_key(&keys.join("id_ed25519"), "kinstall", access)?;
        let provider = project.provider().filter(|it| it.makes_machines());
        let policy = match provider {
            Some(_) => Policy::Strict,
            None => Policy::AcceptNew,
        };
        let mut known_hosts = KnownHosts::new(keys.join("known_hosts"), policy);
        let Some(provider) = provider else {
            let folder = std::env::home_dir().map(|home| home.join(".ssh"));
            if let Some(folder) = &folder {
                known_hosts = known_hosts.trusting(folder.join("known_hosts"));
            }
            let is_configured = folder.is_some_and(|folder| folder.join("config").is_file());
            return Ok(Self {
                made: None,
                identity,
                known_hosts,
                user_keys: UserKeys::from_environment(),
                jumps: Jumps::default(),
                configuration: is_configured.then_some(SshConfiguration::OfUser),
            });
        };
        let public = identity.as_ref().map(|key| key.public.clone());
        let lab = describe(
            project,
            provider,
            public.unwrap_or_default(),
            &known_hosts,
            access,
        )?;
        let made = Some(Made {
            provider: providers::provider(provider)?.into(),
            lab: Arc::new(lab),
        });
        Ok(Self {
            made,
            identity,
            known_hosts,
            user_keys: UserKeys::default(),
            jumps: Jumps::default(),
            configuration: None,
        })
    }

    /// Returns the machines' provider and lab, where kinstall makes them.
    pub fn made(&self) -> Option<(&dyn Provider, &Lab)> {
        self.made.as_ref().map(|made| (&*made.provider, &*made.lab))
    }

    /// Returns the same, or says that kinstall can't do this to machines that it didn't make.
    pub fn require_made(&self, action: &str) -> Result<(&dyn Provider, &Lab), Diagnostics> {
        self.made().ok_or_else(|| {
            let message =
                format!("kinstall did not make these machines, so it can't {action} them");
            let error = Diagnostic::error(Kind::Environment, message);
            vec![error.hint("use the tool that made them; `kinstall ssh NODE` opens a shell there")]
        })
    }

    /// Returns the same, for other threads.
    pub fn shared(&self) -> Option<(Arc<dyn Provider>, Arc<Lab>)> {
        let made = self.made.as_ref()?;
        Some((Arc::clone(&made.provider), Arc::clone(&made.lab)))
    }

    /// Fails where kinstall is to make the machines and this computer can't run them.
    pub fn require_usable(provider: Option<ProviderKind>) -> Result<(), Diagnostics> {
        let Some(kind) = provider.filter(|it| it.makes_machines()) else {
            return Ok(());
        };
        let obstacles = providers::obstacles(kind);
        if obstacles.iter().any(Diagnostic::is_error) {
            return Err(obstacles);
        }
        Ok(())
    }

    /// Returns what each machine is doing, in the order of the hosts; `None` where kinstall doesn't make them.
    pub fn states(&self) -> Result<Option<Vec<MachineState>>, Diagnostics> {
        let Some((provider, lab)) = self.made() else {
            return Ok(None);
        };
        let observed = provider.observe(lab).map_err(|error| failed(&error))?;
        let states = observed.iter().map(|machine| machine.state);
        Ok(Some(states.take(lab.machines.len()).collect()))
    }

    /// Returns what would be done with the machines; nothing where kinstall doesn't make them.
    pub fn changes(&self) -> Result<Vec<MachineChange>, Diagnostics> {
        let Some((provider, lab)) = self.made() else {
            return Ok(Vec::new());
        };
        let observed = provider.observe(lab).map_err(|error| failed(&error))?;
        let changes = provision::plan::changes(lab, &observed);
        provider
            .check(lab, &changes)
            .map_err(|error| failed(&error))?;
        Ok(changes)
    }

    /// Returns the host keys that were accepted since the last call.
    pub fn take_new_host_keys(&self) -> Vec<NewHostKey> {
        self.known_hosts.take_accepted()
    }

    /// Returns the public line of the lab's key, where the user's machines are to know it.
    pub fn key_to_distribute(&self) -> Option<&str> {
        match &self.made {
            Some(_) => None,
            None => self.identity.as_ref().map(|key| key.public.as_str()),
        }
    }

    /// Returns how to log in to a host.
    pub fn target(&self, host: &HostSpec) -> Target {
        let Some(made) = &self.made else {
            return Target {
                name: host.name.clone(),
                connection: host.connection.clone(),
                known_hosts: self.known_hosts.clone(),
                identity: self.identity.clone(),
                user_keys: self.user_keys.clone(),
                jumps: self.jumps.clone(),
                configuration: match &host.connection.configuration {
                    Some(file) => Some(SshConfiguration::File(file.clone())),
                    None => self.configuration.clone(),
                },
                dial: None,
            };
        };
        let (provider, lab) = (Arc::clone(&made.provider), Arc::clone(&made.lab));
        Target {
            name: host.name.clone(),
            connection: Connection {
                method: Method::Ssh,
                fallback: None,
                host: host.address.map_or_else(String::new, |it| it.to_string()),
                port: None,
                user: Some(made.lab.user.clone()),
                private_key: None,
                password: None,
                escalation: Become::Sudo,
                jump: None,
                configuration: None,
            },
            configuration: None,
            known_hosts: self.known_hosts.clone(),
            identity: self.identity.clone(),
            user_keys: UserKeys::default(),
            jumps: Jumps::default(),
            dial: Some(Arc::new(move |address| provider.dial(&lab, address))),
        }
    }
}

fn describe(
    project: &mut Project,
    provider: ProviderKind,
    authorized_key: String,
    known_hosts: &KnownHosts,
    access: Keys,
) -> Result<Lab, Diagnostics> {
    let missing = project.cluster.missing_addresses();
    if !missing.is_empty() {
        return Err(missing);
    }
    let host_keys = project.directory.join("ssh/host-keys");
    let mut machines = Vec::new();
    let hosts = project.cluster.hosts.iter();
    for (host, address) in hosts.filter_map(|host| Some((host, host.address?))) {
        // Without a key the machine isn't there, and isn't made now.
        let key = load_key(&host_keys.join(&host.name), &host.name, access)?;
        if let (Some(key), Keys::Make) = (&key, access) {
            known_hosts
                .learn(&address.to_string(), 22, &key.public)
                .map_err(|error| vec![Diagnostic::from_error(Kind::Environment, &error)])?;
        }
        machines.push(Machine {
            name: host.name.clone(),
            address,
            spec: host.machine.clone(),
            host_key: key.map_or_else(|| Secret::new(""), |key| key.private),
        });
    }
    let listen = project.state.api_address();
    let port = project.cluster.control_plane.bind_port;
    let mut servers = project
        .cluster
        .control_planes()
        .filter_map(|host| Some(SocketAddr::new(host.address?, port)));
    let api = servers.next().map(|target| Forward {
        listen,
        target,
        alternatives: servers.collect(),
    });
    Ok(Lab {
        id: project.state.id.clone(),
        cluster: project.cluster.name.clone(),
        directory: project.state.machine_directory(provider),
        inventory_folder: project.folder().to_owned(),
        gateway: gateway(project.cluster.network.node_cidr),
        user: LAB_USER.to_owned(),
        authorized_key,
        machines,
        egress: project.cluster.egress,
        defaults: project.cluster.machines.clone(),
        forwards: api.into_iter().collect(),
    })
}

/// This computer's address in the lab: the first of the node network.
fn gateway(network: IpNet) -> IpNet {
    let first: Option<IpAddr> = network.hosts().next();
    first
        .and_then(|address| IpNet::new(address, network.prefix_len()).ok())
        .unwrap_or(network)
}

/// Reads a key; `None` where there is none and none may be made.
fn load_key(path: &Path, comment: &str, access: Keys) -> Result<Option<KeyPair>, Diagnostics> {
    if access == Keys::Read && !path.exists() {
        return Ok(None);
    }
    let key = KeyPair::load_or_generate(path, comment);
    key.map(Some).map_err(|error| {
        let diagnostic = Diagnostic::from_error(Kind::Environment, &error);
        vec![match error {
            KeyError::Unusable { .. } => diagnostic.hint(
                "put it back if there is a copy; else remove it, and `kinstall up` makes another \
                 one, which machines that kinstall made before don't know (`kinstall down` first)",
            ),
            _ => diagnostic,
        }]
    })
}

/// Turns a provider's error into a message.
pub fn failed(error: &ProviderError) -> Diagnostics {
    let diagnostic = Diagnostic::from_error(Kind::Environment, error);
    vec![match error {
        ProviderError::Obstacle { hints, .. } => hints
            .iter()
            .fold(diagnostic, |it, hint| it.hint(hint.clone())),
        _ => diagnostic,
    }]
}
