//! What a playbook file may say.
//!
//! Every [`Text`] is a template: `{{ cluster.name }}` in it is replaced when the playbook is expanded for a host, and a name
//! that isn't there is an error. `when` and `for_each` are bare expressions, without braces. Templates see:
//!
//! - `cluster`: [`crate::model::ClusterSpec`], and with it `cluster.control_planes` and `cluster.workers`
//!   (hosts), `cluster.control_plane.endpoint` (`address:port`), `cluster.network.api_service_address`,
//!   `cluster.network.dns_service_address`, `cluster.network.registry_service_address`, `cluster.registries.names`, `cluster.proxy` (`variables`, `exceptions`);
//! - `host`: [`crate::model::HostSpec`], and with it `host.facts` ([`crate::wire::Facts`]; not there for a host
//!   that didn't answer) and `host.is_taken_over` (the user gave this machine of another cluster away), in an upgrade `host.is_upgraded` (it runs all of the
//!   release already);
//! - `versions`: component name to version, from the bundle;
//! - `bundle`: what it says about its parts: `bundle.programs` (`program`, `path`) and `bundle.links`
//!   (`path`, `target`) of every node, `bundle.images` and `bundle.control_plane_images` (short names);
//! - `component`: the playbook's;
//! - `item`: the current one of `for_each`;
//! - `secrets`: name to text; only in a `file` or `template` marked `secret: true` and in the inputs of a command;
//! - `image(name="etcd")`: full reference of an image of the bundle;
//! - filters: Tera's own, `b64encode`, `to_json`, `to_yaml`.

use indexmap::IndexMap;
use serde::Deserialize;

use super::phase::PhaseName;
pub use super::schema_of_conditions::{
    AnotherApiServer, ControlPlaneBears, Https, NodeReady, RolledOut, Tcp,
};
pub use super::schema_of_nodes::{
    AbsentNode, EtcdLeaderElsewhere, EtcdMemberAbsent, NodeObject, PodAddresses, Registration,
    Remains,
};
use crate::yaml::Spanned;

/// A string that is a template.
pub type Text = Spanned<String>;

/// One file of `playbooks/`: one component in one phase.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Playbook {
    /// What is being installed; the first half of step ids. Several files may share it, each in another
    /// phase or on other hosts.
    pub component: Text,
    pub phase: PhaseName,
    /// The phase of an upgrade that it runs in, where that is not the same. (Of the playbooks of `up`, an upgrade runs
    /// those of the phases `prepare`, `add-ons`, `manifests` and `verify`.)
    pub upgrade_phase: Option<PhaseName>,
    /// The phase of a rotation of authorities that it runs in; without one it doesn't.
    pub authorities_phase: Option<PhaseName>,
    /// The hosts that the steps run on, each for itself; the nodes of Kubernetes by default. Not together with `on`.
    pub hosts: Option<Hosts>,
    /// The one host that the steps run on: for what concerns the cluster, or other hosts.
    pub on: Option<On>,
    /// Only with `on`: the steps are there once for each of these hosts, and `host` is that host, not the one
    /// that the steps run on. Step names get it added: `drain[node2]`.
    pub for_each_host: Option<Hosts>,
    /// Components of the same phase whose steps come before this one's.
    #[serde(default)]
    pub after: Vec<Text>,
    /// Expression; where it is false, the host gets nothing of this file. With `on`, the objects of its
    /// `manifests` that kinstall made are removed then: so their templates should render without the settings
    /// that switch them on.
    pub when: Option<Text>,
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Only `wait` steps; they run in the phase `verify`, after everything else on all hosts.
    #[serde(default)]
    pub checks: Vec<Step>,
    #[serde(default)]
    pub handlers: Vec<Handler>,
}

/// Some hosts of the inventory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hosts {
    /// The nodes of Kubernetes: all but those that only run etcd.
    #[default]
    Nodes,
    All,
    ControlPlanes,
    /// The control plane that the cluster began with; while there is no cluster, the first of the inventory.
    InitialControlPlane,
    /// All control planes but that one.
    JoiningControlPlanes,
    Workers,
    /// Those with a member of etcd: the control planes, or those that have it as a service.
    EtcdHosts,
    /// The hosts that are taken out of the cluster, those that don't answer as well.
    Leaving,
}

/// One host, chosen by what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// A control plane that is ready, the first such one of the inventory. Where none is, one that is set up;
    /// while there is no cluster, the initial one.
    ControlPlane,
    /// Where etcd is on hosts, one of its members; the host on which it begins while there is none.
    EtcdHost,
}

/// One resource, or several of a kind; exactly one of the keys from `absent` on is set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Second half of the step's id; unique in its component. With `for_each`, a name without `{{ }}` is
    /// numbered: `name[0]`.
    pub name: Text,
    /// Expression; where it is false, there is no such step.
    pub when: Option<Text>,
    /// Expression that gives an array: one step for each `item`.
    pub for_each: Option<Text>,
    /// Handlers of this component (`restart`) or of another one (`containerd/restart`).
    #[serde(default)]
    pub notify: Vec<Text>,

    pub absent: Option<Absent>,
    pub absent_node: Option<AbsentNode>,
    pub archive: Option<Archive>,
    pub block: Option<Block>,
    pub command: Option<Command>,
    pub directory: Option<Directory>,
    pub download: Option<Download>,
    pub etcd_leader_elsewhere: Option<EtcdLeaderElsewhere>,
    pub etcd_member_absent: Option<EtcdMemberAbsent>,
    pub file: Option<File>,
    /// Short names of images in the bundle; one step for each, `name[pause]` where there are several.
    pub images: Option<Vec<Text>>,
    pub kernel_module: Option<KernelModule>,
    pub manifests: Option<Manifests>,
    pub node_object: Option<NodeObject>,
    pub package: Option<Package>,
    pub pod_addresses: Option<PodAddresses>,
    pub registration: Option<Registration>,
    pub remains: Option<Remains>,
    pub swap: Option<Swap>,
    pub symlink: Option<Symlink>,
    pub sysctl: Option<Sysctl>,
    pub template: Option<Template>,
    pub unit: Option<Unit>,
    pub wait: Option<Wait>,
}

/// A resource that is applied once at the end of the phase when a step that names it in `notify` changed
/// something; handlers run in the order of this list. Exactly one resource key is set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handler {
    pub name: Text,
    /// Needs no guard, and has no inputs.
    pub command: Option<Command>,
    pub unit: Option<Unit>,
    pub wait: Option<Wait>,
}

/// Nothing at this path.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absent {
    pub path: Text,
}

/// A tar archive of the bundle (one of its `files`), unpacked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Name of the file in the bundle.
    pub source: Text,
    pub path: Text,
    /// Leading path components to drop.
    #[serde(default)]
    pub strip: u32,
}

/// Marked lines in somebody else's file; exactly one of `content` and `template`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    pub path: Text,
    /// Stands in the marks.
    pub name: Text,
    pub content: Option<Text>,
    /// File in `templates/`.
    pub template: Option<Text>,
}

/// A program with its guard: exactly one of `once`, `creates`, `unless`, `object`, `while_object`, `valid_kubeconfig` and
/// `valid_certificates` (none in a handler).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    pub argv: Vec<Text>,
    #[serde(default)]
    pub environment: IndexMap<String, Text>,
    /// The agent remembers that it once succeeded.
    #[serde(default)]
    pub once: bool,
    /// Path that exists when it has been done.
    pub creates: Option<Text>,
    /// Command that succeeds when it has been done.
    pub unless: Option<Vec<Text>>,
    /// Path of an object on the API server that exists when it has been done: `/api/v1/namespaces/x`; asked with
    /// `/etc/kubernetes/admin.conf`.
    pub object: Option<Text>,
    /// Path of an object on the API server that is gone when it has been done; asked in the same way.
    pub while_object: Option<Text>,
    /// Kubeconfig that is there, with a certificate that has not expired, when it has been done.
    pub valid_kubeconfig: Option<Text>,
    /// Certificates that are all valid for some days more when it has been done.
    pub valid_certificates: Option<ValidCertificates>,
    /// With the last two: files of authorities (PEM). The certificates must be of those that sign, the first of each file.
    #[serde(default)]
    pub signed_by: Vec<Text>,
    /// With `once`: paths of what it makes. Where all of them are gone, it was undone and is done again.
    #[serde(default)]
    pub leaves: Vec<Text>,
    /// Run first, with the inputs; makes nothing, so what it refuses is left as it is.
    pub preflight: Option<Vec<Text>>,
    /// Files that exist (mode 0600) only while it runs; they may use `secrets`.
    #[serde(default)]
    pub inputs: Vec<Input>,
    /// `30s`, `5m`, `1h`; 5 minutes by default.
    pub timeout: Option<Text>,
    /// Finished even if the controller goes away.
    #[serde(default)]
    pub critical: bool,
    /// Run before a new attempt where an earlier one did not end well, or was undone.
    pub recover: Option<Vec<Text>>,
}

/// Certificates in PEM, or kubeconfigs with one (`.conf`). Files that aren't there don't count.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidCertificates {
    pub paths: Vec<Text>,
    /// How many days more they must be valid.
    #[serde(default)]
    pub days: u32,
}

/// A file for the lifetime of a command; exactly one of `content` and `template`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub path: Text,
    pub content: Option<Text>,
    pub template: Option<Text>,
}

/// A folder, mode 0755 by default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    pub path: Text,
    pub mode: Option<Text>,
    pub owner: Option<Text>,
    pub group: Option<Text>,
}

/// A file that the node downloads itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Download {
    pub url: Text,
    pub sha256: Text,
    pub path: Text,
    pub mode: Option<Text>,
}

/// A whole file; exactly one of `content` and `program`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub path: Text,
    pub content: Option<Text>,
    /// Program of the bundle: `containerd/ctr`, or `ctr` where there is only one.
    pub program: Option<Text>,
    /// 0644 by default, 0755 for a program, 0600 where `secret`.
    pub mode: Option<Text>,
    pub owner: Option<Text>,
    pub group: Option<Text>,
    /// The content may use `secrets` and is never shown.
    #[serde(default)]
    pub secret: bool,
}

/// A kernel module, now and at every boot.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KernelModule {
    pub name: Text,
}

/// Kubernetes objects, applied on the server's side: those of `files`, then those of `template`; or those of the user.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifests {
    /// File in `templates/`; several YAML documents.
    pub template: Option<Text>,
    /// YAML files in the bundle, or folders of them (`manifests/metallb/`); taken as they are.
    #[serde(default)]
    pub files: Vec<Text>,
    /// The user's own, in place of the other two; once in a plan. Those of an earlier `up` go.
    #[serde(default)]
    pub of_user: bool,
    /// `/etc/kubernetes/admin.conf` by default.
    pub kubeconfig: Option<Text>,
}

/// A package of the node's distribution.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    pub name: Text,
}

/// No swap, written `swap: {}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Swap {}

/// A symbolic link.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Symlink {
    pub path: Text,
    pub target: Text,
}

/// A kernel parameter.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sysctl {
    pub key: Text,
    pub value: Text,
}

/// A file made from a template; it reaches the node as a whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// File in `templates/`.
    pub source: Text,
    pub path: Text,
    /// 0644 by default, 0600 where `secret`.
    pub mode: Option<Text>,
    pub owner: Option<Text>,
    pub group: Option<Text>,
    /// The template may use `secrets` and the content is never shown.
    #[serde(default)]
    pub secret: bool,
    /// Command that must accept the new content; `%s` stands for its path.
    pub validate: Option<Vec<Text>>,
}

/// A systemd unit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    pub name: Text,
    /// Left as it is by default.
    pub enabled: Option<bool>,
    #[serde(default)]
    pub state: UnitState,
}

/// What a unit should be doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitState {
    Running,
    Stopped,
    /// Only in handlers.
    Restarted,
    /// Left as it is.
    #[default]
    Any,
}

/// A condition that the node reaches by itself; exactly one of the keys before `timeout` is set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    pub tcp: Option<Tcp>,
    pub https: Option<Https>,
    pub unix_socket: Option<Text>,
    pub path: Option<Text>,
    pub node_ready: Option<NodeReady>,
    /// Names of static pods: their programs have the arguments of `/etc/kubernetes/manifests/NAME.yaml`.
    pub static_pods_run: Option<Vec<Text>>,
    pub another_api_server: Option<AnotherApiServer>,
    pub control_plane_bears: Option<ControlPlaneBears>,
    pub rolled_out: Option<RolledOut>,
    /// `30s`, `5m`, `1h`; 2 minutes by default.
    pub timeout: Option<Text>,
}
