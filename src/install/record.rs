//! What is written down and shown of a run while it goes on: its journal, its log, its events.

use std::io;
use std::path::Path;
use std::thread;
use std::time::Instant;

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tracing::{debug, trace};

use super::runtime;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::log::kept::{Keeping, keep_in_file};
use crate::plan::Plan;
use crate::report::Summary;
use crate::run::{Cancel, EventSender, Journal, Observer, RunEvent};

/// A run, as it is written down.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// When it began, in a form that sorts, and the process.
    pub name: String,
    /// The words of the command: `node add`.
    command: String,
}

impl Run {
    /// Names a run that begins now.
    pub(super) fn of(command: &str) -> Self {
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        Self {
            name: format!("{now}-{}", std::process::id()),
            command: command.to_owned(),
        }
    }

    /// Says what goes on where this run was interrupted; a plan has nothing to go on with.
    fn hinted(&self, problem: Diagnostic) -> Diagnostic {
        if problem.kind != Kind::Interrupted || self.command == "plan" {
            return problem;
        }
        let hint = format!("`kinstall {}` goes on where this run stopped", self.command);
        problem.hint(hint)
    }

    /// Names another run of the same command.
    pub(super) fn next(&self) -> Self {
        Self::of(&self.command)
    }
}

/// Runs something asynchronous while its events are shown, journalled and summed up.
pub(super) fn observed<T>(
    directory: &Path,
    run: &Run,
    observer: Box<dyn Observer>,
    work: impl AsyncFnOnce(EventSender, Cancel) -> Result<T, Diagnostics>,
) -> Result<(T, Summary), Diagnostics> {
    let runtime = runtime::start()?;
    let journal = Journal::create(directory, &run.name);
    let mut journal = journal.map_err(|error| no_journal(&error))?;
    // A full disk must not stop an install; the journal is for looking back only.
    let _ = journal.add(&RunEvent::Began {
        command: run.command.clone(),
        kinstall: env!("CARGO_PKG_VERSION").to_owned(),
    });
    let (sender, receiver) = mpsc::unbounded_channel();
    let watcher = thread::spawn(move || watch(receiver, observer, journal));
    let result = runtime.block_on(async { work(sender, Cancel::on_ctrl_c()).await });
    let result = result.map_err(|problems| -> Diagnostics {
        problems.into_iter().map(|it| run.hinted(it)).collect()
    });
    // Agents of hosts that hang must not keep the program.
    runtime.shutdown_background();
    let Ok((summary, mut journal)) = watcher.join() else {
        return Ok((result?, Summary::default()));
    };
    let problems = result.as_ref().err().map(|errors| {
        let messages: Vec<&str> = errors.iter().map(|it| it.message.as_str()).collect();
        messages.join("; ")
    });
    // As above.
    let _ = journal.add(&RunEvent::Ended { problem: problems });
    Ok((result?, summary))
}

/// Runs something that changes hosts: as [`observed`], with a log beside the journal, and how long it took.
pub(super) fn carried_out<T>(
    directory: &Path,
    run: &Run,
    observer: Box<dyn Observer>,
    work: impl AsyncFnOnce(&EventSender, &Cancel) -> Result<T, Diagnostics>,
) -> Result<(T, Summary), Diagnostics> {
    let _keeping = keep_log(directory, run)?;
    let timed = async |events: EventSender, cancel| {
        let started = Instant::now();
        let done = work(&events, &cancel).await?;
        let _ = events.send(RunEvent::Finished {
            elapsed: started.elapsed(),
        });
        Ok(done)
    };
    observed(directory, run, observer, timed)
}

/// Keeps what is logged from now on beside the journal.
pub(super) fn keep_log(directory: &Path, run: &Run) -> Result<Keeping, Diagnostics> {
    let file = Journal::create_log(directory, &run.name);
    Ok(keep_in_file(file.map_err(|error| no_journal(&error))?))
}

/// Logs what the planner chose.
pub(super) fn log_plan(plan: &Plan) {
    for phase in &plan.phases {
        debug!(phase = phase.name, after = ?phase.after, hosts = phase.batches.len(), "planned");
        for (host, batch) in &phase.batches {
            let steps: Vec<&str> = batch.steps.iter().map(|step| step.id.as_str()).collect();
            trace!(phase = phase.name, host, ?steps, "planned");
        }
    }
}

fn no_journal(error: &io::Error) -> Diagnostics {
    let message = format!("failed to write the journal: {error}");
    vec![Diagnostic::error(Kind::Environment, message)]
}

fn watch(
    mut events: UnboundedReceiver<RunEvent>,
    mut observer: Box<dyn Observer>,
    mut journal: Journal,
) -> (Summary, Journal) {
    let mut summary = Summary::default();
    while let Some(event) = events.blocking_recv() {
        observer.event(&event);
        summary.add(&event);
        // As above.
        let _ = journal.add(&event);
    }
    (summary, journal)
}

#[cfg(test)]
mod tests {
    use super::Run;
    use crate::run::RunError;

    #[test]
    fn the_command_that_was_interrupted_is_the_one_that_goes_on() {
        for command in ["up", "load", "node remove"] {
            let problem = Run::of(command).hinted(RunError::Interrupted.diagnostic());
            let hint = format!("`kinstall {command}` goes on where this run stopped");
            assert_eq!(problem.hints, [hint]);
        }
    }
}
