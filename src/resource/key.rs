//! What a resource owns.

use super::{Resource, Thing};

impl Resource {
    /// Returns what this resource owns on a node; two resources of one host must not share it.
    pub fn key(&self) -> String {
        match self {
            Resource::Absent(it) => format!("path {}", it.path),
            Resource::AbsentImage(it) => format!("image {}", it.name),
            Resource::AbsentObjects(it) => format!("manifests {}", it.name),
            Resource::Archive(it) => format!("archive {} {}", it.path, it.source.sha256),
            Resource::Block(it) => format!("block {} {}", it.path, it.name),
            Resource::Command(it) => format!("command {}", it.argv.join(" ")),
            Resource::Directory(it) => format!("path {}", it.path),
            Resource::Download(it) => format!("path {}", it.path),
            Resource::EtcdLeaderElsewhere(it) => format!("etcd leader at {}", it.host),
            Resource::EtcdMemberAbsent(it) => format!("etcd member {}", it.host),
            Resource::File(it) => format!("path {}", it.path),
            Resource::Image(it) => format!("image {}", it.name),
            Resource::KernelModule(it) => format!("kernel module {}", it.name),
            Resource::Manifests(it) => format!("manifests {}", it.name),
            Resource::NoLongerWanted(it) => format!("no longer wanted {}", it.thing.key()),
            Resource::NodeObject(it) => format!("node {}", it.name),
            Resource::AbsentNode(it) => format!("absent node {}", it.name),
            Resource::PodAddresses(_) => "pod addresses".to_owned(),
            Resource::Registration(_) => "registration".to_owned(),
            Resource::Remains(_) => "remains".to_owned(),
            Resource::Package(it) => format!("package {}", it.name),
            Resource::Swap(_) => "swap".to_owned(),
            Resource::Symlink(it) => format!("path {}", it.path),
            Resource::Sysctl(it) => format!("sysctl {}", it.key),
            Resource::Unit(it) => format!("unit {}", it.name),
            Resource::Wait(it) => format!("wait {:?}", it.condition),
        }
    }
}

impl Thing {
    /// Returns the key of the resource that wants it.
    pub fn key(&self) -> String {
        match self {
            Thing::File(path) | Thing::Symlink(path) | Thing::Directory(path) => {
                format!("path {path}")
            }
            Thing::Block { path, name } => format!("block {path} {name}"),
            Thing::Sysctl(key) => format!("sysctl {key}"),
            Thing::KernelModule(name) => format!("kernel module {name}"),
        }
    }
}
