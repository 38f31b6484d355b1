//! The cluster that the user asked for, checked once and complete.
//!
//! [`ClusterSpec`] is built from an inventory by [`build`]; after that no stage looks at inventory
//! variables again, and no value is optional unless "not there" means something.

pub mod addons;
pub mod cluster;
pub mod host;
pub mod network;

pub use addons::{Addons, AddressRange, Ingress, MetalLb};
pub use cluster::{ClusterSpec, ControlPlane, Provider};
pub use host::{Become, Connection, HostSpec, MachineSize, Roles, Taint};
pub use network::{Dns, Network, ProxyMode};
