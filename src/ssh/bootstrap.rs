//! Starts the agent on a host; pushes it first if the host doesn't have this very build.
//!
//! ```text
//! controller                                    host
//!   exec sh -c '<elevate.sh>' …          ->     becomes root by sudo
//!   password, only when sudo asks        ->
//!                                        <-     kinstall-bootstrap have
//!                                  or    <-     kinstall-bootstrap need Linux x86_64
//!   size, gzipped program                ->     checks, puts it in place
//!                                        <-     kinstall-bootstrap have
//!   frames                              <->     frames
//! ```
//!
//! An agent that is there costs no round trip.

use std::convert::Infallible;
use std::sync::Arc;

use super::agent_binary::AgentBinary;
use super::bootstrap_error::BootstrapError;
use super::elevation::{self, Listener};
use super::error::SshError;
use super::process::{Input, Output};
use super::script::one_line;
use super::session::Session;

/// A started agent: what it has sent so far begins with its first frame.
pub(super) struct Started {
    pub(super) output: Output,
    pub(super) input: Input,
    pub(super) received: Vec<u8>,
    /// Standard error so far.
    pub(super) stderr: Vec<u8>,
    /// Whether it had to be pushed.
    pub(super) pushed: bool,
}

/// Starts the agent as root, or as the login user if the inventory says so.
pub(super) async fn start(
    session: &Session,
    agent: &Arc<AgentBinary>,
) -> Result<Started, SshError> {
    let script = one_line(include_str!("bootstrap.sh"));
    let arguments = format!("{} '{}'", agent.sha256, agent.folders.join("' '"));
    let (mut listener, input) = elevation::start(session, &script, &arguments).await?;
    let mut answer = listener.line(&input).await?;
    let asks_for = answer.strip_prefix("need ").map(str::to_owned);
    if let Some(system) = &asks_for {
        if *system != agent.system {
            return Err(SshError::Bootstrap(BootstrapError::OtherSystem {
                host: system.clone(),
                ours: agent.system.clone(),
            }));
        }
        answer = push(&mut listener, &input, agent).await?;
    }
    if answer != "have" {
        return Err(BootstrapError::from_line(&answer, agent).into());
    }
    Ok(Started {
        output: listener.output,
        input,
        received: listener.stdout,
        stderr: listener.stderr,
        pushed: asks_for.is_some(),
    })
}

/// Sends the program to a host that doesn't have it; returns the host's next line.
async fn push(
    listener: &mut Listener,
    input: &Input,
    agent: &Arc<AgentBinary>,
) -> Result<String, SshError> {
    let source = Arc::clone(agent);
    let compressed = tokio::task::spawn_blocking(move || source.compressed().map(<[u8]>::len));
    let size = compressed
        .await
        .unwrap_or_else(|panic| Err(panic.into()))
        .map_err(BootstrapError::Binary)?;
    let bytes = agent.compressed().map_err(BootstrapError::Binary)?;
    let upload = async {
        // If the host stops reading, its next line or its end says why.
        if input.write(format!("{size}\n").as_bytes()).await.is_ok() {
            let _ = input.write(bytes).await;
        }
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        line = listener.marked(input) => line,
        never = upload => match never {},
    }
}
