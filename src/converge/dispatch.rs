//! From the enum to the one implementation that knows the kind.

use super::{Converge, Node, ResourceError};
use crate::resource::{Change, Resource};

/// Calls `$call` with the variant's content.
macro_rules! each {
    ($resource:expr, $it:ident => $call:expr) => {
        match $resource {
            Resource::Absent($it) => $call,
            Resource::AbsentImage($it) => $call,
            Resource::AbsentObjects($it) => $call,
            Resource::AbsentNode($it) => $call,
            Resource::Archive($it) => $call,
            Resource::Block($it) => $call,
            Resource::Command($it) => $call,
            Resource::Directory($it) => $call,
            Resource::Download($it) => $call,
            Resource::EtcdLeaderElsewhere($it) => $call,
            Resource::EtcdMemberAbsent($it) => $call,
            Resource::File($it) => $call,
            Resource::Image($it) => $call,
            Resource::KernelModule($it) => $call,
            Resource::Manifests($it) => $call,
            Resource::NoLongerWanted($it) => $call,
            Resource::NodeObject($it) => $call,
            Resource::Package($it) => $call,
            Resource::PodAddresses($it) => $call,
            Resource::Registration($it) => $call,
            Resource::Remains($it) => $call,
            Resource::Swap($it) => $call,
            Resource::Symlink($it) => $call,
            Resource::Sysctl($it) => $call,
            Resource::Unit($it) => $call,
            Resource::Wait($it) => $call,
        }
    };
}

impl Resource {
    /// Returns what would have to change; changes nothing.
    pub fn check(&self, node: &Node) -> Result<Vec<Change>, ResourceError> {
        fn check<R: Converge>(resource: &R, node: &Node) -> Result<Vec<Change>, ResourceError> {
            Ok(resource.diff(&resource.probe(node)?))
        }
        each!(self, it => check(it, node))
    }

    /// Makes the changes that [`Resource::check`] found.
    pub fn apply(&self, changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        each!(self, it => it.apply(changes, node))?;
        node.forget_after(self);
        Ok(())
    }
}
