//! The agent: kinstall on the node, driven by frames on its standard input and output.
//!
//! ```text
//! controller -- Request frames --> incoming (thread) --> the loop here --> batch -> resources
//!            <-- Event frames ---- outgoing (thread) <-- events
//! ```
//!
//! When the controller goes away, a critical step (kubeadm, a package transaction) is finished, any
//! other is stopped; what was announced but not done stays written down in `pending`. A controller whose
//! connection was lost in silence (a cable pulled, a laptop asleep) is gone as well: one that is there says so
//! every few seconds.

pub mod addresses;
pub mod batch;
pub mod blobs;
pub mod control_plane;
pub mod earlier;
mod etcd;
pub mod facts;
pub mod handlers;
pub mod hint;
pub mod incoming;
pub mod journal;
pub mod left_programs;
pub mod lock;
pub mod outgoing;
pub mod surroundings;
pub mod traces;
pub mod watched;

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tracing::Level;

use crate::converge::{Cancel, Node, ResourceError, made};
use crate::log::{self, kept::Keeping};
use crate::wire::{ALIVE_EVERY, Event, LogLevel, Mode, Outcome, PROTOCOL, Request};

use self::blobs::ControllerLink;
use self::incoming::Incoming;
use self::lock::{Claim, Lock};
use self::outgoing::Outgoing;

/// A controller that has said nothing for so long is gone.
const SILENCE: Duration = ALIVE_EVERY.saturating_mul(6);

/// Serves one controller until it says goodbye or is gone.
pub fn run(
    stdin: impl Read + Send + 'static,
    stdout: impl Write + Send + 'static,
) -> io::Result<()> {
    run_at(Path::new("/"), stdin, stdout)
}

/// Serves one controller for the node whose root is `root`.
pub fn run_at(
    root: &Path,
    stdin: impl Read + Send + 'static,
    stdout: impl Write + Send + 'static,
) -> io::Result<()> {
    serve(root, SILENCE, stdin, stdout)
}

/// Gives a controller up that has said nothing for `silence`.
fn serve(
    root: &Path,
    silence: Duration,
    stdin: impl Read + Send + 'static,
    stdout: impl Write + Send + 'static,
) -> io::Result<()> {
    let cancel = Cancel::default();
    let (outgoing, writer) = Outgoing::start(stdout, cancel.clone());
    let incoming = Incoming::start(stdin, silence, cancel.clone());
    let link = ControllerLink::new(outgoing.clone(), incoming.parts(), cancel.clone());
    let node = Node::at(root).with_link(Arc::new(link), cancel);
    outgoing.send(Event::Hello {
        protocol: PROTOCOL,
        facts: facts::gather(&node),
    });
    let result = Session {
        node,
        outgoing,
        mode: Mode::Check,
        lock: None,
        log: None,
    }
    .serve(&incoming);
    // The session's end closed the way out; what is still in it is written first, if anybody reads it.
    if !incoming.is_silent() {
        writer.finish();
    }
    result
}

/// One controller's work on one node.
struct Session {
    node: Node,
    outgoing: Outgoing,
    mode: Mode,
    /// Held from the first run that may change the node.
    lock: Option<Lock>,
    log: Option<Keeping>,
}

impl Session {
    fn serve(mut self, incoming: &Incoming) -> io::Result<()> {
        while let Some(request) = incoming.next() {
            match request {
                Request::Start {
                    run,
                    controller,
                    project,
                    break_lock,
                    mode,
                    exclusive,
                    log,
                } => {
                    self.log(log);
                    let claim = Claim {
                        run: &run,
                        controller: &controller,
                        project: &project,
                        breaks: break_lock,
                    };
                    match self.start(claim, mode, exclusive) {
                        Ok(()) => {}
                        Err(ResourceError::Interrupted) => break,
                        Err(error) => return Err(io::Error::other(error)),
                    }
                }
                Request::Batch(batch) => {
                    let outcome = match self.mode {
                        Mode::Check => batch::check(&batch, &mut self.node, &self.outgoing),
                        Mode::Apply => batch::apply(&batch, &mut self.node, &self.outgoing),
                    };
                    let interrupted = outcome == Outcome::Interrupted;
                    if interrupted && incoming.has_failed() {
                        break;
                    }
                    self.outgoing.send(Event::PhaseDone {
                        phase: batch.phase,
                        outcome,
                    });
                    if interrupted {
                        break;
                    }
                }
                Request::Bye => break,
                // The reader's thread takes these.
                Request::Chunk { .. }
                | Request::NoBlob { .. }
                | Request::Cancel
                | Request::Alive => {}
            }
        }
        incoming.result()
    }

    /// Tells the controller what it wants to hear of the agent's inner work.
    fn log(&mut self, level: Option<LogLevel>) {
        let Some(level) = level.filter(|_| self.log.is_none()) else {
            return;
        };
        log::start_on_node(level);
        let outgoing = self.outgoing.clone();
        self.log = Some(log::kept::keep(move |level, line| {
            let level = match level {
                Level::TRACE => LogLevel::Trace,
                _ => LogLevel::Debug,
            };
            let line = String::from_utf8_lossy(line).trim_end().to_owned();
            outgoing.send_if_room(Event::Log { level, line });
        }));
    }

    fn start(
        &mut self,
        claim: Claim<'_>,
        mode: Mode,
        exclusive: bool,
    ) -> Result<(), ResourceError> {
        self.mode = mode;
        if mode == Mode::Check && !exclusive {
            return Ok(());
        }
        if self.lock.is_none() {
            let outgoing = &self.outgoing;
            let lock = Lock::take(&self.node, claim, |holder| {
                outgoing.send(Event::Waiting {
                    holder: holder.words,
                    other: holder.other,
                });
            })?;
            self.lock = Some(lock);
        }
        if mode == Mode::Check {
            return Ok(());
        }
        if let Ok(this) = std::env::current_exe() {
            earlier::remove(&this, &self.node);
        }
        made::forget_gone(&self.node);
        self.outgoing.open_journal(&self.node, claim.run);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
