//! Executes a plan: one task per host, barriers only between phases that need each other, events out.

pub mod assumed;
mod board;
pub mod cancel;
pub mod engine;
pub mod event;
pub mod host;
pub mod journal;
pub mod observer;
pub mod planned;
mod walk;

pub use assumed::{AssumedHost, FactsFrom, Unasked};
pub use cancel::{Cancel, Level};
pub use engine::{CheckedHosts, Engine};
pub use event::{EventSender, RunEvent};
pub use host::{HostRun, RunIdentity};
pub use journal::Journal;
pub use observer::Observer;
pub use planned::{PlannedChanges, PlannedPhase, StepChanges};

use crate::diagnostic::{Diagnostic, Kind};

/// Why a run could not go on; failures of steps are events instead.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("lost `{host}`")]
    Ssh {
        host: String,
        source: crate::ssh::SshError,
    },
    #[error("the agent on `{host}` ended without a message")]
    AgentGone { host: String },
    #[error("another kinstall works on `{host}`: {holder}")]
    Locked { host: String, holder: String },
    #[error("interrupted")]
    Interrupted,
}

impl RunError {
    /// Turns it into a message for the user.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            // What goes on where the run stopped is known where the run is: its command.
            Self::Interrupted => Diagnostic::error(Kind::Interrupted, "interrupted"),
            Self::Locked { .. } => Diagnostic::from_error(Kind::Locked, self)
                .hint("wait until it is done: two runs at once would undo each other's work")
                .hint("if nothing works there any more, `kinstall up --break-lock` ends its agent"),
            Self::Ssh { host, source } => source.diagnostic(host),
            Self::AgentGone { .. } => Diagnostic::from_error(Kind::Connection, self),
        }
    }
}
