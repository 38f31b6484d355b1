//! An input that is noticed when nothing comes any more.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A reader, and since when it waits for something to read; while it isn't asked to read, it doesn't wait.
pub struct Watched<R> {
    input: R,
    waiting_since: Arc<Mutex<Option<Instant>>>,
}

impl<R: Read> Watched<R> {
    pub fn new(input: R) -> Self {
        Self {
            input,
            waiting_since: Arc::default(),
        }
    }

    /// Calls `tell` once when nothing has come for `silence`; returns where it says that it has. Ends with the reader.
    pub fn watch(
        &self,
        silence: Duration,
        tell: impl FnOnce() + Send + 'static,
    ) -> Arc<AtomicBool> {
        let is_silent = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_silent);
        let waiting_since = Arc::downgrade(&self.waiting_since);
        thread::spawn(move || {
            loop {
                thread::sleep(silence / 10);
                let Some(waiting_since) = waiting_since.upgrade() else {
                    return;
                };
                let since = *waiting_since.lock().unwrap_or_else(PoisonError::into_inner);
                if since.is_some_and(|since| since.elapsed() > silence) {
                    told.store(true, Ordering::SeqCst);
                    tell();
                    return;
                }
            }
        });
        is_silent
    }

    fn set(&self, since: Option<Instant>) {
        *self
            .waiting_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = since;
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.set(Some(Instant::now()));
        let result = self.input.read(buffer);
        self.set(None);
        result
    }
}
