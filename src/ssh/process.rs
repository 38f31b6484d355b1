//! A command that runs on a host.

use std::sync::Arc;

use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use super::error::SshError;
use super::local;
use super::session::Session;
use super::terminal::Size;

/// Bytes that are handed to the connection at once.
const CHUNK: usize = 256 << 10;

/// SSH's number for standard error.
const STDERR: u32 = 1;

/// A running command; dropping it closes its streams.
pub struct Process {
    pub output: Output,
    pub input: Input,
}

/// What a running command prints.
///
/// It must be read until [`Output::next`] returns `None`: SSH has one window for all, and unread bytes
/// hold up the whole connection.
pub struct Output {
    source: Source,
    session: Session,
    exit: Option<Exit>,
    ended: bool,
}

/// A running command's standard input.
pub struct Input {
    sink: Sink,
}

/// Where output comes from.
enum Source {
    Channel {
        reader: ChannelReadHalf,
        writer: Arc<ChannelWriteHalf<Msg>>,
    },
    Local(mpsc::Receiver<local::Word>),
}

/// Where input goes.
enum Sink {
    Channel(Arc<ChannelWriteHalf<Msg>>),
    Local(local::Stdin),
}

/// A piece of output.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    Code(u32),
    /// Name without `SIG`.
    Signal(String),
}

/// A command that has ended.
#[derive(Debug)]
pub struct Finished {
    pub exit: Exit,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Session {
    /// Runs a command in the login shell with the given standard input, and collects what it prints.
    pub async fn exec(&self, command: &str, input: &[u8]) -> Result<Finished, SshError> {
        let Process {
            mut output,
            input: stdin,
        } = self.start(command).await?;
        let feed = async {
            // A command that doesn't read its input may end before all of it is written.
            let _ = stdin.write(input).await;
            let _ = stdin.finish().await;
            std::future::pending::<()>().await;
        };
        tokio::pin!(feed);
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        loop {
            let piece = tokio::select! {
                () = &mut feed => continue,
                piece = output.next() => piece?,
            };
            match piece {
                Some(Piece::Stdout(bytes)) => stdout.extend(bytes),
                Some(Piece::Stderr(bytes)) => stderr.extend(bytes),
                None => break,
            }
        }
        Ok(Finished {
            exit: output.exit()?,
            stdout,
            stderr,
        })
    }
}

impl Process {
    pub(super) fn new(channel: Channel<Msg>, session: Session) -> Self {
        let (reader, writer) = channel.split();
        let writer = Arc::new(writer);
        let source = Source::Channel {
            reader,
            writer: Arc::clone(&writer),
        };
        Self::of(source, Sink::Channel(writer), session)
    }

    /// Starts a command on this computer.
    pub(super) fn local(command: &str, session: Session) -> Result<Self, SshError> {
        let (words, stdin) = local::start(command)?;
        Ok(Self::of(Source::Local(words), Sink::Local(stdin), session))
    }

    fn of(source: Source, sink: Sink, session: Session) -> Self {
        Self {
            output: Output {
                source,
                session,
                exit: None,
                ended: false,
            },
            input: Input { sink },
        }
    }
}

impl Output {
    /// Waits for more output; `None` when the command has ended. May be cancelled without loss.
    pub async fn next(&mut self) -> Result<Option<Piece>, SshError> {
        let reader = match &mut self.source {
            Source::Channel { reader, .. } => reader,
            Source::Local(words) => {
                match words.recv().await {
                    Some(local::Word::Piece(piece)) => return Ok(Some(piece)),
                    Some(local::Word::Ended(ended)) => {
                        let exit = ended.map_err(|source| SshError::Local {
                            action: "wait for a command",
                            source,
                        });
                        self.exit = Some(exit?);
                    }
                    None => {}
                }
                self.ended = true;
                return Ok(None);
            }
        };
        while let Some(message) = reader.wait().await {
            match message {
                ChannelMsg::Data { data } => return Ok(Some(Piece::Stdout(data.to_vec()))),
                ChannelMsg::ExtendedData { data, ext: STDERR } => {
                    return Ok(Some(Piece::Stderr(data.to_vec())));
                }
                ChannelMsg::ExitStatus { exit_status } => self.exit = Some(Exit::Code(exit_status)),
                ChannelMsg::ExitSignal { signal_name, .. } => {
                    self.exit = Some(Exit::Signal(signal(&signal_name)));
                }
                ChannelMsg::Failure => {
                    return Err(self.session.refused("the host denied the request"));
                }
                _ => {}
            }
        }
        self.ended = true;
        Ok(None)
    }

    /// Returns how the command ended; an error if it is the connection that ended.
    pub fn exit(&self) -> Result<Exit, SshError> {
        self.exit.clone().ok_or_else(|| self.session.lost())
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }
}

impl Input {
    /// Writes all bytes. Waits for as long as the command doesn't read, even if the connection is lost
    /// meanwhile: cancel it when the output has ended.
    pub async fn write(&self, bytes: &[u8]) -> Result<(), SshError> {
        match &self.sink {
            Sink::Channel(writer) => {
                for chunk in bytes.chunks(CHUNK) {
                    writer.data_bytes(chunk.to_vec()).await?;
                }
                Ok(())
            }
            Sink::Local(stdin) => {
                let mut stdin = stdin.lock().await;
                let Some(stdin) = stdin.as_mut() else {
                    return Ok(());
                };
                let written = async {
                    stdin.write_all(bytes).await?;
                    stdin.flush().await
                };
                written.await.map_err(|source| SshError::Local {
                    action: "write to a command",
                    source,
                })
            }
        }
    }

    /// Closes the command's standard input.
    pub async fn finish(&self) -> Result<(), SshError> {
        match &self.sink {
            Sink::Channel(writer) => writer.eof().await?,
            Sink::Local(stdin) => *stdin.lock().await = None,
        }
        Ok(())
    }

    /// Tells the command's terminal its new size.
    pub async fn resize(&self, size: Size) -> Result<(), SshError> {
        if let Sink::Channel(writer) = &self.sink {
            let (columns, rows) = (size.columns.into(), size.rows.into());
            writer.window_change(columns, rows, 0, 0).await?;
        }
        Ok(())
    }
}

impl Exit {
    /// Returns the exit code; 128 and the signal's number, as shells do, for a killed command.
    pub fn code(&self) -> u8 {
        match self {
            // Exit codes have eight bits; what doesn't fit must not look like success.
            Exit::Code(code) => u8::try_from(*code).unwrap_or(u8::MAX),
            Exit::Signal(name) => 128 + signal_number(name),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // A channel outlives its halves, and with it the command, unless it is closed.
        if !self.ended
            && let Source::Channel { writer, .. } = &self.source
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let writer = Arc::clone(writer);
            runtime.spawn(async move { writer.close().await });
        }
    }
}

fn signal(signal: &Sig) -> String {
    match signal {
        Sig::Custom(name) => name.clone(),
        known => format!("{known:?}"),
    }
}

fn signal_number(name: &str) -> u8 {
    match name {
        "HUP" => 1,
        "INT" => 2,
        "QUIT" => 3,
        "ILL" => 4,
        "TRAP" => 5,
        "ABRT" => 6,
        "FPE" => 8,
        "KILL" => 9,
        "USR1" => 10,
        "SEGV" => 11,
        "USR2" => 12,
        "PIPE" => 13,
        "ALRM" => 14,
        "TERM" => 15,
        _ => 127,
    }
}
