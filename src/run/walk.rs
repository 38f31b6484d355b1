//! One host's way through the plan.
//!
//! Its own phases follow one another, and the first that fails is the last. What it does for other hosts, in
//! phases of a roll, comes after its own phases that the plan has before it; else each is done as soon as those
//! that it waits for are done, so that the chains of a roll don't hold each other up. There a failure is the other
//! host's, and this one goes on.

use std::sync::Arc;

use tokio::sync::watch;

use super::board::{Board, Failure};
use super::{EventSender, HostRun, RunError, RunEvent, RunIdentity};
use crate::error_chain::error_chain;
use crate::plan::{Phase, Plan};
use crate::resource::{Condition, Resource};
use crate::wire::{Batch, Mode, Outcome};

/// Why a phase was not done.
pub(super) enum Stop {
    /// A step failed, or a phase that this one waits for.
    Failed {
        message: String,
        cause: Failure,
    },
    /// The host's agent is gone.
    Lost(String),
    Interrupted,
}

/// What one host's task needs to walk through the plan.
pub(super) struct Walk {
    pub plan: Arc<Plan>,
    pub board: Arc<watch::Sender<Board>>,
    pub events: EventSender,
    pub identity: RunIdentity,
}

/// One phase of a host, and the host's part in it.
struct Turn<'a> {
    phase: &'a Phase,
    batch: &'a Batch,
    /// The other host that is concerned.
    other: Option<&'a str>,
}

impl Walk {
    /// Does all phases; returns why some were not done, by the host that is concerned.
    pub(super) async fn host(self, mut host: HostRun) -> (HostRun, Vec<(String, Stop)>) {
        let mut turns = turns(&self.plan, &host.name);
        let mut stops = Vec::new();
        if let Err(stop) = self.all(&mut host, &mut turns, &mut stops).await {
            for turn in &turns {
                let cause = match &stop {
                    Stop::Failed { cause, .. } => cause.clone(),
                    Stop::Lost(_) | Stop::Interrupted => Failure {
                        phase: turn.phase.name.clone(),
                        host: host.name.clone(),
                    },
                };
                self.fail(&host.name, turn, cause);
            }
            stops.push((host.name.clone(), stop));
        }
        (host, stops)
    }

    /// Does the phases and takes each off the list when it is over.
    async fn all(
        &self,
        host: &mut HostRun,
        turns: &mut Vec<Turn<'_>>,
        stops: &mut Vec<(String, Stop)>,
    ) -> Result<(), Stop> {
        let _ = self.events.send(RunEvent::Planned {
            host: host.name.clone(),
            steps: turns.iter().map(|turn| turn.batch.steps.len()).sum(),
        });
        host.start(&self.identity, Mode::Apply, true).await?;
        let (mut changed, mut unchanged) = (0, 0);
        while !turns.is_empty() {
            let (position, ready) = tokio::select! {
                biased;
                () = host.cancelled() => return Err(Stop::Interrupted),
                next = self.next(&host.name, turns) => next?,
            };
            let turn = &turns[position];
            let result = match ready {
                Ok(()) => self.apply(host, turn).await,
                Err(cause) => Err(Stop::because_of(cause)),
            };
            match (result, turn.other) {
                (Ok(counts), _) => {
                    changed += counts.0;
                    unchanged += counts.1;
                    let phase = &turn.phase.name;
                    self.board
                        .send_modify(|board| board.done(phase, &host.name));
                }
                (Err(Stop::Failed { message, cause }), Some(other)) => {
                    self.fail(&host.name, turn, cause.clone());
                    stops.push((other.to_owned(), Stop::Failed { message, cause }));
                }
                (Err(stop), _) => return Err(stop),
            }
            turns.remove(position);
        }
        let _ = self.events.send(RunEvent::HostDone {
            host: host.name.clone(),
            changed,
            unchanged,
        });
        Ok(())
    }

    /// Waits until it is known of one of the phases whether it may begin.
    async fn next(
        &self,
        host: &str,
        turns: &[Turn<'_>],
    ) -> Result<(usize, Result<(), Failure>), Stop> {
        let mut board = self.board.subscribe();
        let mut told = Vec::new();
        let is_known = |board: &Board| {
            let is_known = next(turns, board).is_some();
            let hosts = turns.first().map(|turn| board.waits_for(turn.phase));
            let hosts = hosts.unwrap_or_default();
            if !is_known && hosts != told {
                told.clone_from(&hosts);
                let host = host.to_owned();
                let _ = self.events.send(RunEvent::WaitsFor { host, hosts });
            }
            is_known
        };
        let known = board.wait_for(is_known).await;
        let known = known.ok().and_then(|board| next(turns, &board));
        known.ok_or(Stop::Interrupted)
    }

    /// Does one phase; returns the numbers of changed and of unchanged steps.
    async fn apply(&self, host: &mut HostRun, turn: &Turn<'_>) -> Result<(u32, u32), Stop> {
        let failed = self.board.borrow().failed_before(turn.phase);
        let batch = without(turn.batch.clone(), &failed);
        match host.apply(batch).await? {
            Outcome::Done { changed, unchanged } => Ok((changed, unchanged)),
            Outcome::Failed { step } => Err(Stop::Failed {
                message: format!("stopped at {step}"),
                cause: Failure {
                    phase: turn.phase.name.clone(),
                    host: host.name.clone(),
                },
            }),
            Outcome::Interrupted => Err(Stop::Interrupted),
        }
    }

    fn fail(&self, host: &str, turn: &Turn<'_>, cause: Failure) {
        let (phase, concerned) = (&turn.phase.name, turn.other.unwrap_or(host));
        self.board
            .send_modify(|board| board.fail(phase, host, concerned, cause));
    }
}

impl Stop {
    fn because_of(cause: Failure) -> Self {
        Self::Failed {
            message: format!("not done, because {} failed on {}", cause.phase, cause.host),
            cause,
        }
    }
}

impl From<RunError> for Stop {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Interrupted => Self::Interrupted,
            error => Self::Lost(error_chain(&error)),
        }
    }
}

/// Leaves out what is for hosts that failed, and what would be waited for on them.
fn without(mut batch: Batch, failed: &[String]) -> Batch {
    let has_failed = |host: &String| failed.contains(host);
    batch
        .steps
        .retain(|step| !step.host.as_ref().is_some_and(has_failed));
    for step in &mut batch.steps {
        if let Resource::Wait(wait) = &mut step.resource
            && let Condition::RolledOut { without, .. } = &mut wait.condition
        {
            without.extend_from_slice(failed);
        }
    }
    batch
}

/// Returns the phases that a host takes part in, in the plan's order.
fn turns<'a>(plan: &'a Plan, host: &str) -> Vec<Turn<'a>> {
    let phases = plan.phases.iter();
    phases
        .filter_map(|phase| {
            let batch = phase.batches.get(host)?;
            let other = phase.host.as_deref().filter(|it| *it != host);
            Some(Turn {
                phase,
                batch,
                other,
            })
        })
        .collect()
}

/// Finds the first phase of which is known whether it may begin. Own phases, and what comes after them in the
/// plan, wait for the own phases before.
fn next(turns: &[Turn<'_>], board: &Board) -> Option<(usize, Result<(), Failure>)> {
    for (position, turn) in turns.iter().enumerate() {
        match board.ready(turn.phase) {
            Some(ready) => return Some((position, ready)),
            None if turn.other.is_none() => return None,
            None => {}
        }
    }
    None
}
