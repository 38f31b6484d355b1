//! Content-addressed files: `blobs/<sha256>` holds the bytes themselves, `blobs/<sha256>.zst` a zstd
//! frame of them. In both the name is the hash of the bytes, not of the frame.
//!
//! Layers of images are compressed already and are known by the hash of just those bytes, so they lie
//! there raw; everything else is compressed once, here, and travels to the nodes as it is.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::BundleError;
use super::blob_writer::{BlobWriter, Temporary};
use super::hashing::HashingWriter;
use super::manifest::{Encoding, StoredBlob};
use crate::resource::{BlobRef, Sha256};

/// What every finished blob's modification time is set to (2000-01-01, since 1970). A file with another time was
/// touched by somebody since, and its content is no longer taken for granted.
const STAMP: Duration = Duration::from_hours(262_968);

/// How names of unfinished blobs begin.
const TEMPORARY: &str = "tmp-";

/// A folder of blobs.
#[derive(Clone, Debug)]
pub(super) struct Store {
    directory: PathBuf,
}

/// What is wrong with a blob's file.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    #[error("`{path}` does not exist", path = path.display())]
    Missing { path: PathBuf },
    #[error("`{path}` has {actual} bytes, expected {expected}", path = path.display())]
    Size {
        path: PathBuf,
        expected: u64,
        actual: u64,
    },
    #[error("the content of `{path}` has sha256 {actual}, expected {expected}", path = path.display())]
    Hash {
        path: PathBuf,
        expected: Sha256,
        actual: Sha256,
    },
    #[error("failed to read `{path}` (expected sha256 {expected})", path = path.display())]
    Unreadable {
        path: PathBuf,
        expected: Sha256,
        source: io::Error,
    },
}

impl Store {
    /// Opens the store in a folder that may not exist yet.
    pub(super) fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
        }
    }

    /// Returns where a blob lies or would lie.
    pub(super) fn path(&self, sha256: Sha256, encoding: Encoding) -> PathBuf {
        self.directory.join(match encoding {
            Encoding::Raw => sha256.to_string(),
            Encoding::Zstd => format!("{sha256}.zst"),
        })
    }

    /// Returns how a blob lies here, if it does.
    pub(super) fn find(&self, sha256: Sha256) -> Option<StoredBlob> {
        [Encoding::Zstd, Encoding::Raw]
            .into_iter()
            .find_map(|encoding| {
                let metadata = fs::metadata(self.path(sha256, encoding)).ok()?;
                Some(StoredBlob {
                    encoding,
                    stored: metadata.len(),
                })
            })
    }

    /// Starts a blob; it gets its name from [`BlobWriter::finish`], and without that leaves nothing.
    pub(super) fn writer(&self, encoding: Encoding) -> Result<BlobWriter, BundleError> {
        BlobWriter::create(self, encoding)
    }

    /// Returns a path of this folder that nobody else uses; the file goes away with the value.
    pub(super) fn temporary(&self) -> Result<Temporary, BundleError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(&self.directory)
            .map_err(|source| BundleError::file("create", &self.directory, source))?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{TEMPORARY}{}-{number}", std::process::id());
        Ok(Temporary(self.directory.join(name)))
    }

    /// Stores all that a reader gives.
    pub(super) fn put(
        &self,
        reader: &mut dyn Read,
        encoding: Encoding,
    ) -> Result<BlobRef, BundleError> {
        let mut writer = self.writer(encoding)?;
        io::copy(reader, &mut writer)
            .map_err(|source| BundleError::file("write", writer.path(), source))?;
        writer.finish()
    }

    /// Stores a file's content.
    pub(super) fn put_file(&self, path: &Path) -> Result<BlobRef, BundleError> {
        let mut file =
            File::open(path).map_err(|source| BundleError::file("open", path, source))?;
        self.put(&mut file, Encoding::Zstd)
    }

    /// Takes over a blob of another store: as a hard link, or as a copy on another file system.
    pub(super) fn adopt(&self, other: &Store, sha256: Sha256) -> Result<StoredBlob, BundleError> {
        let Some(theirs) = other.find(sha256) else {
            let path = other.path(sha256, Encoding::Zstd);
            return Err(BundleError::file(
                "find",
                &path,
                io::ErrorKind::NotFound.into(),
            ));
        };
        let from = other.path(sha256, theirs.encoding);
        let to = self.path(sha256, theirs.encoding);
        if self.find(sha256) == Some(theirs) && !is_touched(&to) {
            return Ok(theirs);
        }
        let temporary = self.temporary()?;
        if fs::hard_link(&from, &temporary.0).is_err() {
            fs::copy(&from, &temporary.0)
                .and_then(|_| stamp(&temporary.0))
                .map_err(|source| BundleError::file("copy to", &temporary.0, source))?;
        }
        fs::rename(&temporary.0, &to).map_err(|source| BundleError::file("write", &to, source))?;
        Ok(theirs)
    }

    /// Takes over a file that is said to be a blob as it is stored; what it isn't doesn't stay.
    pub(super) fn take(
        &self,
        file: &Path,
        blob: &BlobRef,
        stored: StoredBlob,
    ) -> Result<Result<(), Damage>, BundleError> {
        let place = self.path(blob.sha256, stored.encoding);
        fs::create_dir_all(&self.directory)
            .and_then(|()| fs::rename(file, &place))
            .map_err(|source| BundleError::file("write", &place, source))?;
        let checked = self.check(blob, stored, true);
        if checked.is_err() {
            self.discard(blob.sha256);
        }
        Ok(checked)
    }

    /// Removes all blobs but those in `keep`.
    pub(super) fn retain(&self, keep: &BTreeSet<Sha256>) -> Result<(), BundleError> {
        self.remove(|name| {
            let sha256 = name.strip_suffix(".zst").unwrap_or(name).parse();
            !sha256.is_ok_and(|sha256| keep.contains(&sha256))
        })
    }

    /// Removes what writers of a process that died have left.
    pub(super) fn remove_temporaries(&self) -> Result<(), BundleError> {
        self.remove(|name| name.starts_with(TEMPORARY))
    }

    fn remove(&self, is_unwanted: impl Fn(&str) -> bool) -> Result<(), BundleError> {
        let failed = |source| BundleError::file("clean up", &self.directory, source);
        let entries = match fs::read_dir(&self.directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            if is_unwanted(&entry.file_name().to_string_lossy()) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Removes a blob that is damaged, so that it is made again.
    pub(super) fn discard(&self, sha256: Sha256) {
        for encoding in [Encoding::Raw, Encoding::Zstd] {
            // Where this fails, the file stays and is found damaged again.
            let _ = fs::remove_file(self.path(sha256, encoding));
        }
    }

    /// Checks that a blob is there as it was written. Reads its content if `full`, or if somebody
    /// touched the file since.
    pub(super) fn check(
        &self,
        blob: &BlobRef,
        stored: StoredBlob,
        full: bool,
    ) -> Result<(), Damage> {
        let path = self.path(blob.sha256, stored.encoding);
        let unreadable = |source| Damage::Unreadable {
            path: path.clone(),
            expected: blob.sha256,
            source,
        };
        let actual = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Damage::Missing { path });
            }
            Err(error) => return Err(unreadable(error)),
        };
        if actual != stored.stored {
            return Err(Damage::Size {
                expected: stored.stored,
                path,
                actual,
            });
        }
        let touched = is_touched(&path);
        if !full && !touched {
            return Ok(());
        }
        // Both ways a failed attempt only means that the content is read once more next time.
        let found = hash_content(&path, stored.encoding);
        match found {
            Ok(actual) if actual == blob.sha256 => {
                if touched {
                    let _ = stamp(&path);
                }
                Ok(())
            }
            Ok(actual) => {
                let _ = touch(&path);
                Err(Damage::Hash {
                    expected: blob.sha256,
                    path,
                    actual,
                })
            }
            Err(source) => {
                let _ = touch(&path);
                Err(unreadable(source))
            }
        }
    }
}

/// Marks a file as finished.
pub(super) fn stamp(path: &Path) -> io::Result<()> {
    set_modified(path, SystemTime::UNIX_EPOCH + STAMP)
}

fn touch(path: &Path) -> io::Result<()> {
    set_modified(path, SystemTime::now())
}

fn set_modified(path: &Path, time: SystemTime) -> io::Result<()> {
    // Windows wants a file that is open for writing.
    File::options().write(true).open(path)?.set_modified(time)
}

fn is_touched(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.ok() != Some(SystemTime::UNIX_EPOCH + STAMP)
}

fn hash_content(path: &Path, encoding: Encoding) -> io::Result<Sha256> {
    let file = File::open(path)?;
    let mut hasher = HashingWriter::new(io::sink());
    match encoding {
        Encoding::Raw => io::copy(&mut { file }, &mut hasher)?,
        Encoding::Zstd => io::copy(&mut zstd::Decoder::new(file)?, &mut hasher)?,
    };
    Ok(hasher.finish().1.sha256)
}
