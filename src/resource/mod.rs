//! What a node should look like: typed resources, as pure data.
//!
//! Plans are made of them and they travel to the agent, which brings its node to what they say: see
//! `converge`.

mod change;
mod cluster;
mod command;
pub mod command_line;
mod content;
mod control_plane;
mod from_nothing;
mod key;
mod made;
mod manifests;
mod membership;
mod path;
mod remains;
mod system;
mod wait;

use serde::{Deserialize, Serialize};

pub use change::{Action, Change};
pub use cluster::{AbsentImage, AbsentObjects, Image};
pub use command::{Command, CommandState, Guard, Input};
pub use content::{BlobRef, Content, Sha256};
pub use control_plane::{
    ControlPlaneChange, ControlPlaneChangeKind, EtcdLeaderElsewhere, EtcdMemberAbsent,
};
pub use made::{Made, NoLongerWanted, Thing};
pub use manifests::{Manifest, Manifests, ObjectName, Owner};
pub use membership::{AbsentNode, NodeObject, NodeTaint, PodAddresses, Registration};
pub use path::{Absent, Archive, Block, Directory, Download, File, Symlink};
pub use remains::Remains;
pub use system::{KernelModule, Package, Swap, Sysctl, Unit, UnitState};
pub use wait::{Condition, Wait};

/// One thing on a node. Variant names in snake case are the keys in playbooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resource {
    Absent(Absent),
    AbsentImage(AbsentImage),
    AbsentObjects(AbsentObjects),
    AbsentNode(AbsentNode),
    Archive(Archive),
    Block(Block),
    Command(Command),
    Directory(Directory),
    Download(Download),
    EtcdLeaderElsewhere(EtcdLeaderElsewhere),
    EtcdMemberAbsent(EtcdMemberAbsent),
    File(File),
    Image(Image),
    KernelModule(KernelModule),
    Manifests(Manifests),
    NoLongerWanted(NoLongerWanted),
    NodeObject(NodeObject),
    Package(Package),
    PodAddresses(PodAddresses),
    Registration(Registration),
    Remains(Remains),
    Swap(Swap),
    Symlink(Symlink),
    Sysctl(Sysctl),
    Unit(Unit),
    Wait(Wait),
}
