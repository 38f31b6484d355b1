//! One blob being written.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::BundleError;
use super::hashing::HashingWriter;
use super::manifest::Encoding;
use super::store::{Store, stamp};
use crate::resource::BlobRef;

/// About 90 MB/s on one core; higher levels gain a few percent and take several times as long.
pub(super) const COMPRESSION_LEVEL: i32 = 6;

/// Writes one blob: hashes what it is given and stores it.
pub(super) struct BlobWriter {
    store: Store,
    temporary: Temporary,
    encoding: Encoding,
    sink: HashingWriter<Sink>,
}

enum Sink {
    Raw(File),
    Zstd(zstd::Encoder<'static, File>),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::Raw(file) => file.write(bytes),
            Sink::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BlobWriter {
    pub(super) fn create(store: &Store, encoding: Encoding) -> Result<Self, BundleError> {
        let temporary = store.temporary()?;
        let sink = File::create(&temporary.0)
            .and_then(|file| match encoding {
                Encoding::Raw => Ok(Sink::Raw(file)),
                Encoding::Zstd => {
                    let mut encoder = zstd::Encoder::new(file, COMPRESSION_LEVEL)?;
                    encoder.include_checksum(true)?;
                    Ok(Sink::Zstd(encoder))
                }
            })
            .map_err(|source| BundleError::file("create", &temporary.0, source))?;
        Ok(Self {
            store: store.clone(),
            temporary,
            encoding,
            sink: HashingWriter::new(sink),
        })
    }

    /// Returns where the bytes lie until [`BlobWriter::finish`].
    pub(super) fn path(&self) -> &Path {
        &self.temporary.0
    }

    /// Gives the blob its name.
    pub(super) fn finish(self) -> Result<BlobRef, BundleError> {
        let temporary = &self.temporary.0;
        let failed = |source| BundleError::file("write", temporary, source);
        let (sink, blob) = self.sink.finish();
        let file = match sink {
            Sink::Raw(file) => file,
            Sink::Zstd(encoder) => encoder.finish().map_err(failed)?,
        };
        file.sync_all().map_err(failed)?;
        drop(file);
        stamp(temporary).map_err(failed)?;
        let path = self.store.path(blob.sha256, self.encoding);
        std::fs::rename(temporary, &path)
            .map_err(|source| BundleError::file("write", &path, source))?;
        Ok(blob)
    }
}

/// A path that is removed unless it was renamed away.
pub(super) struct Temporary(pub(super) PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Gone already in the good case.
        let _ = std::fs::remove_file(&self.0);
    }
}
