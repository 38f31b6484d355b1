//! The cluster that the user asked for, checked once and complete.
//!
//! [`ClusterSpec`] is built from an inventory by [`build`]; after that no stage looks at inventory
//! variables again, and no value is optional unless "not there" means something.

pub mod addons;
pub mod cluster;
pub mod defaults;
mod groups;
pub mod host;
pub mod kubespray;
pub mod machine;
mod members;
pub mod names;
pub mod network;
mod read;
mod unused;
mod validate;
pub mod version;
mod without_effect;

use std::path::{Path, PathBuf};

pub use addons::{Addons, AddressRange, Ingress, MetalLb};
pub use cluster::{ClusterSpec, ControlPlane, MachineDefaults, Provider};
pub use host::{Become, Connection, HostSpec, JumpHost, Roles, Taint};
pub use machine::{ForwardedPort, MachineSpec, Protocol, SharedFolder};
pub use network::{Dns, Network, ProxyMode};
pub use version::{VersionRequest, WantedVersion};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::inventory::{Inventory, Vault};

/// A cluster, and what else is known of its inventory.
#[derive(Debug)]
pub struct Loaded {
    pub cluster: ClusterSpec,
    pub warnings: Diagnostics,
    /// The files that hosts and groups were read from.
    pub files: Vec<PathBuf>,
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
    let (inventory, mut diagnostics) = Inventory::load(inventory, vault)?;
    match build(&inventory) {
        Ok((cluster, warnings)) => {
            diagnostics.extend(warnings);
            Ok(Loaded {
                cluster,
                warnings: diagnostics,
                files: inventory
                    .files
                    .iter()
                    .map(|file| file.path.clone())
                    .collect(),
            })
        }
        Err(mut errors) => {
            errors.append(&mut diagnostics);
            Err(errors)
        }
    }
}

/// Turns an inventory into a checked cluster.
///
/// Returns warnings beside the cluster, or else everything that was found, errors first.
pub fn build(inventory: &Inventory) -> Result<(ClusterSpec, Diagnostics), Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    groups::check(inventory, &mut diagnostics);
    let (spec, places) = read::cluster(inventory, &mut diagnostics);
    validate::check(&spec, &places, &mut diagnostics);
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
