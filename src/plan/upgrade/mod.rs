//! Upgrades: what runs now, by which hops it comes to the version that is wanted, and what speaks against that.
//! All of it is pure; the roll of one hop is the plan of [`crate::playbook::Action::Upgrade`].

pub mod findings;
pub mod path;
pub mod rollback;
pub mod running;

pub use path::{Hop, PathError, path};
pub use running::{ReleaseVersions, RunningNode, RunningVersions};

#[cfg(test)]
mod tests;
