//! Brings a node to what resources say: the agent's side of `resource`, for Linux.
//!
//! [`Converge::probe`] reads the node, [`Converge::diff`] compares without touching anything,
//! [`Converge::apply`] makes the change and is the only code in kinstall that changes a node. The law,
//! tested for every resource: after `apply`, `probe` and `diff` find nothing; and `probe` and `diff`
//! alone change nothing.

pub mod absent;
pub mod absent_image;
pub mod absent_node;
pub mod absent_objects;
pub mod account;
mod api_servers;
pub mod archive;
pub mod block;
pub mod cancel;
mod certificates;
pub mod command;
pub mod directory;
pub mod disk;
pub mod dispatch;
pub mod download;
pub mod draft;
pub mod error;
pub mod etcd;
pub mod file;
pub mod file_state;
pub mod image;
mod image_listing;
pub mod kernel_module;
pub mod kubernetes;
pub mod link;
pub mod made;
pub mod manifests;
pub mod marker;
pub mod no_longer_wanted;
pub mod node;
pub mod node_object;
pub mod package;
pub mod pipes;
pub mod pod_addresses;
pub mod program;
pub mod registration;
pub mod remains;
mod removal;
pub mod rollout;
pub mod rollout_trouble;
pub mod stat_cache;
mod static_pods;
pub mod swap;
pub mod symlink;
pub mod sysctl;
pub mod sysctl_files;
pub mod tail;
pub mod unit;
pub mod wait;

pub use cancel::Cancel;
pub use error::ResourceError;
pub use link::Link;
pub use node::Node;

use crate::resource::Change;

/// How a resource is brought to the state that it describes.
pub trait Converge {
    /// What [`Converge::probe`] saw.
    type Observed;

    /// Reads the node; changes nothing.
    fn probe(&self, node: &Node) -> Result<Self::Observed, ResourceError>;

    /// Compares; pure.
    fn diff(&self, observed: &Self::Observed) -> Vec<Change>;

    /// Makes the changes that [`Converge::diff`] found; called with at least one.
    fn apply(&self, changes: &[Change], node: &mut Node) -> Result<(), ResourceError>;
}

#[cfg(test)]
mod law;
