//! Parts of the bundle on their way to the node: asked for once, decompressed, checked.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::Digest as _;

use crate::converge::error::FileContext;
use crate::converge::{Cancel, Link, ResourceError, disk};
use crate::resource::{BlobRef, Sha256};
use crate::wire::Event;

use super::incoming::{Part, Parts};
use super::outgoing::Outgoing;

/// Time between two messages of progress.
const PROGRESS: Duration = Duration::from_millis(200);

/// The resources' way to the controller.
pub struct ControllerLink {
    outgoing: Outgoing,
    parts: Parts,
    cancel: Cancel,
    last_progress: Mutex<Option<Instant>>,
}

impl ControllerLink {
    pub fn new(outgoing: Outgoing, parts: Parts, cancel: Cancel) -> Self {
        Self {
            outgoing,
            parts,
            cancel,
            last_progress: Mutex::default(),
        }
    }

    /// Receives a blob into `temporary` and returns its digest.
    fn receive(
        &self,
        step: &str,
        blob: BlobRef,
        temporary: &Path,
    ) -> Result<Sha256, ResourceError> {
        let file = File::create(temporary).doing("create", temporary)?;
        let mut file = BufWriter::with_capacity(1 << 20, file);
        let received = self.parts.expect(blob.sha256);
        self.outgoing.send(Event::NeedBlob { blob: blob.sha256 });
        let stream = PartReader {
            received,
            cancel: self.cancel.clone(),
            rest: Vec::new(),
            taken: 0,
            ended: false,
            refusal: None,
        };
        let mut decoder =
            zstd::stream::read::Decoder::new(stream).doing("decompress", temporary)?;
        let mut hasher = sha2::Sha256::new();
        let mut buffer = vec![0; 256 << 10];
        let mut done = 0;
        loop {
            let count = match decoder.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => {
                    let refusal = decoder.get_mut().get_mut().refusal.take();
                    return Err(refusal.unwrap_or_else(|| {
                        ResourceError::other(format!(
                            "bundle part damaged: {} can't be decompressed: {error}",
                            blob.sha256
                        ))
                    }));
                }
            };
            hasher.update(&buffer[..count]);
            file.write_all(&buffer[..count]).doing("write", temporary)?;
            done += count as u64;
            self.progress(step, done, blob.size);
        }
        file.flush().doing("write", temporary)?;
        Ok(Sha256::from_hasher(hasher))
    }
}

impl Link for ControllerLink {
    fn output(&self, step: &str, line: &str) {
        self.outgoing.send_if_room(Event::Output {
            id: step.to_owned(),
            line: line.to_owned(),
        });
    }

    fn progress(&self, step: &str, done: u64, total: u64) {
        let mut last = self
            .last_progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if done < total && last.is_some_and(|last| last.elapsed() < PROGRESS) {
            return;
        }
        *last = Some(Instant::now());
        self.outgoing.send_if_room(Event::Progress {
            id: step.to_owned(),
            done,
            total,
        });
    }

    fn fetch(&self, step: &str, blob: BlobRef, destination: &Path) -> Result<(), ResourceError> {
        disk::require(destination, blob.size)?;
        let temporary = destination.with_extension("part");
        let arrived = self.receive(step, blob, &temporary);
        self.parts.close();
        let checked = arrived.and_then(|arrived| {
            if arrived == blob.sha256 {
                return fs::rename(&temporary, destination).doing("replace", destination);
            }
            Err(ResourceError::Damaged {
                wanted: blob.sha256.to_string(),
                arrived: arrived.to_string(),
            })
        });
        if checked.is_err() {
            // Whatever part there is is of no use.
            let _ = fs::remove_file(&temporary);
        }
        checked
    }
}

/// The compressed stream of a blob, put together from its parts.
struct PartReader {
    received: Receiver<Part>,
    cancel: Cancel,
    rest: Vec<u8>,
    taken: usize,
    ended: bool,
    /// Why the stream broke, where that is known better than an I/O error tells.
    refusal: Option<ResourceError>,
}

impl PartReader {
    fn refuse(&mut self, error: ResourceError) -> io::Error {
        self.refusal = Some(error);
        io::Error::other("the controller did not send it")
    }
}

impl Read for PartReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.rest.len() && !self.ended {
            if self.cancel.is_now() {
                return Err(self.refuse(ResourceError::Interrupted));
            }
            match self.received.recv_timeout(Duration::from_millis(200)) {
                Ok(Part::Bytes(bytes)) => {
                    self.rest = bytes;
                    self.taken = 0;
                }
                Ok(Part::End) => self.ended = true,
                Ok(Part::Refused(reason)) => {
                    return Err(self.refuse(ResourceError::other(reason)));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.refuse(ResourceError::Interrupted));
                }
            }
        }
        let count = buffer.len().min(self.rest.len() - self.taken);
        buffer[..count].copy_from_slice(&self.rest[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}
