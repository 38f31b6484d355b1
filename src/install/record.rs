//! What is written down and shown of a run while it goes on: its journal, its log, its events.

use std::io;
use std::path::Path;
use std::thread;

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tracing::{debug, trace};

use super::runtime;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::log::kept::{Keeping, keep_in_file};
use crate::plan::Plan;
use crate::report::Summary;
use crate::run::{Cancel, EventSender, Journal, Observer, RunEvent};

/// Runs something asynchronous while its events are shown, journalled and summed up.
pub(super) fn observed<T>(
    directory: &Path,
    run: &str,
    observer: Box<dyn Observer>,
    work: impl AsyncFnOnce(EventSender, Cancel) -> Result<T, Diagnostics>,
) -> Result<(T, Summary), Diagnostics> {
    let runtime = runtime::start()?;
    let journal = Journal::create(directory, run);
    let journal = journal.map_err(|error| no_journal(&error))?;
    let (sender, receiver) = mpsc::unbounded_channel();
    let watcher = thread::spawn(move || watch(receiver, observer, journal));
    let result = runtime.block_on(async { work(sender, Cancel::on_ctrl_c()).await });
    // Agents of hosts that hang must not keep the program.
    runtime.shutdown_background();
    let summary = watcher.join().unwrap_or_default();
    Ok((result?, summary))
}

/// Keeps what is logged from now on beside the journal.
pub(super) fn keep_log(directory: &Path, run: &str) -> Result<Keeping, Diagnostics> {
    let file = Journal::create_log(directory, run);
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
) -> Summary {
    let mut summary = Summary::default();
    while let Some(event) = events.blocking_recv() {
        observer.event(&event);
        summary.add(&event);
        // A full disk must not stop an install; the journal is for looking back only.
        let _ = journal.add(&event);
    }
    summary
}
