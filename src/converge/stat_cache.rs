//! Digests of large files by what `stat` says, so that an unchanged file isn't read again.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::ResourceError;
use super::draft::{self, Access};
use super::error::FileContext;
use crate::resource::Sha256;

/// Known digests, by path on the node.
#[derive(Debug, Default)]
pub struct StatCache {
    entries: BTreeMap<String, Entry>,
    changed: bool,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    sha256: Sha256,
    stat: Stat,
}

/// What must be equal for a file to be the same.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stat {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stat {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl StatCache {
    /// Reads a saved cache; one that can't be read is as good as none.
    pub fn load(path: &Path) -> Self {
        let entries = fs::read(path)
            .ok()
            .and_then(|bytes| postcard::from_bytes(&bytes).ok())
            .unwrap_or_default();
        Self {
            entries,
            changed: false,
        }
    }

    /// Writes the cache if something was learnt.
    pub fn save(&mut self, path: &Path) -> Result<(), ResourceError> {
        if !std::mem::take(&mut self.changed) {
            return Ok(());
        }
        let bytes = postcard::to_stdvec(&self.entries)
            .map_err(|error| ResourceError::other(format!("failed to encode a cache: {error}")))?;
        let access = Access {
            mode: 0o600,
            user: None,
            group: None,
        };
        draft::write(path, &bytes, access)
    }

    /// Returns the digest of the file `path` of the node, which really is at `real`.
    pub fn sha256(&mut self, path: &str, real: &Path) -> Result<Sha256, ResourceError> {
        let stat = Stat::of(&fs::metadata(real).doing("read", real)?);
        if let Some(entry) = self.entries.get(path).filter(|entry| entry.stat == stat) {
            return Ok(entry.sha256);
        }
        let sha256 = hash_file(real)?;
        self.entries.insert(path.to_owned(), Entry { sha256, stat });
        self.changed = true;
        Ok(sha256)
    }

    /// Remembers the digest of a file that was just written.
    pub fn learn(&mut self, path: &str, real: &Path, sha256: Sha256) {
        if let Ok(metadata) = fs::metadata(real) {
            let stat = Stat::of(&metadata);
            self.entries.insert(path.to_owned(), Entry { sha256, stat });
            self.changed = true;
        }
    }
}

/// Reads a file through.
pub fn hash_file(path: &Path) -> Result<Sha256, ResourceError> {
    let mut file = fs::File::open(path).doing("open", path)?;
    let mut hasher = Hashing(sha2::Sha256::new());
    io::copy(&mut file, &mut hasher).doing("read", path)?;
    Ok(Sha256::from_hasher(hasher.0))
}

/// A hasher that bytes can be written to.
struct Hashing(sha2::Sha256);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::StatCache;
    use crate::resource::Sha256;

    #[test]
    fn an_unchanged_file_is_not_read_again_and_a_changed_one_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "one").unwrap();
        let mut cache = StatCache::default();
        // A digest that reading can't give shows where the answer comes from.
        cache.learn("/file", &file, Sha256::of(b"remembered"));
        assert_eq!(
            cache.sha256("/file", &file).unwrap(),
            Sha256::of(b"remembered")
        );
        std::fs::write(&file, "three").unwrap();
        assert_eq!(cache.sha256("/file", &file).unwrap(), Sha256::of(b"three"));
        let saved = folder.path().join("cache");
        cache.save(&saved).unwrap();
        assert_eq!(StatCache::load(&saved).entries, cache.entries);
    }
}
