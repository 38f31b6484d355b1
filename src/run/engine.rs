//! Walks a plan over all hosts at once.
//!
//! Each host does its own phases in the plan's order. It waits for other hosts only where a phase names
//! one in [`crate::plan::Phase::after`]; a phase that failed somewhere stops those that wait for it. What a host
//! does for another one (a phase of a roll) is done as soon as it may: see [`super::walk`].

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{Instrument as _, debug_span};

use super::board::{Board, Failure};
use super::host::Checked;
use super::walk::{Stop, Walk};
use super::{EventSender, HostRun, PlannedChanges, RunError, RunEvent, RunIdentity};
use crate::error_chain::error_chain;
use crate::plan::Plan;
use crate::wire::Mode;

/// The hosts of a run.
pub struct Engine {
    identity: RunIdentity,
    hosts: Vec<HostRun>,
    /// Hosts that were lost while they were looked at, and how.
    lost: Vec<(String, String)>,
    /// Hosts for which not all was done.
    failed: BTreeSet<String>,
    events: EventSender,
}

/// What a check of all hosts found.
#[derive(Debug, Default)]
pub struct CheckedHosts {
    pub planned: PlannedChanges,
    /// Some step could not be looked at. Where steps before it change something, it may well be after
    /// them.
    pub failed: bool,
    /// What observers hear of it.
    events: Vec<RunEvent>,
}

impl Engine {
    pub fn new(identity: RunIdentity, hosts: Vec<HostRun>, events: EventSender) -> Self {
        Self {
            identity,
            hosts,
            lost: Vec::new(),
            failed: BTreeSet::new(),
            events,
        }
    }

    /// Returns whether an earlier run was cut off between a change and the restart that it needs.
    pub fn has_pending_handlers(&self) -> bool {
        self.hosts
            .iter()
            .any(|host| !host.facts.pending_handlers.is_empty())
    }

    /// Returns whether another run was at work on a host after its facts were gathered: they may be wrong by now.
    pub fn has_waited(&self) -> bool {
        self.hosts.iter().any(|host| host.has_waited)
    }

    /// Returns whether [`Engine::apply`] did not do all that it should for a host.
    pub fn has_failed(&self, host: &str) -> bool {
        self.failed.contains(host)
    }

    /// Returns what [`Engine::apply`] would change. Hosts are asked in parallel, each in one round trip.
    /// An `exclusive` check waits for whoever else is changing a host.
    pub async fn check(&mut self, plan: &Plan, exclusive: bool) -> Result<CheckedHosts, RunError> {
        let mut tasks = JoinSet::new();
        for (index, mut host) in self.hosts.drain(..).enumerate() {
            let batches: Vec<_> = plan
                .phases
                .iter()
                .filter_map(|phase| phase.batches.get(&host.name))
                .cloned()
                .collect();
            let identity = self.identity.clone();
            let span = debug_span!("host", name = host.name);
            tasks.spawn(
                async move {
                    let result = match host.start(&identity, Mode::Check, exclusive).await {
                        Ok(()) => host.check(batches).await,
                        Err(error) => Err(error),
                    };
                    (index, host, result)
                }
                .instrument(span),
            );
        }
        let mut results: Vec<_> = tasks.join_all().await;
        results.sort_by_key(|(index, ..)| *index);
        let mut checked = CheckedHosts::default();
        for (_, host, result) in results {
            match result {
                Ok(found) => {
                    checked.add(&host.name, found);
                    self.hosts.push(host);
                }
                Err(error @ (RunError::Interrupted | RunError::Locked { .. })) => {
                    return Err(error);
                }
                Err(error) => {
                    checked.failed = true;
                    checked.events.push(RunEvent::HostFailed {
                        host: host.name.clone(),
                        message: error_chain(&error),
                    });
                    self.lost.push((host.name, error_chain(&error)));
                }
            }
        }
        checked.planned.add_order(plan);
        let left_out = plan.left_out.iter().cloned();
        checked.events.extend(left_out.map(RunEvent::LeftOut));
        Ok(checked)
    }

    /// Tells observers what a check found, where nothing follows it.
    pub fn tell(&self, checked: &CheckedHosts) {
        for event in &checked.events {
            let _ = self.events.send(event.clone());
        }
    }

    /// Brings every host to its planned state; returns whether all hosts got there.
    pub async fn apply(&mut self, plan: &Plan) -> Result<bool, RunError> {
        let plan = Arc::new(plan.clone());
        let (board, _) = watch::channel(Board::of(&plan));
        let board = Arc::new(board);
        for (host, message) in std::mem::take(&mut self.lost) {
            self.give_up(&plan, &board, &host, &message);
        }
        let mut tasks = JoinSet::new();
        for host in self.hosts.drain(..) {
            let walk = Walk {
                plan: Arc::clone(&plan),
                board: Arc::clone(&board),
                events: self.events.clone(),
                identity: RunIdentity {
                    break_lock: false,
                    ..self.identity.clone()
                },
            };
            let span = debug_span!("host", name = host.name);
            tasks.spawn(walk.host(host).instrument(span));
        }
        for left_out in &plan.left_out {
            let _ = self.events.send(RunEvent::LeftOut(left_out.clone()));
        }
        let mut interrupted = false;
        for (host, stops) in tasks.join_all().await {
            for (concerned, stop) in stops {
                match stop {
                    Stop::Interrupted => interrupted = true,
                    Stop::Failed { message, .. } | Stop::Lost(message) => {
                        self.failed.insert(concerned.clone());
                        let _ = self.events.send(RunEvent::HostFailed {
                            host: concerned,
                            message,
                        });
                    }
                }
            }
            self.hosts.push(host);
        }
        if interrupted {
            Err(RunError::Interrupted)
        } else {
            Ok(plan.left_out.is_empty() && self.failed.is_empty())
        }
    }

    /// A host that isn't there any more fails all that it should do.
    fn give_up(&mut self, plan: &Plan, board: &watch::Sender<Board>, host: &str, message: &str) {
        for phase in &plan.phases {
            if phase.batches.contains_key(host) {
                let concerned = phase.host.as_deref().unwrap_or(host);
                let cause = Failure {
                    phase: phase.name.clone(),
                    host: host.to_owned(),
                };
                board.send_modify(|board| board.fail(&phase.name, host, concerned, cause));
                self.failed.insert(concerned.to_owned());
            }
        }
        self.failed.insert(host.to_owned());
        let _ = self.events.send(RunEvent::HostFailed {
            host: host.to_owned(),
            message: message.to_owned(),
        });
    }

    /// Ends all agents.
    pub async fn finish(self) {
        let mut tasks = JoinSet::new();
        for host in self.hosts {
            tasks.spawn(host.finish());
        }
        tasks.join_all().await;
    }
}

impl CheckedHosts {
    /// Adds what another check found, which comes after this one.
    pub fn append(&mut self, later: Self) {
        self.failed |= later.failed;
        self.planned.append(later.planned);
        self.events.extend(later.events);
    }

    fn add(&mut self, host: &str, checked: Checked) {
        let is_done = checked.changes.is_empty() && checked.failures.is_empty();
        self.failed |= !checked.failures.is_empty();
        self.planned.steps.extend(checked.changes);
        let host = host.to_owned();
        let failures = checked.failures.into_iter();
        self.events.extend(failures.map(|event| RunEvent::Agent {
            host: host.clone(),
            event,
        }));
        if is_done {
            self.events.push(RunEvent::HostDone {
                host,
                changed: 0,
                unchanged: checked.unchanged,
            });
        }
    }
}
