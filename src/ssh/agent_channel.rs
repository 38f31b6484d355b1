//! Requests to the agent on a host, and its events.
//!
//! Two tasks move the bytes, so that neither direction waits for the other: whoever sends a big blob
//! may be late in reading events, and unread bytes would hold up the whole connection.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tracing::{Instrument as _, trace};

use super::agent_binary::AgentBinary;
use super::bootstrap::{self, Started};
use super::error::SshError;
use super::process::{Exit, Input, Output, Piece};
use super::session::Session;
use crate::wire::{ALIVE_EVERY, Event, Facts, PROTOCOL, Request, frame};

/// Frames that wait to be sent; more makes the sender wait.
const QUEUE: usize = 4;

/// How long a started agent may take to greet.
const HELLO_LIMIT: Duration = Duration::from_mins(1);

/// What is kept of the agent's standard error, from its end.
const STDERR_LIMIT: usize = 8 << 10;

/// A running agent that has greeted.
pub struct AgentChannel {
    /// From its greeting.
    pub facts: Facts,
    /// Whether this build had to be pushed first.
    pub pushed: bool,
    pub requests: Requests,
    pub events: Events,
}

/// The way to the agent. When all clones are dropped, the agent sees the end of its input.
#[derive(Clone)]
pub struct Requests(mpsc::Sender<Vec<u8>>);

/// The way back.
pub struct Events {
    receiver: mpsc::UnboundedReceiver<Result<Event, SshError>>,
    // The connection lasts as long as somebody listens.
    _session: Session,
}

/// Why a started agent is of no use.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("the agent's output isn't in its protocol; it starts with {text:?}{}", last_words(.stderr))]
    Garbage { text: String, stderr: String },
    #[error("the agent speaks protocol {theirs}, not {PROTOCOL}")]
    OtherProtocol { theirs: u32 },
    #[error("the agent began with something else than its greeting")]
    NoHello,
    #[error("the agent didn't greet within {} s", HELLO_LIMIT.as_secs())]
    Silent,
    #[error("the agent ended with exit code {}{}", .exit.code(), last_words(.stderr))]
    Ended { exit: Exit, stderr: String },
    #[error("the agent is gone")]
    Gone,
    #[error("failed to encode a request")]
    Encode(#[source] std::io::Error),
}

fn last_words(stderr: &str) -> String {
    match stderr.trim() {
        "" => String::new(),
        stderr => format!("; it said: {stderr}"),
    }
}

impl Session {
    /// Starts the agent on the host, pushing it if need be, and waits for its greeting.
    pub async fn agent(&self, binary: &Arc<AgentBinary>) -> Result<AgentChannel, SshError> {
        let started = bootstrap::start(self, binary).await?;
        let pushed = started.pushed;
        let (requests, mut events) = channel(started, self.clone());
        let hello = timeout(HELLO_LIMIT, events.next())
            .await
            .map_err(|_| AgentError::Silent)??;
        let facts = match hello {
            Some(Event::Hello {
                protocol,
                mut facts,
            }) if protocol == PROTOCOL => {
                facts.surroundings.clock_ahead = ahead(facts.surroundings.clock);
                facts
            }
            Some(Event::Hello { protocol, .. }) => {
                return Err(AgentError::OtherProtocol { theirs: protocol }.into());
            }
            Some(_) => return Err(AgentError::NoHello.into()),
            None => return Err(AgentError::Gone.into()),
        };
        Ok(AgentChannel {
            facts,
            pushed,
            requests,
            events,
        })
    }
}

impl Requests {
    /// Sends a request; waits while several are under way already.
    ///
    /// If the agent is gone, [`Events::next`] says why.
    pub async fn send(&self, request: &Request) -> Result<(), SshError> {
        let frame = frame::encode(request).map_err(AgentError::Encode)?;
        trace!(kind = request.kind(), bytes = frame.len(), "to the agent");
        let sent = self.0.send(frame).await;
        sent.map_err(|_| AgentError::Gone.into())
    }
}

impl Events {
    /// Waits for the next event; `None` when the agent has ended well. May be cancelled without loss.
    pub async fn next(&mut self) -> Result<Option<Event>, SshError> {
        self.receiver.recv().await.transpose()
    }
}

/// How far a clock is ahead of this computer's, in milliseconds.
fn ahead(clock: i64) -> i64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    clock.saturating_sub(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}

fn channel(started: Started, session: Session) -> (Requests, Events) {
    let (requests, frames) = mpsc::channel(QUEUE);
    // Without a limit: see the module's documentation. The agent limits what it sends.
    let (events, receiver) = mpsc::unbounded_channel();
    let (running, ended) = watch::channel(());
    tokio::spawn(send(started.input, frames, ended));
    let mut inbox = Inbox {
        output: started.output,
        received: started.received,
        stderr: started.stderr,
    };
    let reading = async move {
        // Dropped at the end of this task, which ends the other one.
        let _running = running;
        while let Some(event) = inbox.next().await.transpose() {
            let last = event.is_err();
            if events.send(event).is_err() || last {
                break;
            }
        }
    };
    tokio::spawn(reading.in_current_span());
    let events = Events {
        receiver,
        _session: session,
    };
    (Requests(requests), events)
}

async fn send(input: Input, mut frames: mpsc::Receiver<Vec<u8>>, mut ended: watch::Receiver<()>) {
    while let Some(frame) = next_frame(&mut frames).await {
        tokio::select! {
            sent = input.write(&frame) => if sent.is_err() { return },
            _ = ended.changed() => return,
        }
    }
    // If this fails, the agent has seen the end already.
    let _ = input.finish().await;
}

/// Waits for the next frame; says that we are still here when none comes for a while.
async fn next_frame(frames: &mut mpsc::Receiver<Vec<u8>>) -> Option<Vec<u8>> {
    match timeout(ALIVE_EVERY, frames.recv()).await {
        Ok(frame) => frame,
        // It has no content that could fail to be encoded.
        Err(_) => frame::encode(&Request::Alive).ok(),
    }
}

/// Turns the agent's output into events.
struct Inbox {
    output: Output,
    received: Vec<u8>,
    stderr: Vec<u8>,
}

impl Inbox {
    async fn next(&mut self) -> Result<Option<Event>, SshError> {
        loop {
            let before = self.received.len();
            match frame::decode::<Event>(&mut self.received) {
                Ok(Some(event)) => {
                    if !matches!(event, Event::Log { .. }) {
                        let bytes = before - self.received.len();
                        trace!(kind = event.kind(), bytes, "from the agent");
                    }
                    return Ok(Some(event));
                }
                Ok(None) => {}
                Err(_) => return Err(self.garbage().await),
            }
            match self.output.next().await? {
                Some(Piece::Stdout(bytes)) => self.received.extend(bytes),
                Some(Piece::Stderr(bytes)) => self.keep(&bytes),
                None => return self.end(),
            }
        }
    }

    fn end(&self) -> Result<Option<Event>, SshError> {
        let exit = self.output.exit()?;
        if !self.received.is_empty() {
            return Err(self.not_a_frame());
        }
        match exit {
            Exit::Code(0) => Ok(None),
            exit => Err(SshError::Agent(AgentError::Ended {
                exit,
                stderr: self.last_words(),
            })),
        }
    }

    /// Collects a little more of what isn't a frame, so that the message shows it whole.
    async fn garbage(&mut self) -> SshError {
        let more = async {
            while let Ok(Some(piece)) = self.output.next().await {
                match piece {
                    Piece::Stdout(bytes) if self.received.len() < 1024 => {
                        self.received.extend(bytes);
                    }
                    Piece::Stdout(_) => break,
                    Piece::Stderr(bytes) => self.stderr.extend(bytes),
                }
            }
        };
        // Whether it is all or not, it is shown.
        let _ = timeout(Duration::from_millis(300), more).await;
        self.not_a_frame()
    }

    fn not_a_frame(&self) -> SshError {
        let text: String = String::from_utf8_lossy(&self.received)
            .chars()
            .take(300)
            .collect();
        let stderr = self.last_words();
        SshError::Agent(AgentError::Garbage { text, stderr })
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.stderr.extend(bytes);
        let excess = self.stderr.len().saturating_sub(STDERR_LIMIT);
        self.stderr.drain(..excess);
    }

    fn last_words(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim().to_owned()
    }
}
