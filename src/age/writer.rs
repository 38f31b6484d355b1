//! Encrypts what is written.

use std::io::{self, Write};

use ring::aead::{Aad, LessSafeKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::header::{self, refused};
use super::{AgeError, CHUNK, FileKey, NONCE, TAG, chunk_key, chunk_nonce};
use crate::secret::Secret;

/// Encrypts what is written to it. Without [`Writer::finish`], the file counts as cut off.
pub struct Writer<W: Write> {
    sink: W,
    key: LessSafeKey,
    number: u64,
    /// What no chunk was made of yet: the last chunk has to be known as such.
    pending: Zeroizing<Vec<u8>>,
}

impl<W: Write> Writer<W> {
    /// Begins a file: makes its key, and writes what leads to it. `work`: see [`super::WORK`].
    pub fn begin(mut sink: W, passphrase: &Secret, work: u8) -> io::Result<Self> {
        let random = SystemRandom::new();
        let fill = |bytes: &mut [u8]| random.fill(bytes).map_err(|_| refused(AgeError::NoRandom));
        let (mut salt, mut nonce) = ([0; NONCE], [0; NONCE]);
        let mut file_key = FileKey::default();
        fill(&mut salt)?;
        fill(&mut nonce)?;
        fill(&mut file_key[..])?;
        let header = header::seal(&file_key, passphrase, &salt, work).map_err(refused)?;
        sink.write_all(header.as_bytes())?;
        sink.write_all(&nonce)?;
        Ok(Self {
            sink,
            key: chunk_key(&file_key, &nonce).map_err(refused)?,
            number: 0,
            pending: Zeroizing::new(Vec::with_capacity(CHUNK + TAG)),
        })
    }

    /// Writes the last chunk; returns where all of it was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.chunk(true)?;
        self.sink.flush()?;
        Ok(self.sink)
    }

    fn chunk(&mut self, is_last: bool) -> io::Result<()> {
        let nonce = chunk_nonce(self.number, is_last);
        self.key
            .seal_in_place_append_tag(nonce, Aad::empty(), &mut *self.pending)
            .map_err(|_| refused(AgeError::Damaged))?;
        self.sink.write_all(&self.pending)?;
        self.pending.clear();
        self.number += 1;
        Ok(())
    }
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending.len() == CHUNK && !bytes.is_empty() {
            self.chunk(false)?;
        }
        let count = bytes.len().min(CHUNK - self.pending.len());
        self.pending.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
