//! What every command starts from: the inventory's cluster and the folder with its state.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::state::LabState;
use crate::addon;
use crate::bundle::Release;
use crate::credentials::cluster_secrets::{ClusterSecrets, SecretsError};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, SourceFile};
use crate::inventory::Vault;
use crate::model::{self, ClusterSpec, NetworkPlugin, Provider, names};
use crate::private_file;

/// A cluster with the folder that kinstall keeps beside its inventory.
pub struct Project {
    pub cluster: ClusterSpec,
    /// What the inventory says that kinstall can't do; for the commands that act on it.
    pub warnings: Diagnostics,
    /// The inventory, a file or a folder, absolute.
    pub inventory: PathBuf,
    /// The files that hosts and groups were read from.
    pub files: Vec<PathBuf>,
    /// `.kinstall` beside the inventory: keys, known hosts, secrets, kubeconfig, journals.
    pub directory: PathBuf,
    pub state: LabState,
}

impl Project {
    /// Reads the inventory and the state; errors are returned all at once.
    pub fn load(path: &Path, vault: Vault) -> Result<Self, Diagnostics> {
        Self::load_edited(path, &[], vault)
    }

    /// Reads the same with some of the inventory's files as they will be.
    pub fn load_edited(
        path: &Path,
        edited: &[Arc<SourceFile>],
        vault: Vault,
    ) -> Result<Self, Diagnostics> {
        if !path.exists() {
            return Err(vec![no_inventory(path)]);
        }
        let model::Loaded {
            cluster,
            warnings,
            files,
        } = model::load_edited(path, edited, vault)?;
        let (absolute, directory) = places(path);
        let state = LabState::load(&directory, &absolute)?;
        let mut project = Self {
            cluster: cluster.with_addresses(&state.addresses),
            warnings,
            files,
            inventory: absolute,
            directory,
            state,
        };
        project.settle();
        Ok(project)
    }

    /// Returns the folder that holds the inventory.
    pub fn folder(&self) -> &Path {
        self.directory.parent().unwrap_or(Path::new("/"))
    }

    /// Keeps what later commands have to know: who made the machines, which addresses they have, and what connects the
    /// pods; not before hosts that run agree with that.
    pub fn save_state(
        &self,
        cluster: &ClusterSpec,
        plugin: Option<NetworkPlugin>,
    ) -> Result<(), Diagnostics> {
        let mut state = self.state.clone();
        state.addresses = cluster.learned_addresses();
        state.provider = state.provider.or(Some(Provider::Existing));
        state.network_plugin = plugin;
        state.save(&self.directory)
    }

    /// Takes the lock that keeps two runs on the same lab apart; it is free again when dropped.
    pub fn lock(&self) -> Result<File, Diagnostics> {
        let path = self.directory.join("lock");
        let open = || -> io::Result<File> {
            private_file::create_folder(&self.directory)?;
            File::options().create(true).append(true).open(&path)
        };
        let file = open().map_err(|error| {
            let message = format!("failed to open `{}`: {error}", path.display());
            vec![Diagnostic::error(Kind::Environment, message)]
        })?;
        file.try_lock().map_err(|error| {
            let path = path.display();
            vec![match error {
                TryLockError::WouldBlock => {
                    Diagnostic::error(Kind::Locked, "another kinstall works on this lab")
                        .hint(format!("wait until it is done: it holds the lock `{path}`"))
                }
                TryLockError::Error(error) => {
                    let message = format!("failed to lock `{path}`: {error}");
                    Diagnostic::error(Kind::Environment, message)
                }
            }]
        })?;
        Ok(file)
    }

    /// Fails when no `up` has been run for this inventory yet.
    pub fn require_lab(&self) -> Result<(), Diagnostics> {
        if LabState::is_saved(&self.directory) {
            return Ok(());
        }
        let error = Diagnostic::error(Kind::Environment, "this inventory has no lab yet");
        Err(vec![error.hint("`kinstall up` makes it")])
    }

    /// Returns the cluster's secrets, made and kept the first time.
    pub fn secrets(&self) -> Result<ClusterSecrets, Diagnostics> {
        ClusterSecrets::load_or_make(&self.directory, SystemTime::now())
            .map_err(|error| vec![no_secrets(&error)])
    }

    /// Keeps other secrets of the same cluster, such as keys that were found on its nodes; for those who hold the lab's
    /// lock.
    pub fn keep_secrets(&self, secrets: &ClusterSecrets) -> Result<(), Diagnostics> {
        if *secrets == self.secrets()? {
            return Ok(());
        }
        let kept = secrets.replace(&self.directory);
        kept.map_err(|error| vec![no_secrets(&error)])
    }

    /// Returns the same for a plan that is only shown: where there are none yet, some stand for them, and are not kept.
    pub fn secrets_to_look_at(&self) -> Result<ClusterSecrets, Diagnostics> {
        if ClusterSecrets::are_kept(&self.directory) {
            return self.secrets();
        }
        ClusterSecrets::make(SystemTime::now()).map_err(|error| vec![no_secrets(&error)])
    }

    /// Returns the URLs that lead from this computer to an API server; one is enough.
    pub fn api_urls(&mut self) -> Vec<String> {
        let servers = if self.provider().is_some_and(Provider::has_own_network) {
            vec![self.state.api_address().to_string()]
        } else {
            self.cluster.api_servers()
        };
        let urls = servers.iter().map(|server| format!("https://{server}"));
        urls.collect()
    }

    /// Decides who makes the machines: the user's choice, else the inventory's. A lab keeps the
    /// provider that it was made with.
    pub fn choose_provider(&mut self, choice: Option<Provider>) -> Result<(), Diagnostics> {
        if let (Some(chosen), Some(written)) = (choice, self.cluster.provider)
            && chosen != written
        {
            let (chosen, written) = (chosen.name(), written.name());
            let message = format!(
                "`--provider {chosen}` contradicts the inventory, which says `kinstall_provider: {written}`"
            );
            let error = Diagnostic::error(Kind::Inventory, message);
            return Err(vec![
                error.hint("leave the option out, or change the inventory"),
            ]);
        }
        let provider = choice.or(self.cluster.provider);
        if let (Some(before), Some(now)) = (self.state.provider, provider)
            && before != now
        {
            let message = format!(
                "this lab has provider `{}`, it can't become `{}`",
                before.name(),
                now.name()
            );
            let hint = match before {
                _ if before.makes_machines() => {
                    "`kinstall down` removes its machines first".to_owned()
                }
                _ => format!(
                    "to start over with other machines, remove `{}`",
                    self.directory.display()
                ),
            };
            return Err(vec![Diagnostic::error(Kind::Inventory, message).hint(hint)]);
        }
        self.state.provider = self.state.provider.or(provider);
        self.settle();
        if self.state.provider == Some(Provider::Container) {
            self.check_container_names()?;
        }
        Ok(())
    }

    /// Decides what the inventory leaves to who makes the machines.
    fn settle(&mut self) {
        let makes_machines = self.provider().is_some_and(Provider::makes_machines);
        self.cluster.addons.settle(makes_machines);
        if let Some(plugin) = self.state.network_plugin {
            self.cluster.network.settle(plugin);
        }
    }

    /// Decides for the plugin of the pod network where the inventory leaves it open and there is no cluster yet; says it
    /// where policies will have no effect.
    pub fn settle_network(&mut self, release: &Release) -> Option<Diagnostic> {
        let network = &mut self.cluster.network;
        if !network.is_plugin_open || self.state.network_plugin.is_some() {
            return None;
        }
        let cilium = NetworkPlugin::Cilium;
        if release.components.contains_key(cilium.name()) {
            network.settle(cilium);
            return None;
        }
        let message = "flannel connects the pods, as the bundle has no cilium: NetworkPolicy objects have no effect";
        let hint =
            "`kinstall bundle build INVENTORY` builds it; it can't take flannel's place later";
        Some(Diagnostic::warning(message).hint(hint))
    }

    /// Returns the add-ons that the inventory leaves out, whoever makes the machines.
    pub fn unwanted_addons(&self) -> Vec<String> {
        let mut cluster = self.cluster.clone();
        cluster.addons.settle(true);
        if self.state.network_plugin.is_none() {
            cluster.network.settle(NetworkPlugin::Cilium);
        }
        let unwanted = addon::all().iter().filter(|it| !cluster.has(it));
        unwanted.map(|it| it.name.clone()).collect()
    }

    /// The inventory's own provider was held against the names before.
    fn check_container_names(&self) -> Result<(), Diagnostics> {
        let hosts = self.cluster.hosts.iter();
        let errors: Diagnostics = hosts
            .filter_map(|host| names::container_fault(&host.name))
            .map(|(message, hint)| Diagnostic::error(Kind::Inventory, message).hint(hint))
            .collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    /// Returns who makes the machines: what `up` was told, else the inventory.
    pub fn provider(&self) -> Option<Provider> {
        self.state.provider.or(self.cluster.provider)
    }
}

/// Returns the folder `.kinstall` of an inventory, without reading the inventory.
pub fn state_folder(inventory: &Path) -> Result<PathBuf, Diagnostics> {
    if !inventory.exists() {
        return Err(vec![no_inventory(inventory)]);
    }
    Ok(places(inventory).1)
}

/// Returns an inventory's absolute path, and the folder that kinstall keeps beside it.
fn places(inventory: &Path) -> (PathBuf, PathBuf) {
    let absolute = dunce::canonicalize(inventory).unwrap_or_else(|_| inventory.to_owned());
    let directory = inventory_folder(&absolute).join(".kinstall");
    (absolute, directory)
}

/// Returns the folder that holds an inventory, or is it.
pub(super) fn inventory_folder(inventory: &Path) -> PathBuf {
    let absolute = dunce::canonicalize(inventory).unwrap_or_else(|_| inventory.to_owned());
    match absolute.parent() {
        Some(parent) if !absolute.is_dir() => parent.to_owned(),
        _ => absolute,
    }
}

/// Returns the add-ons that a bundle for no inventory in particular doesn't have.
pub fn addons_on_demand() -> Vec<String> {
    let addons = addon::all().iter().filter(|it| it.is_built_on_demand);
    addons.map(|it| it.name.clone()).collect()
}

/// Says that there is no inventory, and how to name one.
pub fn no_inventory(path: &Path) -> Diagnostic {
    let message = format!("there is no inventory `{}`", path.display());
    Diagnostic::error(Kind::Inventory, message)
        .hint("name it: `kinstall -i FILE …`; inventory/lab/inventory.ini is an example")
}

/// Says why there are no secrets.
pub(super) fn no_secrets(error: &SecretsError) -> Diagnostic {
    let diagnostic = Diagnostic::from_error(Kind::Environment, error);
    match error {
        SecretsError::Malformed { .. } => diagnostic.hint(
            "put it back from a copy: these are the keys of the cluster that was made with them; without them, only a \
             new cluster can be made",
        ),
        SecretsError::Format { source, .. } => {
            (source.hint().into_iter()).fold(diagnostic, Diagnostic::hint)
        }
        _ => diagnostic,
    }
}
