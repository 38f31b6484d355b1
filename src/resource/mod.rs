//! What a node should look like: typed resources, and the one law that they obey.
//!
//! A resource is pure data. [`Converge::probe`] reads the node, [`Converge::diff`] compares without
//! touching anything, [`Converge::apply`] makes the change and is the only code in kinstall that
//! changes a node. The law, tested for every resource: after `apply`, `probe` and `diff` find nothing;
//! and `probe` and `diff` alone change nothing.

pub mod absent;
pub mod account;
pub mod archive;
pub mod block;
pub mod cancel;
pub mod change;
pub mod command;
pub mod content;
pub mod directory;
pub mod disk;
pub mod dispatch;
pub mod download;
pub mod draft;
pub mod error;
pub mod file;
pub mod file_state;
pub mod image;
pub mod kernel_module;
pub mod kubernetes;
pub mod link;
pub mod manifests;
pub mod marker;
pub mod node;
pub mod package;
pub mod program;
pub mod stat_cache;
pub mod swap;
pub mod symlink;
pub mod sysctl;
pub mod tail;
pub mod unit;
pub mod wait;

use serde::{Deserialize, Serialize};

pub use absent::Absent;
pub use archive::Archive;
pub use block::Block;
pub use cancel::Cancel;
pub use change::{Action, Change};
pub use command::{Command, Guard, Input};
pub use content::{BlobRef, Content, Sha256};
pub use directory::Directory;
pub use download::Download;
pub use error::ResourceError;
pub use file::File;
pub use image::Image;
pub use kernel_module::KernelModule;
pub use link::Link;
pub use manifests::Manifests;
pub use node::Node;
pub use package::Package;
pub use swap::Swap;
pub use symlink::Symlink;
pub use sysctl::Sysctl;
pub use unit::{Unit, UnitState};
pub use wait::{Condition, Wait};

/// One thing on a node. Variant names in snake case are the keys in playbooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resource {
    Absent(Absent),
    Archive(Archive),
    Block(Block),
    Command(Command),
    Directory(Directory),
    Download(Download),
    File(File),
    Image(Image),
    KernelModule(KernelModule),
    Manifests(Manifests),
    Package(Package),
    Swap(Swap),
    Symlink(Symlink),
    Sysctl(Sysctl),
    Unit(Unit),
    Wait(Wait),
}

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
