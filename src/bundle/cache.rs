//! What was built before, by the hash of what it was built from.
//!
//! ```text
//! lock              held while a bundle is built
//! build/KEY.json    what a recipe came to: names and hashes of blobs
//! blobs/            the blobs
//! downloads/        files of other people's, by sha256
//! work/             sources and outputs of the build that is going on
//! ```

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::store::Store;
use super::{BundleError, directory};
use crate::resource::{BlobRef, Sha256};
use crate::whole_file;

/// The cache folder, locked for this process.
pub(super) struct Cache {
    root: PathBuf,
    store: Store,
    _lock: File,
}

/// Something that a recipe came to.
pub(super) trait Cached: Serialize + DeserializeOwned {
    /// Returns the blobs that have to be there for it to be of use.
    fn blobs(&self) -> Vec<BlobRef>;
}

impl Cache {
    /// Opens the cache; waits while another build uses it.
    pub(super) fn open(root: &Path) -> Result<Self, BundleError> {
        fs::create_dir_all(root).map_err(|source| BundleError::file("create", root, source))?;
        let path = root.join("lock");
        let lock = File::create(&path)
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|source| BundleError::file("lock", &path, source))?;
        let cache = Self {
            root: root.into(),
            store: Store::new(root.join(directory::BLOBS)),
            _lock: lock,
        };
        // What a build that died has left.
        cache.store.remove_temporaries()?;
        WorkFolder(root.join("work"))
            .clear()
            .map_err(|source| BundleError::file("clean up", root, source))?;
        Ok(cache)
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn downloads(&self) -> PathBuf {
        self.root.join("downloads")
    }

    /// Returns an empty folder that is removed with the value.
    pub(super) fn work(&self, name: &str) -> Result<WorkFolder, BundleError> {
        let path = self.root.join("work").join(name);
        let folder = WorkFolder(path);
        folder
            .clear()
            .and_then(|()| fs::create_dir_all(&folder.0))
            .map_err(|source| BundleError::file("create", &folder.0, source))?;
        Ok(folder)
    }

    /// Returns what a recipe came to earlier, if all of it is still there and whole.
    pub(super) fn get<T: Cached>(&self, key: Sha256) -> Option<T> {
        let text = fs::read(self.record(key)).ok()?;
        let cached: T = serde_json::from_slice(&text).ok()?;
        for blob in cached.blobs() {
            let stored = self.store.find(blob.sha256)?;
            if self.store.check(&blob, stored, false).is_err() {
                self.store.discard(blob.sha256);
                return None;
            }
        }
        Some(cached)
    }

    /// Remembers what a recipe came to.
    pub(super) fn put<T: Cached>(&self, key: Sha256, cached: &T) -> Result<(), BundleError> {
        let path = self.record(key);
        let text = serde_json::to_vec(cached).map_err(|source| BundleError::json(&path, source))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .map_err(|source| BundleError::file("create", folder, source))?;
        }
        whole_file::write(&path, &text).map_err(|source| BundleError::file("write", &path, source))
    }

    fn record(&self, key: Sha256) -> PathBuf {
        self.root.join("build").join(format!("{key}.json"))
    }
}

/// Returns the key of a recipe: everything that decides what it comes to.
pub(super) fn key(kind: &str, recipe: &impl Serialize) -> Result<Sha256, BundleError> {
    let text = serde_json::to_string(recipe)
        .map_err(|source| BundleError::json(Path::new(kind), source))?;
    Ok(Sha256::of(format!("{kind} {text}").as_bytes()))
}

/// A folder that is removed with the value.
pub(super) struct WorkFolder(pub(super) PathBuf);

impl WorkFolder {
    fn clear(&self) -> std::io::Result<()> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // What stays is removed by the next build.
        let _ = self.clear();
    }
}
