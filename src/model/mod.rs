//! The cluster that the user asked for, checked once and complete.
//!
//! [`ClusterSpec`] is built from an inventory by [`build`]; after that no stage looks at inventory
//! variables again, and no value is optional unless "not there" means something.

pub mod addons;
pub mod addresses;
pub mod cluster;
pub mod control_plane_settings;
pub mod defaults;
pub mod etcd;
mod groups;
pub mod host;
pub mod kubelet;
pub mod kubespray;
pub mod machine;
mod members;
pub mod names;
pub mod network;
pub mod proxy;
mod read;
pub mod registries;
mod unused;
mod validate;
pub mod version;
mod without_effect;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexSet;

pub use addons::{Addons, AddressPool, AddressRange, DefinedAddon, Ingress, MetalLb};
pub use addresses::{AddressSource, ReportedAddresses};
pub use cluster::{
    ApiProxy, ClusterSpec, ControlPlane, MachineDefaults, ManifestPath, Provider, join_port,
};
pub use control_plane_settings::{AuditLog, ControlPlaneSettings, Encryption};
pub use etcd::Etcd;
pub use host::{Become, Connection, HostSpec, JumpHost, Method, Roles, Taint};
pub use kubelet::Kubelet;
pub use machine::{ForwardedPort, MachineSpec, Protocol, SharedFolder};
pub use network::{Dns, Network, NetworkPlugin, ProxyMode};
pub use proxy::Proxy;
pub use read::{expand_home, jump_hosts};
pub use registries::{Login, Mirror, Registries, Registry};
pub use version::{VersionRequest, WantedVersion};

use crate::diagnostic::{Diagnostic, Diagnostics, SourceFile};
use crate::inventory::{Inventory, Vault};

/// A cluster, and what else is known of its inventory.
#[derive(Debug)]
pub struct Loaded {
    pub cluster: ClusterSpec,
    pub warnings: Diagnostics,
    /// The files that hosts and groups were read from.
    pub files: Vec<PathBuf>,
}

/// An inventory that may be wrong, and all that is to be said about it.
pub struct Findings {
    /// The files that hosts and groups were read from.
    pub files: Vec<PathBuf>,
    /// The files that only variables were read from.
    pub variable_files: Vec<PathBuf>,
    /// `None` if something is wrong with the inventory.
    pub cluster: Option<ClusterSpec>,
    /// Errors first, then warnings by weight.
    pub diagnostics: Diagnostics,
}

/// Reads an inventory, a file or a folder, and turns it into a checked cluster.
///
/// Returns warnings beside the cluster, or else everything that was found, errors first.
pub fn load(inventory: &Path) -> Result<(ClusterSpec, Diagnostics), Diagnostics> {
    let loaded = load_with(inventory, Vault::default())?;
    Ok((loaded.cluster, loaded.warnings))
}

/// Reads the same, with what opens its encrypted values.
pub fn load_with(inventory: &Path, vault: Vault) -> Result<Loaded, Diagnostics> {
    load_edited(inventory, &[], vault)
}

/// Reads the same with some of its files as they will be.
pub fn load_edited(
    inventory: &Path,
    edited: &[Arc<SourceFile>],
    vault: Vault,
) -> Result<Loaded, Diagnostics> {
    let findings = examine_edited(inventory, edited, vault);
    match findings.cluster {
        Some(cluster) => Ok(Loaded {
            cluster,
            warnings: findings.diagnostics,
            files: findings.files,
        }),
        None => Err(findings.diagnostics),
    }
}

/// Reads the same, and returns what there is whether it is right or wrong.
pub fn examine(path: &Path, vault: Vault) -> Findings {
    examine_edited(path, &[], vault)
}

fn examine_edited(path: &Path, edited: &[Arc<SourceFile>], vault: Vault) -> Findings {
    let (inventory, mut diagnostics) = match Inventory::load_edited(path, edited, vault) {
        Ok(loaded) => loaded,
        Err(diagnostics) => {
            return Findings {
                files: vec![path.to_owned()],
                variable_files: Vec::new(),
                cluster: None,
                diagnostics,
            };
        }
    };
    let cluster = match build(&inventory) {
        Ok((cluster, warnings)) => {
            diagnostics.extend(warnings);
            Some(cluster)
        }
        Err(errors) => {
            diagnostics.extend(errors);
            None
        }
    };
    let files: Vec<PathBuf> = inventory.files.iter().map(|it| it.path.clone()).collect();
    let mut findings = Findings {
        variable_files: variable_files(&inventory, &files),
        files,
        cluster,
        diagnostics,
    };
    findings.sort();
    findings
}

impl Findings {
    /// Puts errors first, then warnings by weight; those of one weight stay in their order.
    pub fn sort(&mut self) {
        self.diagnostics
            .sort_by_key(|diagnostic| (!diagnostic.is_error(), diagnostic.concern));
    }
}

/// Returns the files that variables stand in, each once, without the inventory's own.
fn variable_files(inventory: &Inventory, own: &[PathBuf]) -> Vec<PathBuf> {
    let hosts = inventory.hosts.values();
    let places = hosts
        .flat_map(|host| host.variables.values())
        .map(|entry| entry.key_location.path());
    let others = places.filter(|path| !own.iter().any(|own| own == path));
    let files: IndexSet<&Path> = others.collect();
    files.into_iter().map(Path::to_owned).collect()
}

/// Turns an inventory into a checked cluster.
///
/// Returns warnings beside the cluster, or else everything that was found, errors first.
pub fn build(inventory: &Inventory) -> Result<(ClusterSpec, Diagnostics), Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    groups::check(inventory, &mut diagnostics);
    let spec = read::cluster(inventory, &mut diagnostics);
    validate::check(&spec, &spec.places, &mut diagnostics);
    if spec.provider.is_some_and(Provider::makes_machines) {
        diagnostics.extend(spec.missing_addresses());
    }
    unused::report(inventory, &mut diagnostics);
    remove_repetitions(&mut diagnostics);
    if diagnostics.iter().any(Diagnostic::is_error) {
        diagnostics.sort_by_key(|diagnostic| !diagnostic.is_error());
        return Err(diagnostics);
    }
    Ok((spec, diagnostics))
}

/// A variable of a group is read once for each host; what is wrong with it is said once.
fn remove_repetitions(diagnostics: &mut Diagnostics) {
    let mut kept = Diagnostics::new();
    for diagnostic in diagnostics.drain(..) {
        let is_repetition = kept.iter().any(|other: &Diagnostic| {
            other.message == diagnostic.message && other.label == diagnostic.label
        });
        if !is_repetition {
            kept.push(diagnostic);
        }
    }
    *diagnostics = kept;
}
