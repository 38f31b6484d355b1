//! Progress without a terminal: a line whenever a host gets to something new.

use std::io::Write as _;
use std::time::Instant;

use crate::run::{Observer, RunEvent};
use crate::wire::{Event, StepState};

/// Prints `seconds host text`, one line an event worth telling.
pub struct Lines {
    started: Instant,
    narrator: Narrator,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            narrator: Narrator::default(),
        }
    }
}

impl Observer for Lines {
    fn event(&mut self, event: &RunEvent) {
        // Without a terminal every line stays: only what is new is worth one.
        if matches!(event, RunEvent::Upload { .. }) {
            return;
        }
        let Some((host, text)) = self.narrator.tell(event) else {
            return;
        };
        let seconds = self.started.elapsed().as_secs_f64();
        let _ = writeln!(
            anstream::stderr().lock(),
            "{seconds:6.1}s  {host:<16} {text}"
        );
    }
}

/// Turns events into a few words for a host, shared by bars and lines.
#[derive(Default)]
pub struct Narrator {
    last: std::collections::HashMap<String, String>,
}

impl Narrator {
    /// Returns the host and what to say of it; `None` when there is nothing new to say.
    pub fn tell(&mut self, event: &RunEvent) -> Option<(String, String)> {
        let (host, text) = match event {
            RunEvent::Machine { host, state } => (host, format!("machine {state}")),
            RunEvent::Connecting { host } => (host, "connecting".to_owned()),
            RunEvent::Connected {
                host, pushed_agent, ..
            } => {
                let agent = if *pushed_agent { ", agent pushed" } else { "" };
                (host, format!("connected{agent}"))
            }
            RunEvent::NewHostKey {
                address,
                fingerprint,
            } => (address, format!("new host key {fingerprint}, remembered")),
            RunEvent::KeyAdded { host, problem } => match problem {
                None => (host, "the lab's key may log in from now on".to_owned()),
                Some(problem) => (host, format!("the lab's key can't log in: {problem}")),
            },
            RunEvent::Notice { host, message } => (host, format!("warning: {message}")),
            RunEvent::Agent { host, event } => (host, agent(event)?),
            RunEvent::Upload { host, done, total } => (
                host,
                format!("sending {} of {} MiB", done >> 20, total >> 20),
            ),
            RunEvent::HostUnreachable { host, error } => (host, error.message.clone()),
            RunEvent::HostFailed { host, message } => (host, format!("failed: {message}")),
            RunEvent::HostDone {
                host,
                changed,
                unchanged,
            } => (
                host,
                format!("done: {changed} changed, {unchanged} unchanged"),
            ),
            RunEvent::LeftOut(_)
            | RunEvent::Started { .. }
            | RunEvent::Planned { .. }
            | RunEvent::WaitsFor { .. }
            | RunEvent::PhaseStarted { .. }
            | RunEvent::Began { .. }
            | RunEvent::Ended { .. }
            | RunEvent::Finished { .. } => return None,
        };
        if self.last.get(host) == Some(&text) {
            return None;
        }
        self.last.insert(host.clone(), text.clone());
        Some((host.clone(), text))
    }
}

fn agent(event: &Event) -> Option<String> {
    match event {
        Event::Waiting { holder, .. } => Some(format!("waiting for {holder}")),
        Event::Step {
            id,
            state: StepState::Started,
            ..
        } => Some(id.clone()),
        Event::Step {
            id,
            state: StepState::Failed(error),
            ..
        } => Some(format!("{id}: {}", error.message)),
        _ => None,
    }
}
