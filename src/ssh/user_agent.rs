//! The user's running ssh-agent: a socket, or on Windows a named pipe.

use std::path::{Path, PathBuf};

use russh::keys::Error;
use russh::keys::agent::client::AgentClient;

/// Where OpenSSH's agent listens on Windows, whatever the environment says.
#[cfg(windows)]
const PIPE: &str = r"\\.\pipe\openssh-ssh-agent";

/// Returns the agent's address; `None` where none is known to run.
pub(super) fn address() -> Option<PathBuf> {
    let named = std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from);
    #[cfg(windows)]
    let named = named.or_else(|| Some(PathBuf::from(PIPE)).filter(|pipe| pipe.exists()));
    named
}

/// Connects to the agent at an address.
#[cfg(unix)]
pub(super) async fn connect(socket: &Path) -> Result<AgentClient<tokio::net::UnixStream>, Error> {
    AgentClient::connect_uds(socket).await
}

/// Connects to the agent at an address.
#[cfg(windows)]
pub(super) async fn connect(
    pipe: &Path,
) -> Result<AgentClient<tokio::net::windows::named_pipe::NamedPipeClient>, Error> {
    AgentClient::connect_named_pipe(pipe).await
}
