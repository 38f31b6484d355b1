//! The controller's requests, read by a thread of their own.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::converge::Cancel;
use crate::resource::Sha256;
use crate::wire::{Request, frame};

use super::watched::Watched;

/// Parts of a blob that may wait to be written; beyond that the controller waits.
const PARTS: usize = 8;

/// How often it is looked whether the controller is given up.
const TICK: Duration = Duration::from_millis(500);

/// A piece of a blob.
#[derive(Debug)]
pub enum Part {
    /// zstd-compressed.
    Bytes(Vec<u8>),
    End,
    /// The controller hasn't got it, and why.
    Refused(String),
}

/// Where the parts of the one blob that is being fetched go.
#[derive(Clone, Debug, Default)]
pub struct Parts(Arc<Mutex<Option<Expected>>>);

/// The blob that is being fetched, and the way to who writes it.
type Expected = (Sha256, SyncSender<Part>);

impl Parts {
    /// Begins to take the parts of a blob; those of another are dropped.
    pub fn expect(&self, blob: Sha256) -> Receiver<Part> {
        let (sender, receiver) = mpsc::sync_channel(PARTS);
        self.replace(Some((blob, sender)));
        receiver
    }

    /// Takes no more parts; a receiver learns that nothing will come.
    pub fn close(&self) {
        self.replace(None);
    }

    fn replace(&self, value: Option<Expected>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }

    fn give(&self, blob: Sha256, part: Part) {
        let sender = match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((expected, sender)) if *expected == blob => sender.clone(),
            _ => return,
        };
        // Who gave up on the blob isn't interested in the rest.
        let _ = sender.send(part);
    }
}

/// The requests that the agent's loop answers, in order.
pub struct Incoming {
    requests: Receiver<Request>,
    parts: Parts,
    is_silent: Arc<AtomicBool>,
    failure: Arc<Mutex<Option<io::Error>>>,
}

impl Incoming {
    /// Starts to read. The end of the input is the wish to stop, unless goodbye was said before; so is an
    /// input that has had nothing for `silence`.
    pub fn start(input: impl Read + Send + 'static, silence: Duration, cancel: Cancel) -> Self {
        let (sender, requests) = mpsc::channel();
        let parts = Parts::default();
        let mut input = Watched::new(input);
        let is_silent = input.watch(silence, {
            let (cancel, parts) = (cancel.clone(), parts.clone());
            move || {
                cancel.now();
                parts.close();
            }
        });
        let failure = Arc::new(Mutex::new(None));
        let incoming = Self {
            requests,
            parts: parts.clone(),
            is_silent,
            failure: Arc::clone(&failure),
        };
        thread::spawn(move || {
            loop {
                match frame::read(&mut input) {
                    Ok(Some(Request::Chunk { blob, bytes })) if bytes.is_empty() => {
                        parts.give(blob, Part::End);
                    }
                    Ok(Some(Request::Chunk { blob, bytes })) => {
                        parts.give(blob, Part::Bytes(bytes));
                    }
                    Ok(Some(Request::NoBlob { blob, reason })) => {
                        parts.give(blob, Part::Refused(reason));
                    }
                    Ok(Some(Request::Alive)) => {}
                    Ok(Some(Request::Cancel)) => cancel.after_step(),
                    Ok(Some(Request::Bye)) => {
                        // The loop may have ended already, which is what is asked for.
                        let _ = sender.send(Request::Bye);
                        return;
                    }
                    Ok(Some(request)) => {
                        if sender.send(request).is_err() {
                            return;
                        }
                    }
                    Ok(None) => break,
                    Err(error) => {
                        // A connection that breaks in a frame is just a lost connection.
                        if error.kind() != io::ErrorKind::UnexpectedEof {
                            let text =
                                format!("a request of the controller can't be read: {error}");
                            let error = io::Error::new(error.kind(), text);
                            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        }
                        break;
                    }
                }
            }
            cancel.now();
            parts.close();
        });
        incoming
    }

    /// Returns where parts of blobs arrive.
    pub fn parts(&self) -> Parts {
        self.parts.clone()
    }

    /// Waits for the next request; `None` at the end.
    pub fn next(&self) -> Option<Request> {
        loop {
            match self.requests.recv_timeout(TICK) {
                Ok(request) => return Some(request),
                Err(RecvTimeoutError::Timeout) if !self.is_silent() => {}
                Err(_) => return None,
            }
        }
    }

    /// Tells whether the controller was given up because it said nothing any more.
    pub fn is_silent(&self) -> bool {
        self.is_silent.load(Ordering::SeqCst)
    }

    /// Tells whether something came that is no request: the run ends for that reason, and nobody wished it.
    pub fn has_failed(&self) -> bool {
        let failure = self.failure.lock();
        failure.unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Fails if what came was no sequence of frames.
    pub fn result(&self) -> io::Result<()> {
        let failure = self
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        failure.map_or(Ok(()), Err)
    }
}
