//! What earlier runs did: a fold over the events of a journal.

use std::time::Duration;

use indexmap::IndexSet;
use serde::Serialize;

use super::Summary;
use crate::run::RunEvent;

/// A run of the past.
#[derive(Clone, Debug, Serialize)]
pub struct PastRun {
    /// Name of the run: when it began (UTC), and the process.
    pub run: String,
    /// The words of the command; empty in journals of kinstall 0.1.0.
    pub command: String,
    /// Version of kinstall.
    pub kinstall: String,
    /// `2026-11-27T02:50:00Z`.
    pub began: String,
    pub seconds: f64,
    pub result: RunResult,
    /// What kept the run from its work, beside failures on hosts.
    pub problem: Option<String>,
    /// Steps that changed something.
    pub changed: u32,
    /// Hosts on which something changed.
    pub hosts_changed: Vec<String>,
    #[serde(skip)]
    pub summary: Summary,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunResult {
    Done,
    Failed,
    /// Hosts could not be reached, and nothing else went wrong.
    Unreachable,
    /// Its journal has no end: the run was killed, or goes on.
    NoEnd,
}

impl RunResult {
    /// Returns the words for it.
    pub fn words(self) -> &'static str {
        match self {
            RunResult::Done => "done",
            RunResult::Failed => "failed",
            RunResult::Unreachable => "hosts unreachable",
            RunResult::NoEnd => "no end",
        }
    }
}

impl PastRun {
    /// Sums a journal up. `lasted` counts where the journal doesn't say how long the run took.
    pub fn of(run: &str, events: impl IntoIterator<Item = RunEvent>, lasted: Duration) -> Self {
        let mut summary = Summary::default();
        let (mut command, mut kinstall) = (String::new(), String::new());
        let (mut problem, mut has_end) = (None, false);
        for event in events {
            summary.add(&event);
            match event {
                RunEvent::Began {
                    command: words,
                    kinstall: version,
                } => (command, kinstall) = (words, version),
                RunEvent::Ended { problem: found } => (problem, has_end) = (found, true),
                // The last event of a journal of kinstall 0.1.0.
                RunEvent::Finished { .. } => has_end = has_end || command.is_empty(),
                _ => {}
            }
        }
        let is_whole = summary.failures.is_empty() && summary.left_out.is_empty();
        let result = match has_end {
            false => RunResult::NoEnd,
            true if problem.is_some() => RunResult::Failed,
            true if is_whole => RunResult::Done,
            true if summary.lacks_hosts_only() => RunResult::Unreachable,
            true => RunResult::Failed,
        };
        if summary.elapsed.is_zero() {
            summary.elapsed = lasted;
        }
        let hosts: IndexSet<String> = summary.steps.iter().map(|step| step.0.clone()).collect();
        Self {
            run: run.to_owned(),
            command,
            kinstall,
            began: began(run),
            seconds: summary.elapsed.as_secs_f64(),
            result,
            problem,
            changed: summary.changed(),
            hosts_changed: hosts.into_iter().collect(),
            summary,
        }
    }
}

/// Reads `20261127T025000Z-4711` as `2026-11-27T02:50:00Z`.
fn began(run: &str) -> String {
    let stamp = run.split('-').next().unwrap_or_default();
    let parsed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", stamp);
    parsed.map_or_else(|_| stamp.to_owned(), |time| format!("{time}Z"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{PastRun, RunResult};
    use crate::run::RunEvent;
    use crate::wire::{Event, StepError, StepState};

    const RUN: &str = "20261127T025000Z-4711";

    fn step(state: StepState) -> RunEvent {
        RunEvent::Agent {
            host: "node1".to_owned(),
            event: Event::Step {
                phase: "node".to_owned(),
                id: "containerd/configuration".to_owned(),
                state,
            },
        }
    }

    fn error() -> StepError {
        StepError {
            message: "no space left on device".to_owned(),
            output: Vec::new(),
            hint: None,
        }
    }

    fn of(events: Vec<RunEvent>) -> PastRun {
        let began = RunEvent::Began {
            command: "node add".to_owned(),
            kinstall: "0.2.0".to_owned(),
        };
        let events = [began].into_iter().chain(events);
        PastRun::of(RUN, events, Duration::from_secs(7))
    }

    #[test]
    fn a_run_says_when_it_was_what_it_changed_and_how_it_ended() {
        let changed = step(StepState::Changed {
            changes: Vec::new(),
            milliseconds: 300,
        });
        let unreachable = RunEvent::HostUnreachable {
            host: "node2".to_owned(),
            error: error(),
        };
        let ended = |problem: Option<&str>| RunEvent::Ended {
            problem: problem.map(str::to_owned),
        };
        let run = of(vec![changed.clone(), ended(None)]);
        assert_eq!(run.began, "2026-11-27T02:50:00Z");
        assert_eq!((run.command.as_str(), run.changed), ("node add", 1));
        assert_eq!(run.hosts_changed, ["node1"]);
        assert!((run.seconds - 7.0).abs() < 0.01);
        assert_eq!(run.result, RunResult::Done);

        let failed = step(StepState::Failed(error()));
        for (events, result) in [
            (vec![changed.clone()], RunResult::NoEnd),
            (vec![failed, ended(None)], RunResult::Failed),
            (vec![ended(Some("no bundle"))], RunResult::Failed),
            (
                vec![changed, unreachable, ended(None)],
                RunResult::Unreachable,
            ),
        ] {
            assert_eq!(of(events).result, result);
        }
    }
}
