//! The content of an installation: what kinstall makes on this computer for a cluster.
//!
//! The steps themselves are data: `playbooks/*.yml` and `templates/*`. What they need and only the
//! controller may hold is made here, once per cluster, before any node is touched: so no node waits
//! for another one's certificate or token.

pub mod ingress_annotations;
pub mod kubeconfig;
pub mod pki;
pub mod secrets;

pub use secrets::ClusterSecrets;

#[cfg(test)]
mod tests;
