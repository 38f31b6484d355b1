//! Everything that can go wrong between this computer and the agent on a host.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::agent_channel::AgentError;
use super::bootstrap_error::BootstrapError;
use super::elevation_error::ElevationError;
use super::keys::KeyError;
use super::known_hosts::HostKeyError;
use super::refusal::Refusal;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a host can't be reached, refuses us, isn't the one that we know, or stopped answering.
///
/// Addresses are `host:port`.
#[derive(Debug, thiserror::Error)]
pub enum SshError {
    #[error("the SSH configuration `{}` can't be followed: {problem}", .file.display())]
    Configuration { file: PathBuf, problem: String },
    #[error("failed to find the address of `{host}`")]
    Resolve { host: String, source: io::Error },
    #[error("failed to connect to {address}")]
    Connect { address: String, source: io::Error },
    #[error("{address} didn't answer within {} s", .after.as_secs())]
    Timeout { address: String, after: Duration },
    #[error("failed to set up an SSH connection with {address}")]
    Handshake { address: String, source: Source },
    #[error(transparent)]
    HostKey(#[from] HostKeyError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("{address} wasn't ready after {} s", .after.as_secs())]
    NotReady {
        address: String,
        after: Duration,
        /// Why the last attempt failed.
        source: Box<SshError>,
    },
    #[error("failed to pass the jump host {hop}")]
    Jump {
        hop: String,
        /// Shared by all hosts behind it.
        source: Arc<SshError>,
    },
    #[error("jump host {hop} could not connect to {address}")]
    Tunnel {
        hop: String,
        address: String,
        source: Source,
    },
    #[error("{address} refused to run a command")]
    Command { address: String, source: Source },
    #[error("failed to add kinstall's key to the authorized keys on {address}: {detail}")]
    Authorize { address: String, detail: String },
    #[error("connection to {address} was lost{}", because(.reason.as_deref()))]
    Lost {
        address: String,
        reason: Option<String>,
    },
    #[error("failed to {action}")]
    Local {
        action: &'static str,
        source: io::Error,
    },
    #[error(transparent)]
    Elevation(#[from] ElevationError),
    #[error(transparent)]
    Bootstrap(#[from] BootstrapError),
    #[error(transparent)]
    Agent(#[from] AgentError),
    /// Only until the connection is set up; then it becomes one of the above.
    #[error("{0}")]
    Protocol(#[source] Source),
}

impl SshError {
    /// Tells whether nobody answered at all: there may be no machine yet.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Resolve { .. } | Self::Connect { .. } | Self::Timeout { .. } => true,
            Self::NotReady { source, .. } => source.is_unreachable(),
            _ => false,
        }
    }
}

impl From<russh::Error> for SshError {
    fn from(error: russh::Error) -> Self {
        Self::Protocol(error.into())
    }
}

fn because(reason: Option<&str>) -> String {
    reason
        .map(|reason| format!(" ({reason})"))
        .unwrap_or_default()
}
