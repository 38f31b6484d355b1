//! Files of the user's that are used where they are: known again without reading them.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::digest::{Algorithm, Digest, Hasher};

/// What changes when a file is replaced or written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileStamp {
    pub path: PathBuf,
    pub size: u64,
    /// In nanoseconds since 1970.
    modified: u64,
    /// 0 where file systems have none.
    inode: u64,
}

impl FileStamp {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        let modified = metadata.modified()?.duration_since(UNIX_EPOCH);
        let modified = modified.map_or(0, |time| time.as_nanos());
        Ok(Self {
            path: path.into(),
            size: metadata.len(),
            modified: u64::try_from(modified).unwrap_or(0),
            inode: inode(&metadata),
        })
    }

    /// Tells if the file is the one that it was.
    pub(super) fn is_current(&self) -> bool {
        Self::of(&self.path).is_ok_and(|now| now == *self)
    }
}

/// Returns hashes of several files as if they were one, reading them once.
pub(super) fn hash(algorithms: &[Algorithm], paths: &[PathBuf]) -> io::Result<Vec<Digest>> {
    let mut hashers: Vec<Hasher> = algorithms.iter().map(|it| Hasher::new(*it)).collect();
    let mut buffer = vec![0; 1 << 18];
    for path in paths {
        let mut file = File::open(path)?;
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            for hasher in &mut hashers {
                hasher.write_all(&buffer[..count])?;
            }
        }
    }
    Ok(hashers.into_iter().map(Hasher::finish).collect())
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &fs::Metadata) -> u64 {
    0
}
