//! A bundle as one file, for a computer that can neither build nor download: a tar archive of `manifest.json`, then the
//! blobs in the order of their names. The same bundle gives the same file, byte for byte.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::hashing::HashingWriter;
use super::manifest::{Manifest, StoredBlob};
use super::open::Bundle;
use super::store::{Damage, Store};
use super::{BundleError, directory};
use crate::resource::{BlobRef, Sha256};

/// Largest `manifest.json`, in bytes; a real one has some hundred kilobytes.
const LARGEST_MANIFEST: u64 = 64 << 20;

/// Why a file is no bundle, or not the one that is wanted.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveFault {
    #[error("it has sha256 {actual}, expected {expected}")]
    OtherFile { expected: Sha256, actual: Sha256 },
    #[error("it does not begin with `manifest.json`")]
    NoManifest,
    #[error("`{name}` is in it, which its manifest does not name")]
    Stranger { name: String },
    #[error("`{name}` in it is damaged")]
    Part { name: String, source: Damage },
    #[error("it ends before {missing} of its {all} parts")]
    Incomplete { missing: usize, all: usize },
}

/// What a file had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unpacked {
    pub parts: usize,
    /// Parts that were not there before.
    pub new: usize,
}

/// Writes a bundle into a file, whole or not at all; returns the file's hash and size.
pub fn save(bundle: &Bundle, path: &Path) -> Result<BlobRef, BundleError> {
    let partial = path.with_extension("partial");
    let written = write(bundle, &partial);
    let renamed = written.and_then(|blob| {
        fs::rename(&partial, path).map_err(|source| BundleError::file("write", path, source))?;
        Ok(blob)
    });
    if renamed.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&partial);
    }
    renamed
}

/// Takes a bundle out of a file into a folder, in the place of the bundle there. Parts that are there already stay, so
/// that an interrupted run goes on where it stopped; the bundle there is good until the new one is whole.
pub fn load(path: &Path, expected: Option<Sha256>, output: &Path) -> Result<Unpacked, BundleError> {
    if let Some(expected) = expected {
        let actual = hash(path)?;
        if actual != expected {
            return Err(fault(path, ArchiveFault::OtherFile { expected, actual }));
        }
    }
    let unreadable = |source| BundleError::file("read", path, source);
    let file = File::open(path).map_err(unreadable)?;
    let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 20, file));
    let mut entries = archive.entries().map_err(unreadable)?;
    let first = entries
        .next()
        .ok_or_else(|| fault(path, ArchiveFault::NoManifest))?;
    let manifest = manifest(path, first.map_err(unreadable)?, output)?;
    let store = Store::new(output.join(directory::BLOBS));
    let mut wanted = wanted(&manifest);
    let mut unpacked = Unpacked {
        parts: wanted.len(),
        new: 0,
    };
    for entry in entries {
        let mut entry = entry.map_err(unreadable)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some((blob, stored)) = wanted.remove(&name) else {
            return Err(fault(path, ArchiveFault::Stranger { name }));
        };
        if store.check(&blob, stored, false).is_ok() {
            continue;
        }
        let temporary = store.temporary()?;
        let failed = |source| BundleError::file("write", &temporary.0, source);
        let mut file = File::create(&temporary.0).map_err(failed)?;
        io::copy(&mut entry, &mut file).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        let taken = store.take(&temporary.0, &blob, stored)?;
        taken.map_err(|source| fault(path, ArchiveFault::Part { name, source }))?;
        unpacked.new += 1;
    }
    if !wanted.is_empty() {
        let (missing, all) = (wanted.len(), unpacked.parts);
        return Err(fault(path, ArchiveFault::Incomplete { missing, all }));
    }
    manifest.save(&output.join(directory::MANIFEST))?;
    store.retain(&manifest.blob_names())?;
    Ok(unpacked)
}

fn write(bundle: &Bundle, path: &Path) -> Result<BlobRef, BundleError> {
    let failed = |source| BundleError::file("write", path, source);
    let file = File::create(path).map_err(failed)?;
    let writer = BufWriter::with_capacity(1 << 20, file);
    let mut archive = tar::Builder::new(HashingWriter::new(writer));
    let manifest = bundle.path().join(directory::MANIFEST);
    let text =
        fs::read(&manifest).map_err(|source| BundleError::file("read", &manifest, source))?;
    append(&mut archive, directory::MANIFEST, text.len() as u64, &*text).map_err(failed)?;
    let store = Store::new(bundle.path().join(directory::BLOBS));
    for (name, (blob, stored)) in wanted(bundle.manifest()) {
        // A file must not carry what its reader refuses.
        let checked = store.check(&blob, stored, true);
        checked.map_err(|source| BundleError::Part {
            part: name.clone(),
            source,
        })?;
        let place = store.path(blob.sha256, stored.encoding);
        let content = File::open(&place);
        let content = content.map_err(|source| BundleError::file("read", &place, source))?;
        append(&mut archive, &name, stored.stored, content).map_err(failed)?;
    }
    let (writer, blob) = archive.into_inner().map_err(failed)?.finish();
    let file = writer
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    Ok(blob)
}

fn append(
    archive: &mut tar::Builder<impl Write>,
    name: &str,
    size: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(size);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, content)
}

/// Reads the first entry.
fn manifest(
    path: &Path,
    entry: tar::Entry<'_, impl Read>,
    output: &Path,
) -> Result<Manifest, BundleError> {
    if *entry.path_bytes() != *directory::MANIFEST.as_bytes() {
        return Err(fault(path, ArchiveFault::NoManifest));
    }
    let mut text = Vec::new();
    let read = entry.take(LARGEST_MANIFEST).read_to_end(&mut text);
    read.map_err(|source| BundleError::file("read", path, source))?;
    fs::create_dir_all(output).map_err(|source| BundleError::file("create", output, source))?;
    let incoming = output.join("manifest.incoming");
    fs::write(&incoming, &text).map_err(|source| BundleError::file("write", &incoming, source))?;
    let manifest = Manifest::load(&incoming);
    // What stays is replaced by the next one.
    let _ = fs::remove_file(&incoming);
    manifest
}

/// Returns the parts by their names in the file.
pub(super) fn wanted(manifest: &Manifest) -> BTreeMap<String, (BlobRef, StoredBlob)> {
    let parts = manifest.parts().into_iter();
    parts
        .filter_map(|(_, blob)| {
            let stored = *manifest.blobs.get(&blob.sha256)?;
            let name: PathBuf = Store::new(directory::BLOBS).path(blob.sha256, stored.encoding);
            Some((
                name.display().to_string().replace('\\', "/"),
                (blob, stored),
            ))
        })
        .collect()
}

fn hash(path: &Path) -> Result<Sha256, BundleError> {
    let unreadable = |source| BundleError::file("read", path, source);
    let mut file = File::open(path).map_err(unreadable)?;
    let mut hasher = HashingWriter::new(io::sink());
    io::copy(&mut file, &mut hasher).map_err(unreadable)?;
    Ok(hasher.finish().1.sha256)
}

fn fault(path: &Path, source: ArchiveFault) -> BundleError {
    BundleError::Archive {
        path: path.to_owned(),
        source: Box::new(source),
    }
}
