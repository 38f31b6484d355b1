//! Decrypts what is read.

use std::io::{self, BufRead, Read};

use ring::aead::{Aad, LessSafeKey};
use zeroize::Zeroizing;

use super::header::{self, refused};
use super::{AgeError, CHUNK, NONCE, TAG, chunk_key, chunk_nonce};
use crate::secret::Secret;

/// Decrypts a file. Nothing of a chunk comes out before all of it is known to be right, and the end only where the file
/// ends.
pub struct Reader<R: BufRead> {
    source: R,
    key: LessSafeKey,
    number: u64,
    /// What was decrypted and not read yet, from `position` on.
    chunk: Zeroizing<Vec<u8>>,
    position: usize,
    is_over: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header; errors hold an [`AgeError`].
    pub fn open(mut source: R, passphrase: &Secret) -> io::Result<Self> {
        let file_key = header::open(&mut source, passphrase)?;
        let mut nonce = [0; NONCE];
        source.read_exact(&mut nonce).map_err(cut_off)?;
        Ok(Self {
            source,
            key: chunk_key(&file_key, &nonce).map_err(refused)?,
            number: 0,
            chunk: Zeroizing::default(),
            position: 0,
            is_over: false,
        })
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        self.chunk.clear();
        self.position = 0;
        let longest = (CHUNK + TAG) as u64;
        Read::take(&mut self.source, longest).read_to_end(&mut self.chunk)?;
        let is_last = self.source.fill_buf()?.is_empty();
        let nonce = chunk_nonce(self.number, is_last);
        let opened = self.key.open_in_place(nonce, Aad::empty(), &mut self.chunk);
        let length = opened.map_err(|_| refused(AgeError::Damaged))?.len();
        // Only a file without content ends with an empty chunk.
        if length == 0 && self.number > 0 {
            return Err(refused(AgeError::Damaged));
        }
        self.chunk.truncate(length);
        self.number += 1;
        self.is_over = is_last;
        Ok(())
    }
}

impl<R: BufRead> Read for Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position == self.chunk.len() {
            if self.is_over {
                return Ok(0);
            }
            self.next_chunk()?;
        }
        let count = buffer.len().min(self.chunk.len() - self.position);
        buffer[..count].copy_from_slice(&self.chunk[self.position..][..count]);
        self.position += count;
        Ok(count)
    }
}

fn cut_off(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => refused(AgeError::Damaged),
        _ => error,
    }
}
