//! One host of a run: its agent's channel, and the pump between agent and observers.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tracing::debug;

use super::cancel::Level;
use super::{Cancel, EventSender, RunError, RunEvent, StepChanges};
use crate::bundle::Bundle;
use crate::log;
use crate::resource::Sha256;
use crate::ssh::{AgentChannel, Events, Requests};
use crate::wire::{Batch, Event, Facts, Mode, Outcome, Request, StepState};

/// Bytes of a blob in one message: large enough to fill the link, small enough to cancel between.
const CHUNK: usize = 256 << 10;

/// How long a run that began earlier waits for a later one, which gives way.
const TURN: Duration = Duration::from_mins(1);

/// Which run it is, and whose.
#[derive(Clone, Debug)]
pub struct RunIdentity {
    /// Name of the run: the earlier one of two has the smaller name.
    pub run: String,
    /// Identity of the lab on this computer.
    pub project: String,
    /// Ends agents of others that have the lock of a host.
    pub break_lock: bool,
}

/// A host whose agent answers.
pub struct HostRun {
    pub name: String,
    pub facts: Facts,
    requests: Requests,
    agent_events: Events,
    bundle: Arc<Bundle>,
    events: EventSender,
    cancel: Cancel,
    /// The agent has been told of the first Ctrl-C.
    told_to_stop: bool,
    /// Name of the run, from its start.
    run: String,
    /// Whose lock the agent waits for, and how long that may take.
    locked: Option<(String, Instant)>,
    /// Another run was at work on the host after it had said what it is like.
    pub(super) has_waited: bool,
}

impl HostRun {
    /// Takes over a channel whose agent has said hello.
    pub fn new(
        name: String,
        channel: AgentChannel,
        bundle: Arc<Bundle>,
        events: EventSender,
        cancel: Cancel,
    ) -> Self {
        Self {
            name,
            facts: channel.facts,
            requests: channel.requests,
            agent_events: channel.events,
            bundle,
            events,
            cancel,
            told_to_stop: false,
            run: String::new(),
            locked: None,
            has_waited: false,
        }
    }

    /// Begins a run in a mode; an exclusive one locks the node.
    pub async fn start(
        &mut self,
        identity: &RunIdentity,
        mode: Mode,
        exclusive: bool,
    ) -> Result<(), RunError> {
        self.run.clone_from(&identity.run);
        let computer = gethostname::gethostname();
        let controller = format!("{} (pid {})", whoami(), std::process::id());
        let request = Request::Start {
            run: identity.run.clone(),
            controller,
            project: format!("{}@{}", identity.project, computer.to_string_lossy()),
            break_lock: identity.break_lock,
            mode,
            exclusive,
            log: log::level_for_nodes(),
        };
        self.send(&request).await
    }

    /// Asks what all these batches would change: everything is sent at once, so it is one round trip.
    ///
    /// Failures are returned and not told to observers: they hear of them only if that is the last word.
    pub async fn check(&mut self, batches: Vec<Batch>) -> Result<Checked, RunError> {
        let mut open = batches.len();
        debug!(batches = open, "checks");
        for batch in batches {
            self.send(&Request::Batch(batch)).await?;
        }
        let mut checked = Checked::default();
        while open > 0 {
            match self.next().await? {
                Event::Step {
                    phase,
                    id,
                    state: StepState::WouldChange(changes),
                } => checked.changes.push(StepChanges {
                    host: self.name.clone(),
                    phase,
                    step: id,
                    changes,
                    assumed: false,
                }),
                event @ Event::Step {
                    state: StepState::Failed(_),
                    ..
                } => checked.failures.push(event),
                // What is as it should be is counted, not told: `apply` looks at it again.
                Event::Step { .. } => {}
                Event::PhaseDone { outcome, .. } => {
                    open -= 1;
                    match outcome {
                        Outcome::Done { unchanged, .. } => checked.unchanged += unchanged,
                        Outcome::Failed { .. } => {}
                        Outcome::Interrupted => return Err(RunError::Interrupted),
                    }
                }
                event => self.tell(event),
            }
        }
        Ok(checked)
    }

    /// Brings the host to the state that the batch describes, and feeds the blobs that it lacks.
    pub async fn apply(&mut self, batch: Batch) -> Result<Outcome, RunError> {
        let steps = batch.steps.len();
        let phase = batch.phase.clone();
        debug!(phase, steps, handlers = batch.handlers.len(), "applies");
        let _ = self.events.send(RunEvent::PhaseStarted {
            host: self.name.clone(),
            phase,
            steps,
        });
        self.send(&Request::Batch(batch)).await?;
        loop {
            match self.next().await? {
                Event::NeedBlob { blob } => self.send_blob(blob).await?,
                Event::PhaseDone { phase, outcome } => {
                    self.tell(Event::PhaseDone {
                        phase,
                        outcome: outcome.clone(),
                    });
                    return Ok(outcome);
                }
                event => self.tell(event),
            }
        }
    }

    /// Says goodbye, and doesn't wait for an answer: that would be one more round trip. If the word gets
    /// lost, the end of the connection says the same.
    pub async fn finish(self) {
        let _ = self.requests.send(&Request::Bye).await;
    }

    /// Waits until the user wants the run to end.
    pub async fn cancelled(&self) {
        self.cancel.clone().reached(Level::AfterStep).await;
    }

    /// Waits for the next event; passes a first Ctrl-C on to the agent, and gives up at a second.
    async fn next(&mut self) -> Result<Event, RunError> {
        loop {
            let level = self.next_level();
            let mut cancel = self.cancel.clone();
            tokio::select! {
                event = self.agent_events.next() => {
                    if let Ok(Some(Event::Log { level, line })) = event {
                        log::from_node(level, &line);
                        continue;
                    }
                    return match event {
                        Ok(Some(event)) => match self.gives_way_to(&event) {
                            Some(holder) => Err(self.locked_by(holder)),
                            None => Ok(event),
                        },
                        // It ends as it was told to; its last words may not have made it.
                        _ if self.told_to_stop => Err(RunError::Interrupted),
                        Ok(None) => Err(RunError::AgentGone { host: self.name.clone() }),
                        Err(source) => Err(RunError::Ssh { host: self.name.clone(), source }),
                    };
                }
                () = cancel.reached(level) => self.pass_on_cancel().await?,
                holder = turn(self.locked.clone()) => return Err(self.locked_by(holder)),
            }
        }
    }

    /// Of two projects' runs on the same hosts, which may each have some of the locks, the later one gives way: returns
    /// to whom.
    fn gives_way_to(&mut self, event: &Event) -> Option<String> {
        self.locked = None;
        self.has_waited |= matches!(event, Event::Waiting { .. });
        let Event::Waiting {
            holder,
            other: Some(run),
        } = event
        else {
            return None;
        };
        if *run <= self.run {
            return Some(holder.clone());
        }
        self.locked = Some((holder.clone(), Instant::now() + TURN));
        None
    }

    fn locked_by(&self, holder: String) -> RunError {
        RunError::Locked {
            host: self.name.clone(),
            holder,
        }
    }

    /// The level of Ctrl-C that hasn't been acted on.
    fn next_level(&self) -> Level {
        if self.told_to_stop {
            Level::Now
        } else {
            Level::AfterStep
        }
    }

    /// Tells the agent of a first Ctrl-C, once; fails at a second.
    async fn pass_on_cancel(&mut self) -> Result<(), RunError> {
        match self.cancel.level() {
            Level::Now => Err(RunError::Interrupted),
            Level::AfterStep if !self.told_to_stop => {
                self.told_to_stop = true;
                self.send(&Request::Cancel).await
            }
            Level::AfterStep | Level::Running => Ok(()),
        }
    }

    async fn send_blob(&mut self, blob: Sha256) -> Result<(), RunError> {
        if let Err(reason) = self.stream_blob(blob).await? {
            self.send(&Request::NoBlob { blob, reason }).await?;
        }
        Ok(())
    }

    /// Sends a blob in chunks; the inner error says why the bundle doesn't have it.
    async fn stream_blob(&mut self, blob: Sha256) -> Result<Result<(), String>, RunError> {
        let stored = match self.bundle.blob(blob) {
            Ok(stored) => stored,
            Err(error) => return Ok(Err(error.message)),
        };
        let (total, mut done) = (stored.stored, 0);
        debug!(%blob, bytes = total, "sends a blob");
        let mut reader = match stored.compressed() {
            Ok(reader) => reader,
            Err(error) => return Ok(Err(error.to_string())),
        };
        loop {
            let mut bytes = vec![0; CHUNK];
            match reader.read(&mut bytes) {
                Ok(count) => bytes.truncate(count),
                Err(error) => return Ok(Err(error.to_string())),
            }
            done += bytes.len() as u64;
            let last = bytes.is_empty();
            self.pass_on_cancel().await?;
            self.send(&Request::Chunk { blob, bytes }).await?;
            let host = self.name.clone();
            let _ = self.events.send(RunEvent::Upload { host, done, total });
            if last {
                return Ok(Ok(()));
            }
        }
    }

    /// Sends a request. A connection that takes nothing more is given up at the second Ctrl-C.
    async fn send(&self, request: &Request) -> Result<(), RunError> {
        let mut cancel = self.cancel.clone();
        tokio::select! {
            sent = self.requests.send(request) => sent.map_err(|source| RunError::Ssh {
                host: self.name.clone(),
                source,
            }),
            () = cancel.reached(Level::Now) => Err(RunError::Interrupted),
        }
    }

    fn tell(&self, event: Event) {
        let _ = self.events.send(RunEvent::Agent {
            host: self.name.clone(),
            event,
        });
    }
}

/// What a check of one host found.
#[derive(Debug, Default)]
pub struct Checked {
    pub changes: Vec<StepChanges>,
    /// Steps that could not be looked at, and why.
    pub failures: Vec<Event>,
    pub unchanged: u32,
}

/// Waits until a lock has been waited for long enough; returns who has it.
async fn turn(locked: Option<(String, Instant)>) -> String {
    match locked {
        Some((holder, end)) => {
            sleep_until(end).await;
            holder
        }
        None => std::future::pending().await,
    }
}

fn whoami() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("USERNAME"));
    let user = user.unwrap_or_else(|_| "unknown".to_owned());
    format!("{user}@{}", gethostname::gethostname().to_string_lossy())
}
