//! Opens a backup, and checks all of it on the way.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use sha2::Digest as _;

use super::{BackupError, RECORD, SECRETS, SNAPSHOT, reading};
use crate::age;
use crate::credentials::ClusterSecrets;
use crate::format_version;
use crate::report::backup::{FORMAT, Record};
use crate::resource::Sha256;
use crate::secret::Secret;

/// Entries but the snapshot are read into memory.
const LARGEST_FILE: u64 = 64 << 20;

/// What is in a backup.
#[derive(Debug)]
pub struct Contents<T> {
    pub record: Record,
    pub secrets: ClusterSecrets,
    /// All paths in it.
    pub files: Vec<PathBuf>,
    /// What became of the snapshot.
    pub snapshot: T,
}

/// Reads all of a backup, and hands its snapshot over to be read to its end.
pub fn open<T, E: From<BackupError>>(
    path: &Path,
    passphrase: &Secret,
    take: impl FnOnce(&mut dyn Read) -> Result<T, E>,
) -> Result<Contents<T>, E> {
    let failed = |error| reading(path, error);
    let other = |reason: &str| BackupError::Other {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let file = File::open(path).map_err(failed)?;
    let opened = age::Reader::open(BufReader::new(file), passphrase).map_err(failed)?;
    let mut archive = tar::Archive::new(opened);
    let (mut record, mut secrets, mut files) = (None::<Record>, None, Vec::new());
    let mut taken = None;
    let mut take = Some(take);
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let name = entry.path().map_err(failed)?.into_owned();
        files.push(name.clone());
        match name.to_str() {
            Some(SNAPSHOT) => {
                if let Some(take) = take.take() {
                    let mut watched = Watched {
                        source: &mut entry,
                        failed: None,
                        hasher: sha2::Sha256::new(),
                    };
                    let result = take(&mut watched);
                    // The decryption's own words say more.
                    if let Some(error) = watched.failed {
                        return Err(failed(error).into());
                    }
                    taken = Some((result?, Sha256::from_hasher(watched.hasher)));
                }
            }
            Some(RECORD) => {
                let bytes = content(&mut entry).map_err(failed)?;
                let read = format_version::read(&bytes, FORMAT);
                record = Some(read.map_err(|source| BackupError::Format {
                    path: path.to_owned(),
                    source,
                })?);
            }
            Some(SECRETS) => {
                let bytes = content(&mut entry).map_err(failed)?;
                let text = String::from_utf8(bytes).map_err(|_| other("its keys can't be read"))?;
                let read = ClusterSecrets::parse(&Secret::new(text), path);
                secrets = Some(read.map_err(|error| other(&error.to_string()))?);
            }
            _ => {}
        }
    }
    // What comes after the archive's end belongs to the file as well.
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(failed)?;
    let (Some(record), Some(secrets), Some((snapshot, sha256))) = (record, secrets, taken) else {
        return Err(other("it lacks a part").into());
    };
    if sha256 != record.snapshot.sha256 {
        return Err(other("the snapshot in it is not the one that it tells of").into());
    }
    Ok(Contents {
        record,
        secrets,
        files,
        snapshot,
    })
}

fn content(entry: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(LARGEST_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Hashes what is read, and remembers why reading failed.
struct Watched<'a> {
    source: &'a mut dyn Read,
    failed: Option<io::Error>,
    hasher: sha2::Sha256,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.source.read(buffer) {
            Ok(count) => {
                self.hasher.update(&buffer[..count]);
                Ok(count)
            }
            Err(error) => {
                let kind = error.kind();
                self.failed = Some(error);
                Err(io::Error::from(kind))
            }
        }
    }
}
