//! One host of a run: its agent's channel, and the pump between agent and observers.

use std::io::Read as _;
use std::sync::Arc;

use super::cancel::Level;
use super::{Cancel, EventSender, RunError, RunEvent};
use crate::bundle::Bundle;
use crate::report::StepChanges;
use crate::resource::Sha256;
use crate::ssh::{AgentChannel, Events, Requests};
use crate::wire::{Batch, Event, Facts, Mode, Outcome, Request, StepState};

/// Bytes of a blob in one message: large enough to fill the link, small enough to cancel between.
const CHUNK: usize = 256 << 10;

/// A host whose agent answers.
pub struct HostRun {
    pub name: String,
    pub facts: Facts,
    requests: Requests,
    agent_events: Events,
    bundle: Arc<Bundle>,
    events: EventSender,
    cancel: Cancel,
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
        }
    }

    /// Begins a run in a mode; an exclusive one locks the node.
    pub async fn start(&mut self, run: &str, mode: Mode, exclusive: bool) -> Result<(), RunError> {
        let controller = format!("{} (pid {})", whoami(), std::process::id());
        let request = Request::Start {
            run: run.to_owned(),
            controller,
            mode,
            exclusive,
        };
        self.send(&request).await
    }

    /// Asks what all these batches would change: everything is sent at once, so it is one round trip.
    pub async fn check(&mut self, batches: Vec<Batch>) -> Result<Checked, RunError> {
        let mut open = batches.len();
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
                } => {
                    let host = self.name.clone();
                    checked.changes.push(StepChanges {
                        host,
                        phase,
                        step: id,
                        changes,
                    });
                }
                event @ Event::Step {
                    state: StepState::Failed(_),
                    ..
                } => {
                    checked.failed = true;
                    self.tell(event);
                }
                Event::PhaseDone { outcome, .. } => {
                    open -= 1;
                    if let Outcome::Done { unchanged, .. } = outcome {
                        checked.unchanged += unchanged;
                    }
                }
                // What is as it should be is counted, not told: `apply` looks at it again.
                Event::Step {
                    state: StepState::Unchanged | StepState::Started,
                    ..
                } => {}
                event => self.tell(event),
            }
        }
        Ok(checked)
    }

    /// Brings the host to the state that the batch describes, and feeds the blobs that it lacks.
    pub async fn apply(&mut self, batch: Batch) -> Result<Outcome, RunError> {
        let steps = batch.steps.len();
        let phase = batch.phase.clone();
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

    /// Says goodbye, so that the agent ends at once.
    pub async fn finish(mut self) {
        if self.requests.send(&Request::Bye).await.is_ok() {
            while let Ok(Some(_)) = self.agent_events.next().await {}
        }
    }

    /// Waits for the next event; passes a first Ctrl-C on to the agent, and gives up at a second.
    async fn next(&mut self) -> Result<Event, RunError> {
        let mut told = self.cancel.level() >= Level::AfterStep;
        loop {
            let level = if told { Level::Now } else { Level::AfterStep };
            let mut cancel = self.cancel.clone();
            tokio::select! {
                event = self.agent_events.next() => {
                    return event
                        .map_err(|source| RunError::Ssh { host: self.name.clone(), source })?
                        .ok_or_else(|| RunError::AgentGone { host: self.name.clone() });
                }
                () = cancel.reached(level) => {
                    if told {
                        return Err(RunError::Interrupted);
                    }
                    told = true;
                    self.send(&Request::Cancel).await?;
                }
            }
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
            self.send(&Request::Chunk { blob, bytes }).await?;
            let host = self.name.clone();
            let _ = self.events.send(RunEvent::Upload { host, done, total });
            if last {
                return Ok(Ok(()));
            }
        }
    }

    async fn send(&self, request: &Request) -> Result<(), RunError> {
        let host = || self.name.clone();
        self.requests
            .send(request)
            .await
            .map_err(|source| RunError::Ssh {
                host: host(),
                source,
            })
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
    pub unchanged: u32,
    /// A probe failed; the events say which.
    pub failed: bool,
}

fn whoami() -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| "somebody".to_owned());
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    format!("{user}@{host}")
}
