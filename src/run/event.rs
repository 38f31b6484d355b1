//! What a run tells its observers: the progress display, JSON output, and the journal.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::plan::LeftOut;
use crate::wire::{Event, StepError};

/// One thing that happened. Observers fold these; the run never prints.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "an event is moved once, through a channel"
)]
pub enum RunEvent {
    /// First line of a journal: what was typed, without values, and the version of kinstall.
    Began {
        command: String,
        kinstall: String,
    },
    /// The run knows its hosts.
    Started {
        run: String,
        hosts: Vec<String>,
    },
    /// A machine is being made, started, stopped or removed by a provider.
    Machine {
        host: String,
        state: String,
    },
    /// A host is being connected to.
    Connecting {
        host: String,
    },
    Connected {
        host: String,
        seconds: f64,
        pushed_agent: bool,
    },
    /// A host showed a key that nobody knew; it is remembered from now on.
    NewHostKey {
        address: String,
        fingerprint: String,
    },
    /// The lab's key was added to those that may log in, or couldn't be.
    KeyAdded {
        host: String,
        problem: Option<String>,
    },
    /// Something about a host that may keep it from working.
    Notice {
        host: String,
        message: String,
    },
    /// How many steps the plan has for a host.
    Planned {
        host: String,
        steps: usize,
    },
    /// A host has nothing to do until phases are done on others.
    WaitsFor {
        host: String,
        hosts: Vec<String>,
    },
    PhaseStarted {
        host: String,
        phase: String,
        steps: usize,
    },
    /// A message of the host's agent.
    Agent {
        host: String,
        event: Event,
    },
    /// A blob goes to a host.
    Upload {
        host: String,
        done: u64,
        total: u64,
    },
    /// A part of the plan can't be done now.
    LeftOut(LeftOut),
    /// A host can't be reached, or not used: nothing is done there.
    HostUnreachable {
        host: String,
        error: StepError,
    },
    HostFailed {
        host: String,
        message: String,
    },
    HostDone {
        host: String,
        changed: u32,
        unchanged: u32,
    },
    Finished {
        elapsed: Duration,
    },
    /// Last line of a journal: a run without it was cut off. The problem is what kept the run from its work, beside
    /// what failed on hosts.
    Ended {
        problem: Option<String>,
    },
}

/// Where the parts of a run send their events.
pub type EventSender = tokio::sync::mpsc::UnboundedSender<RunEvent>;
