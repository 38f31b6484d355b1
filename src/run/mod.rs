//! Executes a plan: one task per host, barriers only between phases that need each other, events out.

pub mod cancel;
pub mod engine;
pub mod event;
pub mod host;
pub mod journal;
pub mod planned;

pub use cancel::{Cancel, Level};
pub use engine::{CheckedHosts, Engine};
pub use event::{EventSender, RunEvent};
pub use host::HostRun;
pub use journal::Journal;
pub use planned::{PlannedChanges, StepChanges};

/// Why a run could not go on; failures of steps are events instead.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("lost `{host}`")]
    Ssh {
        host: String,
        source: crate::ssh::SshError,
    },
    #[error("the agent on `{host}` ended without a word")]
    AgentGone { host: String },
    #[error("interrupted")]
    Interrupted,
}
