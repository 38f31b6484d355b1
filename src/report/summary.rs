//! The recap of a run: hosts, failures, and where the time went.

use std::time::Duration;

use indexmap::IndexMap;
use serde::Serialize;

use crate::plan::LeftOut;
use crate::run::RunEvent;
use crate::wire::{Event, StepError, StepState};

/// Built by feeding it every event of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    pub hosts: IndexMap<String, HostSummary>,
    pub failures: Vec<Failure>,
    /// Parts of the plan that could not be done.
    pub left_out: Vec<LeftOut>,
    /// Seconds of each changed step by host, in the order in which they ended.
    pub steps: Vec<(String, String, f64)>,
    pub elapsed: Duration,
}

/// What happened on one host.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HostSummary {
    pub changed: u32,
    pub unchanged: u32,
    pub failed: bool,
    /// Nothing could be done there.
    pub unreachable: bool,
}

/// A step that failed, or a host that was lost.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    pub host: String,
    /// `None` when the host itself was the trouble.
    pub step: Option<String>,
    pub error: StepError,
}

impl Summary {
    /// Takes one event in.
    pub fn add(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Started { hosts, .. } => {
                for host in hosts {
                    self.hosts.entry(host.clone()).or_default();
                }
            }
            RunEvent::Agent {
                host,
                event: Event::Step { id, state, .. },
            } => self.step(host, id, state),
            RunEvent::HostFailed { host, message } => {
                let known = self.failures.iter().any(|failure| failure.host == *host);
                self.hosts.entry(host.clone()).or_default().failed = true;
                if !known {
                    let error = StepError {
                        message: message.clone(),
                        output: Vec::new(),
                        hint: None,
                    };
                    self.failures.push(Failure {
                        host: host.clone(),
                        step: None,
                        error,
                    });
                }
            }
            RunEvent::HostUnreachable { host, error } => {
                self.hosts.entry(host.clone()).or_default().unreachable = true;
                self.failures.push(Failure {
                    host: host.clone(),
                    step: None,
                    error: error.clone(),
                });
            }
            RunEvent::LeftOut(left_out) => self.left_out.push(left_out.clone()),
            RunEvent::HostDone {
                host,
                changed,
                unchanged,
            } => {
                let entry = self.hosts.entry(host.clone()).or_default();
                // Its steps were counted one by one, also those of an earlier part of the run.
                entry.changed = entry.changed.max(*changed);
                entry.unchanged = entry.unchanged.max(*unchanged);
            }
            RunEvent::Finished { elapsed } => self.elapsed = *elapsed,
            _ => {}
        }
    }

    /// Returns the slowest steps, slowest first.
    pub fn slowest(&self, count: usize) -> Vec<&(String, String, f64)> {
        let mut steps: Vec<_> = self.steps.iter().collect();
        steps.sort_by(|a, b| b.2.total_cmp(&a.2));
        steps.truncate(count);
        steps
    }

    /// Returns the hosts on which nothing could be done.
    pub fn unreachable(&self) -> Vec<String> {
        let hosts = self.hosts.iter();
        let unreachable = hosts.filter(|(_, host)| host.unreachable);
        unreachable.map(|(name, _)| name.clone()).collect()
    }

    /// Returns whether all that went wrong is that hosts could not be reached.
    pub fn lacks_hosts_only(&self) -> bool {
        let mut hosts = self.hosts.values();
        hosts.any(|host| host.unreachable) && !self.hosts.values().any(|host| host.failed)
    }

    /// Returns how many steps changed something, over all hosts.
    pub fn changed(&self) -> u32 {
        self.hosts.values().map(|host| host.changed).sum()
    }

    fn step(&mut self, host: &str, id: &str, state: &StepState) {
        let entry = self.hosts.entry(host.to_owned()).or_default();
        match state {
            StepState::Unchanged => entry.unchanged += 1,
            StepState::Changed { milliseconds, .. } => {
                entry.changed += 1;
                let seconds = Duration::from_millis(*milliseconds).as_secs_f64();
                self.steps.push((host.to_owned(), id.to_owned(), seconds));
            }
            StepState::Failed(error) => {
                entry.failed = true;
                self.failures.push(Failure {
                    host: host.to_owned(),
                    step: Some(id.to_owned()),
                    error: error.clone(),
                });
            }
            StepState::Started | StepState::WouldChange(_) => {}
        }
    }
}
