//! What a node should look like: typed resources, and the one law that they obey.
//!
//! A resource is pure data. [`Converge::probe`] reads the node, [`Converge::diff`] compares without
//! touching anything, [`Converge::apply`] makes the change and is the only code in kinstall that
//! changes a node. The law, tested for every resource: after `apply`, `probe` and `diff` find nothing;
//! and `probe` and `diff` alone change nothing.

pub mod change;
pub mod content;
pub mod error;
pub mod node;

use serde::{Deserialize, Serialize};

pub use change::{Action, Change};
pub use content::{BlobRef, Content, Sha256};
pub use error::ResourceError;
pub use node::Node;

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

/// A path that must not exist; folders go with their contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    pub path: String,
}

/// A tar archive (plain, gzip or zstd) unpacked into a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    pub source: BlobRef,
    /// Folder that receives the entries.
    pub path: String,
    /// Leading path components to drop.
    pub strip: u32,
}

/// Marked lines inside a file that belongs to somebody else (`/etc/hosts`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub path: String,
    /// Stands in the begin and end marks: `# BEGIN kinstall NAME`.
    pub name: String,
    /// The lines, without the marks.
    pub content: String,
}

/// A program that is run when its guard says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    pub argv: Vec<String>,
    pub environment: Vec<(String, String)>,
    pub guard: Guard,
    /// Files that exist only while the command runs (join tokens).
    pub inputs: Vec<Input>,
    /// Seconds before the command is stopped.
    pub timeout: u32,
    /// A critical command is finished even if the controller goes away.
    pub critical: bool,
    /// Run before a new attempt where an earlier one began and did not end well.
    pub recover: Option<Vec<String>>,
}

/// When a command need not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Guard {
    /// The agent remembers that this step once succeeded on this node.
    Once,
    /// This path exists.
    Creates(String),
    /// This command succeeds.
    Unless(Vec<String>),
    /// Only used by handlers: run whenever notified.
    Always,
}

/// A file for the lifetime of a command; mode 0600.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    pub path: String,
    pub content: Content,
}

/// A folder; parents are made as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    pub path: String,
    pub mode: u32,
    pub owner: Option<String>,
    pub group: Option<String>,
}

/// A file that the node itself downloads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Download {
    pub url: String,
    pub sha256: Sha256,
    pub path: String,
    pub mode: u32,
}

/// A whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub path: String,
    pub content: Content,
    pub mode: u32,
    pub owner: Option<String>,
    pub group: Option<String>,
    /// Command that must accept the new content before it takes its place; `%s` stands for its path.
    pub validate: Option<Vec<String>>,
}

/// A container image in containerd's `k8s.io` namespace, put together from content-addressed parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Full reference, `kinstall.local/etcd:v3.7.1`.
    pub name: String,
    /// Digest of the OCI image manifest: what containerd shows as the image's target.
    pub manifest: BlobRef,
    pub config: BlobRef,
    /// Layers in the order of the manifest (media type tar+zstd).
    pub layers: Vec<BlobRef>,
}

/// A kernel module, loaded now and at every boot; built into the kernel counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelModule {
    pub name: String,
}

/// Kubernetes objects, applied on the server's side with kinstall as the field manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifests {
    /// Name of the set (the component).
    pub name: String,
    /// One JSON document an object, in the order of application.
    pub objects: Vec<String>,
    /// Kubeconfig on the node that applies them.
    pub kubeconfig: String,
}

/// A package of the node's distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    pub name: String,
}

/// No swap: neither now nor after a boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap;

/// A symbolic link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symlink {
    pub path: String,
    pub target: String,
}

/// A kernel parameter, its value now and in `/etc/sysctl.d/90-kinstall.conf`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sysctl {
    pub key: String,
    pub value: String,
}

/// A systemd unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    pub name: String,
    /// `None` leaves it as it is.
    pub enabled: Option<bool>,
    pub state: UnitState,
}

/// What a unit should be doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnitState {
    Running,
    Stopped,
    /// Only used by handlers: (re)start it now, after a daemon-reload.
    Restarted,
    /// Left as it is.
    Any,
}

/// A condition that the node reaches by itself, polled on the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    pub condition: Condition,
    /// Seconds.
    pub timeout: u32,
}

/// What [`Wait`] waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// A TCP port accepts connections.
    Tcp { address: String, port: u16 },
    /// A GET answers 200; `ca` is a PEM file on the node.
    Https { url: String, ca: String },
    /// A unix socket accepts connections.
    UnixSocket(String),
    /// A path exists.
    Path(String),
    /// The Node object is Ready (with the manifests' kubeconfig).
    NodeReady { kubeconfig: String, name: String },
    /// A Deployment or DaemonSet has all its pods updated and available.
    RolledOut {
        kubeconfig: String,
        kind: String,
        namespace: String,
        name: String,
    },
}

impl Resource {
    /// Returns what this resource owns on a node; two resources of one host must not share it.
    pub fn key(&self) -> String {
        match self {
            Resource::Absent(it) => format!("path {}", it.path),
            Resource::Archive(it) => format!("archive {} {}", it.path, it.source.sha256),
            Resource::Block(it) => format!("block {} {}", it.path, it.name),
            Resource::Command(it) => format!("command {}", it.argv.join(" ")),
            Resource::Directory(it) => format!("path {}", it.path),
            Resource::Download(it) => format!("path {}", it.path),
            Resource::File(it) => format!("path {}", it.path),
            Resource::Image(it) => format!("image {}", it.name),
            Resource::KernelModule(it) => format!("kernel module {}", it.name),
            Resource::Manifests(it) => format!("manifests {}", it.name),
            Resource::Package(it) => format!("package {}", it.name),
            Resource::Swap(_) => "swap".to_owned(),
            Resource::Symlink(it) => format!("path {}", it.path),
            Resource::Sysctl(it) => format!("sysctl {}", it.key),
            Resource::Unit(it) => format!("unit {}", it.name),
            Resource::Wait(it) => format!("wait {:?}", it.condition),
        }
    }
}
