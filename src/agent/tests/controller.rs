//! The controller's side for tests: an agent on a thread, a pipe each way.

use std::io::{self, PipeReader, PipeWriter, Write as _};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::agent;
use crate::resource::{Command, Content, File, Guard, Resource, Sha256};
use crate::wire::{Batch, Event, Facts, Mode, Request, Step, StepState, frame};

pub struct Controller {
    to_agent: PipeWriter,
    from_agent: PipeReader,
    agent: JoinHandle<io::Result<()>>,
    facts: Facts,
}

impl Controller {
    /// Starts an agent for a folder and reads its greeting.
    pub fn connect(root: &Path) -> Self {
        Self::connect_with(root, Duration::from_mins(1))
    }

    /// Starts an agent that gives up a controller which has said nothing for so long.
    pub fn connect_with(root: &Path, silence: Duration) -> Self {
        let (stdin, to_agent) = io::pipe().unwrap();
        let (mut from_agent, stdout) = io::pipe().unwrap();
        let root = root.to_owned();
        let agent = std::thread::spawn(move || agent::serve(&root, silence, stdin, stdout));
        let Some(Event::Hello { facts, .. }) = frame::read(&mut from_agent).unwrap() else {
            panic!("the agent did not greet");
        };
        Self {
            to_agent,
            from_agent,
            agent,
            facts,
        }
    }

    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Waits for the agent's end, with both pipes still open.
    pub fn wait_for_the_end(self) -> io::Result<()> {
        self.agent.join().unwrap()
    }

    pub fn start(&mut self, run: &str, mode: Mode) {
        self.send(Request::Start {
            run: run.to_owned(),
            controller: "tester".to_owned(),
            project: "lab".to_owned(),
            break_lock: false,
            mode,
            exclusive: mode == Mode::Apply,
            log: None,
        });
    }

    #[expect(clippy::needless_pass_by_value, reason = "reads better at the callers")]
    pub fn send(&mut self, request: Request) {
        frame::write(&mut self.to_agent, &request).unwrap();
    }

    /// Sends what need not be a request.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.to_agent.write_all(bytes).unwrap();
    }

    /// Reads all that the agent still says.
    pub fn rest(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| frame::read(&mut self.from_agent).unwrap()).collect()
    }

    /// Sends a blob in several chunks.
    pub fn send_blob(&mut self, blob: Sha256, content: &[u8]) {
        let compressed = zstd::encode_all(content, 1).unwrap();
        for bytes in compressed.chunks(100_000) {
            let bytes = bytes.to_vec();
            self.send(Request::Chunk { blob, bytes });
        }
        let bytes = Vec::new();
        self.send(Request::Chunk { blob, bytes });
    }

    pub fn next(&mut self) -> Event {
        frame::read(&mut self.from_agent)
            .unwrap()
            .expect("the agent ended")
    }

    /// Reads until a blob is asked for.
    pub fn next_need(&mut self) -> Sha256 {
        loop {
            match self.next() {
                Event::NeedBlob { blob } => return blob,
                Event::PhaseDone { outcome, .. } => panic!("no blob was asked for: {outcome:?}"),
                _ => {}
            }
        }
    }

    /// Reads to the end of a phase.
    pub fn until_done(&mut self, phase: &str) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let event = self.next();
            let done = matches!(&event, Event::PhaseDone { phase: it, .. } if it == phase);
            events.push(event);
            if done {
                return events;
            }
        }
    }

    /// Ends as a controller does that is done.
    pub fn bye(mut self) -> io::Result<()> {
        // An interrupted agent may have ended by itself.
        let _ = frame::write(&mut self.to_agent, &Request::Bye);
        self.agent.join().unwrap()
    }

    /// Goes away as a lost connection does, and waits for the agent's end.
    pub fn hang_up(self) {
        drop(self.to_agent);
        drop(self.from_agent);
        self.agent.join().unwrap().unwrap();
    }
}

pub fn batch(phase: &str, steps: Vec<Step>) -> Batch {
    Batch {
        phase: phase.to_owned(),
        steps,
        handlers: Vec::new(),
    }
}

pub fn step(id: &str, resource: Resource) -> Step {
    Step {
        id: id.to_owned(),
        resource,
        notify: Vec::new(),
        host: None,
    }
}

pub fn file(id: &str, path: &str, content: Content) -> Step {
    let file = File {
        path: path.to_owned(),
        content,
        mode: 0o644,
        owner: None,
        group: None,
        validate: None,
    };
    step(id, Resource::File(file))
}

/// A shell command whose working folder is the node's root.
pub fn command(id: &str, script: &str, guard: Guard) -> Step {
    let command = Command::new(vec!["sh".into(), "-c".into(), script.into()], guard);
    step(id, Resource::Command(command))
}

/// Returns the last thing that was said of a step.
pub fn state_of(events: &[Event], step: &str) -> StepState {
    events
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::Step { id, state, .. } if id == step => Some(state.clone()),
            _ => None,
        })
        .unwrap_or_else(|| panic!("nothing was said of {step}: {events:?}"))
}
