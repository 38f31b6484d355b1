//! The messages. Both ends are the same build: the agent is pushed by content hash.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ClusterTraces, Surroundings};
use crate::resource::{Change, CommandState, Made, Resource, Sha256};

/// Version of these types; part of the agent's greeting.
pub const PROTOCOL: u32 = 5;

/// How long the controller keeps silent at most.
pub const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// Controller to agent.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Begins a run; first message, and again when the mode changes. `run` names it in journals and
    /// locks. An `exclusive` run waits for the node's lock first, so that it sees what an earlier one,
    /// which may still be finishing a step, has made of the node; applying is always exclusive.
    Start {
        run: String,
        controller: String,
        /// Whose run it is: an earlier one of the same project that has the lock ends by itself.
        project: String,
        /// End the agent that has the lock.
        break_lock: bool,
        mode: Mode,
        exclusive: bool,
        /// What the agent is to tell of its inner work with [`Event::Log`].
        log: Option<LogLevel>,
    },
    /// One phase of one host. In [`Mode::Check`] several are sent at once.
    Batch(Batch),
    /// Part of a blob that the agent asked for, as zstd frames; empty `bytes` ends it.
    Chunk { blob: Sha256, bytes: Vec<u8> },
    /// The controller hasn't got the blob that the agent asked for.
    NoBlob { blob: Sha256, reason: String },
    /// Finish the step in flight and stop.
    Cancel,
    /// Nothing more will come.
    Bye,
    /// The controller is still there: said whenever it has had nothing else to say for [`ALIVE_EVERY`].
    Alive,
}

/// Whether changes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    Check,
    Apply,
}

/// How much of its inner work an agent tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogLevel {
    Debug,
    Trace,
}

/// The desired state of one host in one phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    pub phase: String,
    pub steps: Vec<Step>,
    pub handlers: Vec<Handler>,
}

/// One resource, with its place in the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// `component/name`, unique on a host: `containerd/configuration`.
    pub id: String,
    pub resource: Resource,
    /// Handlers to run when this step changed something.
    pub notify: Vec<String>,
    /// The other host that this is done for; where that one fails before, the step is left out.
    pub host: Option<String>,
}

/// A resource that is applied at the end of the batch when a step notified it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handler {
    /// `component/name`.
    pub id: String,
    pub resource: Resource,
}

/// Agent to controller.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "a host greets once, and an event is moved once"
)]
pub enum Event {
    /// First message: who is here and what the node is.
    Hello {
        protocol: u32,
        facts: Facts,
    },
    /// Another run holds this node's lock; the agent waits for it.
    Waiting {
        holder: String,
        /// Name of that run, where it is another project's.
        other: Option<String>,
    },
    /// The content is missing on the node.
    NeedBlob {
        blob: Sha256,
    },
    Step {
        phase: String,
        id: String,
        state: StepState,
    },
    /// A line that a step's program printed.
    Output {
        id: String,
        line: String,
    },
    /// A line of the agent's log.
    Log {
        level: LogLevel,
        line: String,
    },
    /// Bytes done of a step that moves data.
    Progress {
        id: String,
        done: u64,
        total: u64,
    },
    PhaseDone {
        phase: String,
        outcome: Outcome,
    },
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepState {
    Started,
    Unchanged,
    /// Check mode: what `apply` would do.
    WouldChange(Vec<Change>),
    Changed {
        changes: Vec<Change>,
        milliseconds: u64,
    },
    Failed(StepError),
}

/// Why a step failed, as the user should see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepError {
    /// The chain of causes: `failed to write ‘/etc/x’: no space left on device`.
    pub message: String,
    /// Last lines of the program's output, if one ran.
    pub output: Vec<String>,
    /// The likely cause and what to do, if known.
    pub hint: Option<String>,
}

/// How a phase ended on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Done { changed: u32, unchanged: u32 },
    Failed { step: String },
    Interrupted,
}

/// What the agent knows of its node; for display and checks, never for decisions in `apply`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub hostname: String,
    /// Path of the agent: kinstall on the node.
    pub program: String,
    /// `PRETTY_NAME` of os-release.
    pub os: String,
    pub kernel: String,
    pub architecture: String,
    pub cpus: u32,
    pub memory_mib: u64,
    /// Free space of the file system that holds `/var/lib`.
    pub disk_free_mib: u64,
    /// 1 or 2.
    pub cgroup_version: u32,
    /// Addresses of all interfaces, `interface address/prefix`.
    pub addresses: Vec<String>,
    /// Address that the node has on its default route; empty without one.
    pub default_address: String,
    /// `container=` of PID 1's environment, empty on a real or virtual machine.
    pub container: String,
    /// Whether root may lower OOM scores (CAP_SYS_RESOURCE).
    pub can_lower_oom_score: bool,
    /// Name servers of `/etc/resolv.conf` (of systemd-resolved's own file where the stub is in use).
    pub name_servers: Vec<String>,
    pub boot_id: String,
    /// Version of the API server that runs here, without `v`; empty where none does.
    pub kubernetes_version: String,
    /// Version of the etcd member that runs here, as a static pod or as a service; empty where none does.
    pub etcd_version: String,
    /// Etcd as a service.
    #[serde(default)]
    pub etcd: EtcdService,
    /// Handlers that an earlier run left pending.
    pub pending_handlers: Vec<String>,
    /// What there is of a control plane on the node.
    pub control_plane: ControlPlaneState,
    /// Names of all Node objects, as this control plane has them; empty where its API server isn't ready.
    pub nodes: Vec<String>,
    /// Fingerprints of the keys in the API server's configuration of encryption, the one that writes first.
    #[serde(default)]
    pub encryption_keys: Vec<String>,
    /// What that configuration encrypts with: `secretbox`; empty where there is none.
    #[serde(default)]
    pub encryption_algorithm: String,
    /// Names of the keys whose tokens of service accounts the API server accepts, the one that signs first.
    #[serde(default)]
    pub service_account_keys: Vec<String>,
    /// Guarded commands that earlier runs began on the node, by step id.
    pub commands: BTreeMap<String, CommandState>,
    /// What kinstall made on the node and is still there; journals of earlier versions don't have it.
    #[serde(default)]
    pub made: Vec<Made>,
    /// What clusters left on it.
    pub traces: ClusterTraces,
    pub surroundings: Surroundings,
}

/// What there is on a host of etcd as a service of kinstall's; of one of the user's own, only that it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcdService {
    /// Where its data is, or would be; empty where it isn't configured.
    pub data_dir: String,
    pub has_data: bool,
    /// The node has what it takes to reach the members, as a member or as a control plane.
    #[serde(default)]
    pub has_access: bool,
    /// The unit of another etcd that has the same name and would have to make room.
    #[serde(default)]
    pub other_unit: Option<String>,
    /// URLs by which members know each other, of all that a majority has; empty where this node's member doesn't say.
    #[serde(default)]
    pub peers: Vec<String>,
}

/// What there is of a Kubernetes control plane on a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlPlaneState {
    /// Nothing, or not all of it.
    #[default]
    Absent,
    /// kubeadm has set it up; its API server doesn't answer, or says that it isn't ready.
    Silent,
    /// Its API server is ready.
    Ready,
}
