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
//! An agent that is there costs no round trip. What a login shell prints before the first line of
//! ours is kept for error messages.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::agent_binary::AgentBinary;
use super::bootstrap_error::BootstrapError;
use super::error::SshError;
use super::process::{Input, Output, Piece, Process};
use super::script::one_line;
use super::session::Session;
use crate::model::host::Become;

/// sudo's prompt in `elevate.sh`, so that it is known when, and how often, sudo asks.
const PROMPT: &str = "kinstall-password:";

/// First word of each line that `bootstrap.sh` prints.
const MARK: &str = "kinstall-bootstrap ";

/// How long the host may be silent.
pub(super) const SILENCE_LIMIT: Duration = Duration::from_mins(1);

/// What is kept at most of output that isn't ours.
const NOISE_LIMIT: usize = 16 << 10;

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
    let escalation = &session.target().connection.escalation;
    let Process { output, input } = session.start(&command(escalation, agent)).await?;
    let mut listener = Listener {
        output,
        stdout: Vec::new(),
        stderr: Vec::new(),
        noise: Vec::new(),
        prompts: 0,
    };
    let answer = timeout(SILENCE_LIMIT, listener.line(&input, escalation)).await;
    let mut answer = answer.map_err(|_| listener.silent())??;
    let asks_for = answer.strip_prefix("need ").map(str::to_owned);
    if let Some(system) = &asks_for {
        if *system != agent.system {
            return Err(SshError::Bootstrap(BootstrapError::OtherSystem {
                host: system.clone(),
                ours: agent.system.clone(),
            }));
        }
        answer = push(&mut listener, &input, escalation, agent).await?;
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

fn command(escalation: &Become, agent: &AgentBinary) -> String {
    let how = match escalation {
        Become::Sudo => "sudo",
        Become::SudoWithPassword(_) => "password",
        Become::No => "no",
    };
    let elevate = one_line(include_str!("elevate.sh"));
    let bootstrap = one_line(include_str!("bootstrap.sh"));
    let folders = agent.folders.join("' '");
    let name = agent.sha256;
    format!("exec sh -c '{elevate}' kinstall {how} '{bootstrap}' kinstall {name} '{folders}'")
}

/// Sends the program to a host that doesn't have it; returns the host's next line.
async fn push(
    listener: &mut Listener,
    input: &Input,
    escalation: &Become,
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
        line = listener.line(input, escalation) => line,
        never = upload => match never {},
    }
}

/// Reads what the scripts say.
struct Listener {
    output: Output,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// Standard output that isn't ours.
    noise: Vec<u8>,
    /// How often sudo has asked for the password.
    prompts: usize,
}

impl Listener {
    /// Waits for the next line of ours, without its mark; answers sudo meanwhile.
    async fn line(&mut self, input: &Input, escalation: &Become) -> Result<String, SshError> {
        loop {
            while let Some(end) = self.stdout.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.stdout.drain(..=end).collect();
                let text = String::from_utf8_lossy(&line);
                match text.strip_prefix(MARK) {
                    Some(text) => return Ok(text.trim_end().to_owned()),
                    None if self.noise.len() < NOISE_LIMIT => self.noise.extend(line),
                    None => {}
                }
            }
            match self.output.next().await? {
                Some(Piece::Stdout(bytes)) => self.stdout.extend(bytes),
                Some(Piece::Stderr(bytes)) => {
                    self.stderr.extend(bytes);
                    self.answer_sudo(input, escalation).await?;
                }
                None => return Err(self.ended()),
            }
        }
    }

    async fn answer_sudo(&mut self, input: &Input, escalation: &Become) -> Result<(), SshError> {
        let Become::SudoWithPassword(password) = escalation else {
            return Ok(());
        };
        let prompts = String::from_utf8_lossy(&self.stderr)
            .matches(PROMPT)
            .count();
        if prompts > self.prompts {
            // Asked again: once is enough, more would lock the account.
            if prompts > 1 {
                return Err(BootstrapError::PasswordWrong.into());
            }
            self.prompts = prompts;
            input.write(password.expose().as_bytes()).await?;
            input.write(b"\n").await?;
        }
        Ok(())
    }

    fn silent(&self) -> SshError {
        BootstrapError::Silent { said: self.said() }.into()
    }

    /// Explains why the command ended before it started the agent.
    fn ended(&self) -> SshError {
        let Ok(exit) = self.output.exit() else {
            return self.output.session().lost();
        };
        let said = self.said();
        let error = if said.contains("a password is required") && self.prompts == 0 {
            BootstrapError::PasswordNeeded
        } else if said.contains("incorrect password attempt") {
            BootstrapError::PasswordWrong
        } else if let Some(refusal) = said.lines().find(|line| is_from_sudo(line)) {
            BootstrapError::SudoRefused {
                detail: refusal.trim().to_owned(),
            }
        } else {
            BootstrapError::NotStarted {
                exit: Some(exit),
                said,
            }
        };
        error.into()
    }

    /// Returns all that the host printed and that isn't ours, for a person to read.
    fn said(&self) -> String {
        let parts = [&self.noise, &self.stdout, &self.stderr];
        let text: String = parts
            .map(|part| String::from_utf8_lossy(part).replace(PROMPT, ""))
            .concat();
        text.trim().to_owned()
    }
}

fn is_from_sudo(line: &str) -> bool {
    line.starts_with("sudo: ") || line.contains("sudoers") || line.contains("may not run sudo")
}
