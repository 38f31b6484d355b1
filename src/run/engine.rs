//! Walks a plan over all hosts at once.
//!
//! Each host does its phases in the plan's order. It waits for other hosts only where a phase names
//! one in [`crate::plan::Phase::after`]; a phase that failed somewhere stops those that wait for it.

use std::collections::{BTreeMap, VecDeque};
use std::error::Error as _;
use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::task::JoinSet;

use super::host::Checked;
use super::{EventSender, HostRun, PlannedChanges, RunError, RunEvent};
use crate::plan::{Phase, Plan};
use crate::wire::{Mode, Outcome};

/// The hosts of a run.
pub struct Engine {
    run: String,
    hosts: Vec<HostRun>,
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

/// How far each phase is: hosts that still have to do it, and the host on which it failed.
#[derive(Clone, Debug, Default)]
struct Board(BTreeMap<String, Progress>);

#[derive(Clone, Debug, Default)]
struct Progress {
    open: usize,
    failed_on: Option<String>,
}

impl Engine {
    pub fn new(run: String, hosts: Vec<HostRun>, events: EventSender) -> Self {
        Self { run, hosts, events }
    }

    /// Returns whether an earlier run was cut off between a change and the restart that it needs.
    pub fn has_pending_handlers(&self) -> bool {
        self.hosts
            .iter()
            .any(|host| !host.facts.pending_handlers.is_empty())
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
            let run = self.run.clone();
            tasks.spawn(async move {
                let result = match host.start(&run, Mode::Check, exclusive).await {
                    Ok(()) => host.check(batches).await,
                    Err(error) => Err(error),
                };
                (index, host, result)
            });
        }
        let mut results: Vec<_> = tasks.join_all().await;
        results.sort_by_key(|(index, ..)| *index);
        let mut checked = CheckedHosts::default();
        for (_, host, result) in results {
            checked.add(&host.name, result?);
            self.hosts.push(host);
        }
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
        let permits: Arc<BTreeMap<String, Semaphore>> = Arc::new(
            plan.phases
                .iter()
                .filter_map(|phase| Some((phase.name.clone(), Semaphore::new(phase.serial?))))
                .collect(),
        );
        let mut tasks = JoinSet::new();
        for host in self.hosts.drain(..) {
            let walk = Walk {
                plan: Arc::clone(&plan),
                board: Arc::clone(&board),
                permits: Arc::clone(&permits),
                events: self.events.clone(),
                run: self.run.clone(),
            };
            tasks.spawn(walk.host(host));
        }
        let mut all_done = true;
        let mut interrupted = false;
        for (host, result) in tasks.join_all().await {
            match result {
                Ok(()) => {}
                Err(Stop::Interrupted) => interrupted = true,
                Err(Stop::Failed(message)) => {
                    all_done = false;
                    let host = host.name.clone();
                    let _ = self.events.send(RunEvent::HostFailed { host, message });
                }
            }
            self.hosts.push(host);
        }
        if interrupted {
            Err(RunError::Interrupted)
        } else {
            Ok(all_done)
        }
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

/// Why a host stopped before its last phase.
enum Stop {
    Failed(String),
    Interrupted,
}

/// What one host's task needs to walk through the plan.
struct Walk {
    plan: Arc<Plan>,
    board: Arc<watch::Sender<Board>>,
    permits: Arc<BTreeMap<String, Semaphore>>,
    events: EventSender,
    run: String,
}

impl Walk {
    async fn host(self, mut host: HostRun) -> (HostRun, Result<(), Stop>) {
        let mut phases: VecDeque<&Phase> = self
            .plan
            .phases
            .iter()
            .filter(|it| it.batches.contains_key(&host.name))
            .collect();
        let result = self.phases(&mut host, &mut phases).await;
        if result.is_err() {
            self.board
                .send_modify(|board| board.give_up(&phases, &host.name));
        }
        (host, result)
    }

    /// Does the phases in order and takes each off the list when it is done.
    async fn phases(&self, host: &mut HostRun, phases: &mut VecDeque<&Phase>) -> Result<(), Stop> {
        host.start(&self.run, Mode::Apply, true)
            .await
            .map_err(Stop::from)?;
        let (mut changed_total, mut unchanged_total) = (0, 0);
        while let Some(phase) = phases.front() {
            let Some(batch) = phase.batches.get(&host.name) else {
                break;
            };
            let _permit = tokio::select! {
                turn = self.turn(phase) => turn?,
                () = host.cancelled() => return Err(Stop::Interrupted),
            };
            match host.apply(batch.clone()).await.map_err(Stop::from)? {
                Outcome::Done { changed, unchanged } => {
                    changed_total += changed;
                    unchanged_total += unchanged;
                }
                Outcome::Failed { step } => return Err(Stop::Failed(format!("stopped at {step}"))),
                Outcome::Interrupted => return Err(Stop::Interrupted),
            }
            self.board.send_modify(|board| board.done(&phase.name));
            phases.pop_front();
        }
        let (host, changed, unchanged) = (host.name.clone(), changed_total, unchanged_total);
        let _ = self.events.send(RunEvent::HostDone {
            host,
            changed,
            unchanged,
        });
        Ok(())
    }

    /// Waits until the phase may begin on one more host; the permit is for as long as it works there.
    async fn turn(&self, phase: &Phase) -> Result<Option<SemaphorePermit<'_>>, Stop> {
        self.wait_for(phase).await?;
        Ok(match self.permits.get(&phase.name) {
            Some(permits) => permits.acquire().await.ok(),
            None => None,
        })
    }

    async fn wait_for(&self, phase: &Phase) -> Result<(), Stop> {
        let mut board = self.board.subscribe();
        let ready = board.wait_for(|board| board.ready(phase).is_some()).await;
        match ready.ok().and_then(|board| board.ready(phase)) {
            Some(Ok(())) => Ok(()),
            Some(Err((needed, host))) => Err(Stop::Failed(format!(
                "not done, because {needed} failed on {host}"
            ))),
            None => Err(Stop::Interrupted),
        }
    }
}

impl From<RunError> for Stop {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Interrupted => Stop::Interrupted,
            error => {
                let mut message = error.to_string();
                let mut cause = error.source();
                while let Some(error) = cause {
                    message = format!("{message}: {error}");
                    cause = error.source();
                }
                Stop::Failed(message)
            }
        }
    }
}

impl Board {
    fn of(plan: &Plan) -> Self {
        let open = |phase: &Phase| Progress {
            open: phase.batches.len(),
            failed_on: None,
        };
        Self(
            plan.phases
                .iter()
                .map(|phase| (phase.name.clone(), open(phase)))
                .collect(),
        )
    }

    fn done(&mut self, phase: &str) {
        if let Some(progress) = self.0.get_mut(phase) {
            progress.open = progress.open.saturating_sub(1);
        }
    }

    /// A host that stopped will not do these phases any more.
    fn give_up(&mut self, phases: &VecDeque<&Phase>, host: &str) {
        for phase in phases {
            if let Some(progress) = self.0.get_mut(&phase.name) {
                progress.failed_on.get_or_insert_with(|| host.to_owned());
            }
        }
    }

    /// Returns whether a phase may start: `None` while it has to wait.
    fn ready(&self, phase: &Phase) -> Option<Result<(), (String, String)>> {
        let needed = || {
            phase
                .after
                .iter()
                .filter_map(|name| Some((name, self.0.get(name)?)))
        };
        if let Some((name, progress)) = needed().find(|(_, progress)| progress.failed_on.is_some())
        {
            let host = progress.failed_on.clone().unwrap_or_default();
            return Some(Err((name.clone(), host)));
        }
        needed()
            .all(|(_, progress)| progress.open == 0)
            .then_some(Ok(()))
    }
}
