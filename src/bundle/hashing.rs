//! A writer that hashes what passes through it.

use std::io::{self, Write};

use sha2::Digest as _;

use crate::resource::{BlobRef, Sha256};

/// Hashes and counts the bytes on their way to another writer.
pub(super) struct HashingWriter<W> {
    pub(super) inner: W,
    hasher: sha2::Sha256,
    size: u64,
}

impl<W: Write> HashingWriter<W> {
    pub(super) fn new(inner: W) -> Self {
        Self {
            inner,
            hasher: sha2::Sha256::new(),
            size: 0,
        }
    }

    /// Returns the writer behind and what passed.
    pub(super) fn finish(self) -> (W, BlobRef) {
        let blob = BlobRef {
            sha256: Sha256::from_hasher(self.hasher),
            size: self.size,
        };
        (self.inner, blob)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
