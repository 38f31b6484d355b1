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
mod without_effect;

use std::path::Path;

pub use addons::{Addons, AddressRange, Ingress, MetalLb};
pub use cluster::{ClusterSpec, ControlPlane, MachineDefaults, Provider};
pub use host::{Become, Connection, HostSpec, JumpHost, Roles, Taint};
pub use machine::{ForwardedPort, MachineSpec, Protocol, SharedFolder};
pub use network::{Dns, Network, ProxyMode};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::inventory::Inventory;

/// Reads an inventory file and turns it into a checked cluster.
///
/// Returns warnings beside the cluster, or else everything that was found, errors first.
pub fn load(inventory: &Path) -> Result<(ClusterSpec, Diagnostics), Diagnostics> {
    let (inventory, mut diagnostics) = Inventory::load(inventory)?;
    match build(&inventory) {
        Ok((spec, warnings)) => {
            diagnostics.extend(warnings);
            Ok((spec, diagnostics))
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
