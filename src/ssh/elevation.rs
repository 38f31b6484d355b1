//! Becomes root on a host: by sudo, with its password when it asks for one, or not at all where the
//! login user is root already.
//!
//! What a login shell prints before the first line of ours is kept for error messages.

use std::io;
use std::time::Duration;

use tokio::time::timeout;

use super::elevation_error::ElevationError;
use super::error::SshError;
use super::process::{Finished, Input, Output, Piece, Process};
use super::script::one_line;
use super::session::Session;
use crate::model::host::Become;

/// sudo's prompt in `elevate.sh`, so that it is known when, and how often, sudo asks.
const PROMPT: &str = "kinstall-password:";

/// First word of each line that our scripts print for us.
const MARK: &str = "kinstall-bootstrap ";

/// How long the host may be silent.
pub(super) const SILENCE_LIMIT: Duration = Duration::from_mins(1);

/// What is kept at most of output that isn't ours.
const NOISE_LIMIT: usize = 16 << 10;

impl Session {
    /// Runs a line of shell as root, or as the login user if the inventory says so, and collects what
    /// it prints. The line holds no single quotes and reads nothing from its standard input.
    pub async fn exec_as_root(&self, line: &str) -> Result<Finished, SshError> {
        let mut stdout = Vec::new();
        let take = |bytes: &[u8]| {
            stdout.extend_from_slice(bytes);
            Ok(())
        };
        let finished = self.stream_as_root(line, take).await?;
        Ok(Finished { stdout, ..finished })
    }

    /// Like [`Session::exec_as_root`], but hands over what it prints piece by piece; the result has none of it.
    pub async fn stream_as_root(
        &self,
        line: &str,
        take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<Finished, SshError> {
        let script = format!("echo {MARK}root; {line}");
        let (mut listener, input) = start(self, &script, "").await?;
        listener.line(&input).await?;
        // Only sudo may read; it has what it asked for.
        let _ = input.finish().await;
        listener.rest(take).await
    }
}

/// Starts a script as root, with arguments as the login shell reads them.
pub(super) async fn start(
    session: &Session,
    script: &str,
    arguments: &str,
) -> Result<(Listener, Input), SshError> {
    let escalation = session.target().connection.escalation.clone();
    let how = match escalation {
        Become::Sudo => "sudo",
        Become::SudoWithPassword(_) => "password",
        Become::No => "no",
    };
    let elevate = one_line(include_str!("elevate.sh"));
    let command = format!("exec sh -c '{elevate}' kinstall {how} '{script}' kinstall {arguments}");
    let Process { output, input } = session.start(&command).await?;
    let listener = Listener {
        output,
        stdout: Vec::new(),
        stderr: Vec::new(),
        noise: Vec::new(),
        prompts: 0,
        escalation,
    };
    Ok((listener, input))
}

/// Reads what the scripts say.
pub(super) struct Listener {
    pub(super) output: Output,
    /// Standard output after the last line of ours.
    pub(super) stdout: Vec<u8>,
    /// Standard error so far.
    pub(super) stderr: Vec<u8>,
    /// Standard output that isn't ours.
    noise: Vec<u8>,
    /// How often sudo has asked for the password.
    prompts: usize,
    escalation: Become,
}

impl Listener {
    /// Waits for the next line of ours, without its mark; answers sudo meanwhile.
    pub(super) async fn line(&mut self, input: &Input) -> Result<String, SshError> {
        let line = timeout(SILENCE_LIMIT, self.marked(input)).await;
        match line.map_err(|_| ElevationError::Silent { said: self.said() })?? {
            line if line == "failed no-sudo" => Err(ElevationError::NoSudo.into()),
            line => Ok(line),
        }
    }

    /// Like [`Listener::line`], however long it takes.
    pub(super) async fn marked(&mut self, input: &Input) -> Result<String, SshError> {
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
                    self.answer_sudo(input).await?;
                }
                None => return Err(self.ended()),
            }
        }
    }

    /// Hands over the output that follows, until the command ends.
    async fn rest(
        mut self,
        mut take: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<Finished, SshError> {
        let failed = |source| SshError::Local {
            action: "keep what a command prints",
            source,
        };
        // What sudo asked and what the login shell said isn't the command's.
        self.stderr.clear();
        take(&self.stdout).map_err(failed)?;
        while let Some(piece) = self.output.next().await? {
            match piece {
                Piece::Stdout(bytes) => take(&bytes).map_err(failed)?,
                Piece::Stderr(bytes) => self.stderr.extend(bytes),
            }
        }
        Ok(Finished {
            exit: self.output.exit()?,
            stdout: Vec::new(),
            stderr: self.stderr,
        })
    }

    async fn answer_sudo(&mut self, input: &Input) -> Result<(), SshError> {
        let Become::SudoWithPassword(password) = &self.escalation else {
            return Ok(());
        };
        let prompts = String::from_utf8_lossy(&self.stderr)
            .matches(PROMPT)
            .count();
        if prompts > self.prompts {
            // Asked again: once is enough, more would lock the account.
            if prompts > 1 {
                return Err(ElevationError::PasswordWrong.into());
            }
            self.prompts = prompts;
            input.write(password.expose().as_bytes()).await?;
            input.write(b"\n").await?;
        }
        Ok(())
    }

    /// Explains why the command ended before its first line.
    fn ended(&self) -> SshError {
        let Ok(exit) = self.output.exit() else {
            return self.output.session().lost();
        };
        let said = self.said();
        let error = if said.contains("a password is required") && self.prompts == 0 {
            ElevationError::PasswordNeeded
        } else if said.contains("incorrect password attempt") {
            ElevationError::PasswordWrong
        } else if let Some(refusal) = said.lines().find(|line| is_from_sudo(line)) {
            ElevationError::SudoRefused {
                detail: refusal.trim().to_owned(),
            }
        } else {
            ElevationError::NotStarted { exit, said }
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
