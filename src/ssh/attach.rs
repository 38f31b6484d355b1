//! Connects the user's standard streams to a command or a shell on a host.

use std::io::{self, IsTerminal, Read, Write};

use tokio::sync::mpsc;

use super::error::SshError;
use super::local;
use super::process::{Exit, Input, Piece, Process};
use super::session::Session;
use super::terminal::{RawMode, Resizes, Size};

/// The user's side of an attached command.
pub struct Streams<I, O, E> {
    /// Read by a thread of its own, which may still wait in a read when the command has ended.
    pub input: I,
    pub output: O,
    pub error: E,
}

impl Session {
    /// Runs a command in the login shell with the given streams.
    pub async fn attach(
        &self,
        command: &str,
        streams: Streams<impl Read + Send + 'static, impl Write, impl Write>,
    ) -> Result<Exit, SshError> {
        pump(self.start(command).await?, streams, None).await
    }

    /// Gives the user a login shell: on their terminal if standard input is one, else as a plain
    /// command that reads from it.
    pub async fn shell(&self) -> Result<Exit, SshError> {
        let streams = Streams {
            input: io::stdin(),
            output: io::stdout(),
            error: io::stderr(),
        };
        if !io::stdin().is_terminal() {
            return pump(self.start_shell(None).await?, streams, None).await;
        }
        if self.is_local() {
            return local::shell().await;
        }
        let kind = std::env::var("TERM").unwrap_or_else(|_| "xterm".to_owned());
        let process = self.start_shell(Some((&kind, Size::of_terminal()))).await?;
        let resized = Resizes::watch().map_err(failure("watch the terminal"))?;
        let _raw = RawMode::enter().map_err(failure("set up the terminal"))?;
        pump(process, streams, Some(resized)).await
    }
}

/// Moves bytes until the command ends.
async fn pump(
    process: Process,
    mut streams: Streams<impl Read + Send + 'static, impl Write, impl Write>,
    mut resized: Option<Resizes>,
) -> Result<Exit, SshError> {
    let Process { mut output, input } = process;
    let feed = feed(&input, streams.input);
    tokio::pin!(feed);
    let mut input_ended = false;
    loop {
        let piece = tokio::select! {
            piece = output.next() => piece?,
            () = &mut feed, if !input_ended => {
                input_ended = true;
                continue;
            }
            () = next(&mut resized) => {
                // The shell is told again with the next change.
                let _ = input.resize(Size::of_terminal()).await;
                continue;
            }
        };
        let written = match piece {
            Some(Piece::Stdout(bytes)) => write(&mut streams.output, &bytes),
            Some(Piece::Stderr(bytes)) => write(&mut streams.error, &bytes),
            None => return output.exit(),
        };
        written.map_err(failure("pass on the output"))?;
    }
}

/// Passes on standard input until it or the command ends.
async fn feed(input: &Input, mut stdin: impl Read + Send + 'static) {
    // Not tokio's own standard input: a runtime can't end while that waits for a key.
    let (sender, mut pieces) = mpsc::channel::<Vec<u8>>(4);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 32 << 10];
        loop {
            match stdin.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    if sender.blocking_send(buffer[..count].to_vec()).is_err() {
                        break;
                    }
                }
            }
        }
    });
    while let Some(piece) = pieces.recv().await {
        if input.write(&piece).await.is_err() {
            // The command's end says more than this.
            return;
        }
    }
    let _ = input.finish().await;
}

async fn next(resizes: &mut Option<Resizes>) {
    match resizes {
        Some(resizes) => resizes.next().await,
        None => std::future::pending().await,
    }
}

fn write(stream: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

fn failure(action: &'static str) -> impl FnOnce(io::Error) -> SshError {
    move |source| SshError::Local { action, source }
}
