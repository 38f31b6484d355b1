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
pub mod names;
pub mod network;
mod read;
mod unused;
mod validate;
mod without_effect;

pub use addons::{Addons, AddressRange, Ingress, MetalLb};
pub use cluster::{ClusterSpec, ControlPlane, Provider};
pub use host::{Become, Connection, HostSpec, JumpHost, MachineSize, Roles, Taint};
pub use network::{Dns, Network, ProxyMode};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::inventory::Inventory;

/// Turns an inventory into a checked cluster.
///
/// Returns warnings beside the cluster, or else everything that was found, errors first.
pub fn build(inventory: &Inventory) -> Result<(ClusterSpec, Diagnostics), Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    groups::check(inventory, &mut diagnostics);
    let (spec, places) = read::cluster(inventory, &mut diagnostics);
    validate::check(&spec, &places, &mut diagnostics);
    unused::report(inventory, &mut diagnostics);
    if diagnostics.iter().any(Diagnostic::is_error) {
        diagnostics.sort_by_key(|diagnostic| !diagnostic.is_error());
        return Err(diagnostics);
    }
    Ok((spec, diagnostics))
}
