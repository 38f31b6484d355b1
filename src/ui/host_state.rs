//! What each host of a run does now, and how far it is: a fold over events.

use std::collections::BTreeMap;

use super::lines::Narrator;
use crate::run::RunEvent;
use crate::wire::{Event, StepState};

/// The hosts of a run by name.
#[derive(Default)]
pub struct HostStates {
    hosts: BTreeMap<String, HostState>,
    narrator: Narrator,
}

/// One host.
#[derive(Default)]
struct HostState {
    /// Steps that are done, of all that the plan has for the host; none before there is a plan.
    done: usize,
    planned: usize,
    /// Steps of the phase that is under way, and those of them that are done.
    phase: usize,
    done_of_phase: usize,
    now: String,
    /// The hosts whose phases it waits for.
    waits_for: Vec<String>,
}

impl HostStates {
    /// Takes in an event; returns the hosts whose state may look different now, and what is new in words.
    pub fn add(&mut self, event: &RunEvent) -> (Vec<String>, Option<(String, String)>) {
        let news = self.narrator.tell(event);
        let mut changed = Vec::new();
        if let Some((host, text)) = &news {
            let state = self.hosts.entry(host.clone()).or_default();
            state.now.clone_from(text);
            state.waits_for.clear();
            let waiting = self
                .hosts
                .iter()
                .filter(|(_, it)| it.waits_for.contains(host));
            changed.extend(waiting.map(|(name, _)| name.clone()));
            changed.push(host.clone());
        }
        match event {
            RunEvent::Planned { host, steps } => self.change(host, &mut changed, |state| {
                (state.done, state.planned) = (0, *steps);
            }),
            RunEvent::WaitsFor { host, hosts } => self.change(host, &mut changed, |state| {
                state.waits_for.clone_from(hosts);
            }),
            RunEvent::PhaseStarted { host, phase, steps } => {
                self.change(host, &mut changed, |state| {
                    (state.phase, state.done_of_phase) = (*steps, 0);
                    state.now.clone_from(phase);
                    state.waits_for.clear();
                });
            }
            RunEvent::Agent {
                host,
                event:
                    Event::Step {
                        state: StepState::Unchanged | StepState::Changed { .. },
                        ..
                    },
            } => self.change(host, &mut changed, HostState::step_done),
            _ => {}
        }
        (changed, news)
    }

    /// Returns how many steps are done, of how many; `None` before the host has a plan.
    pub fn steps(&self, host: &str) -> Option<(usize, usize)> {
        let state = self.hosts.get(host).filter(|it| it.planned > 0)?;
        Some((state.done, state.planned))
    }

    /// Returns what the host does, or what it waits for.
    pub fn text(&self, host: &str) -> String {
        let Some(state) = self.hosts.get(host) else {
            return String::new();
        };
        let Some(other) = state.waits_for.first() else {
            return state.now.clone();
        };
        let more = match state.waits_for.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        match self.hosts.get(other).map(|it| it.now.as_str()) {
            None | Some("") => format!("waits for {other}{more}"),
            Some(now) => format!("waits for {other}{more}: {now}"),
        }
    }

    fn change(
        &mut self,
        host: &str,
        changed: &mut Vec<String>,
        change: impl FnOnce(&mut HostState),
    ) {
        change(self.hosts.entry(host.to_owned()).or_default());
        changed.push(host.to_owned());
    }
}

impl HostState {
    /// Handlers tell that they are done as well, but aren't among the steps.
    fn step_done(&mut self) {
        if self.done_of_phase < self.phase {
            self.done_of_phase += 1;
            self.done = (self.done + 1).min(self.planned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HostStates;
    use crate::run::RunEvent;
    use crate::wire::{Event, StepState};

    fn step(host: &str, id: &str, state: StepState) -> RunEvent {
        let (phase, id) = ("prepare".to_owned(), id.to_owned());
        RunEvent::Agent {
            host: host.to_owned(),
            event: Event::Step { phase, id, state },
        }
    }

    fn changed() -> StepState {
        StepState::Changed {
            changes: Vec::new(),
            milliseconds: 1,
        }
    }

    #[test]
    fn a_host_shows_its_steps_and_what_it_waits_for() {
        let mut states = HostStates::default();
        let mut told = Vec::new();
        let host = || "node1".to_owned();
        for event in [
            RunEvent::Planned {
                host: host(),
                steps: 3,
            },
            RunEvent::PhaseStarted {
                host: host(),
                phase: "prepare".into(),
                steps: 2,
            },
            step("node1", "base/hostname", StepState::Unchanged),
            step("node1", "base/sysctl", StepState::Started),
            step("node1", "base/sysctl", changed()),
            // A handler.
            step("node1", "base/reload", changed()),
            step("cp1", "control-plane/init", StepState::Started),
            RunEvent::WaitsFor {
                host: host(),
                hosts: vec!["cp1".into(), "cp2".into()],
            },
            step("cp1", "control-plane/wait", StepState::Started),
            RunEvent::PhaseStarted {
                host: host(),
                phase: "join".into(),
                steps: 1,
            },
            step("node1", "join/join", StepState::Started),
            step("node1", "join/join", changed()),
        ] {
            let (changed, _) = states.add(&event);
            if changed.iter().any(|it| it == "node1") {
                let (done, all) = states.steps("node1").unwrap();
                told.push(format!("{done}/{all} {}", states.text("node1")));
            }
        }
        insta::assert_snapshot!(told.join("\n"), @r"
        0/3 
        0/3 prepare
        1/3 prepare
        1/3 base/sysctl
        2/3 base/sysctl
        2/3 base/sysctl
        2/3 waits for cp1 and 1 more: control-plane/init
        2/3 waits for cp1 and 1 more: control-plane/wait
        2/3 join
        2/3 join/join
        3/3 join/join
        ");
    }
}
