//! The events on their way to the controller and into the journal.

use std::io::Write;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::converge::{Cancel, Node};
use crate::wire::{Event, frame};

use super::journal::Journal;

/// Events that may wait for a slow connection. Beyond that, output lines are left out: a critical
/// program must not stand still because nobody reads what it says.
const QUEUE: usize = 1024;

/// The way out; all its copies lead to the same place.
#[derive(Clone)]
pub struct Outgoing {
    queue: SyncSender<Event>,
    journal: Arc<Mutex<Option<Journal>>>,
}

/// The thread that writes.
pub struct Writer(JoinHandle<()>);

impl Outgoing {
    /// Starts to write. A controller that can't be written to is gone.
    pub fn start(mut output: impl Write + Send + 'static, cancel: Cancel) -> (Self, Writer) {
        let (queue, events) = mpsc::sync_channel(QUEUE);
        let writer = thread::spawn(move || {
            let mut gone = false;
            for event in events {
                if !gone && frame::write(&mut output, &event).is_err() {
                    gone = true;
                    cancel.now();
                }
            }
        });
        let outgoing = Self {
            queue,
            journal: Arc::default(),
        };
        (outgoing, Writer(writer))
    }

    /// Tells the controller and the journal.
    pub fn send(&self, event: Event) {
        self.record(&event);
        // The writer ends after its last sender.
        let _ = self.queue.send(event);
    }

    /// Tells the controller if it keeps up.
    pub fn send_if_room(&self, event: Event) {
        if !matches!(event, Event::Progress { .. } | Event::Log { .. }) {
            self.record(&event);
        }
        let _ = self.queue.try_send(event);
    }

    /// Begins to record; without a journal the run goes on.
    pub fn open_journal(&self, node: &Node, run: &str) {
        *self.journal.lock().unwrap_or_else(PoisonError::into_inner) =
            Journal::open(node, run).ok();
    }

    fn record(&self, event: &Event) {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(journal) = &mut *journal {
            journal.record(event);
        }
    }
}

impl Writer {
    /// Waits until everything is written.
    pub fn finish(self) {
        // A panic of the writer was told on the standard error.
        let _ = self.0.join();
    }
}
