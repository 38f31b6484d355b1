//! Layers of images: tar archives that come out the same, byte for byte, whenever they are made of
//! the same files: owner 0:0, time 0, in the order of the entries.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use super::BundleError;
use super::blob_writer::{BlobWriter, COMPRESSION_LEVEL};
use super::cache::Cached;
use super::hashing::HashingWriter;
use super::manifest::Encoding;
use super::store::Store;
use crate::resource::{BlobRef, Sha256};

/// A finished layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layer {
    /// Hash of the tar archive, which the image's configuration names.
    pub(super) diff_id: Sha256,
    /// The compressed archive, which the image's manifest names.
    pub(super) blob: BlobRef,
}

impl Cached for Layer {
    fn blobs(&self) -> Vec<BlobRef> {
        vec![self.blob]
    }
}

/// Something in a layer. Folders above it that have no entry come out as 0755.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Absolute.
    pub(super) path: String,
    pub(super) mode: u32,
    pub(super) kind: Kind,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File(Vec<u8>),
    /// A symbolic link to this target.
    Link(String),
    /// A file whose content is a blob of the store.
    Blob(BlobRef),
}

impl Entry {
    /// Makes a symbolic link.
    pub(super) fn link(path: &str, target: &str) -> Self {
        Self {
            path: path.into(),
            mode: 0o777,
            kind: Kind::Link(target.into()),
        }
    }
}

/// Writes a layer into the store.
pub(super) fn write(store: &Store, entries: &[Entry]) -> Result<Layer, BundleError> {
    let writer = store.writer(Encoding::Raw)?;
    let path = writer.path().to_owned();
    let failed = |source| BundleError::file("write", &path, source);
    let encoder = zstd::Encoder::new(writer, COMPRESSION_LEVEL).map_err(failed)?;
    let mut archive = tar::Builder::new(HashingWriter::new(encoder));
    for entry in entries {
        append(&mut archive, store, entry).map_err(failed)?;
    }
    let (encoder, tar) = archive.into_inner().map_err(failed)?.finish();
    let writer: BlobWriter = encoder.finish().map_err(failed)?;
    Ok(Layer {
        diff_id: tar.sha256,
        blob: writer.finish()?,
    })
}

fn append(archive: &mut tar::Builder<impl Write>, store: &Store, entry: &Entry) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(entry.mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    let path = entry.path.trim_start_matches('/');
    match &entry.kind {
        Kind::Directory => {
            header.set_entry_type(tar::EntryType::Directory);
            archive.append_data(&mut header, format!("{path}/"), io::empty())
        }
        Kind::File(content) => {
            header.set_entry_type(tar::EntryType::Regular);
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, path, content.as_slice())
        }
        Kind::Link(target) => {
            header.set_entry_type(tar::EntryType::Symlink);
            archive.append_link(&mut header, path, target)
        }
        Kind::Blob(blob) => {
            header.set_entry_type(tar::EntryType::Regular);
            header.set_size(blob.size);
            archive.append_data(&mut header, path, content(store, blob)?)
        }
    }
}

/// Opens the content of a compressed blob.
fn content(store: &Store, blob: &BlobRef) -> io::Result<impl Read> {
    let path = store.path(blob.sha256, Encoding::Zstd);
    zstd::Decoder::new(std::fs::File::open(path)?)
}
