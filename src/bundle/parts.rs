//! Parts that no release names: what is brought to nodes once, an image of the user's.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::manifest::{Encoding, FORMAT, Manifest, StoredBlob};
use super::store::Store;
use super::{Bundle, BundleError, directory};
use crate::resource::{BlobRef, Sha256};

/// Content-addressed parts in a folder of their own.
#[derive(Debug)]
pub struct Parts {
    folder: PathBuf,
    store: Store,
    blobs: BTreeMap<Sha256, StoredBlob>,
}

impl Parts {
    /// Begins in an empty folder; what a run that died left in it is removed.
    pub fn begin(folder: &Path) -> Result<Self, BundleError> {
        if folder.exists() {
            fs::remove_dir_all(folder)
                .map_err(|source| BundleError::file("remove", folder, source))?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            store: Store::new(folder.join(directory::BLOBS)),
            blobs: BTreeMap::new(),
        })
    }

    /// Stores all that a reader gives.
    pub fn put(&mut self, reader: &mut dyn Read) -> Result<BlobRef, BundleError> {
        let blob = self.store.put(reader, Encoding::Raw)?;
        let stored = StoredBlob {
            encoding: Encoding::Raw,
            stored: blob.size,
        };
        self.blobs.insert(blob.sha256, stored);
        Ok(blob)
    }

    /// Returns a part by its hash.
    pub fn find(&self, sha256: Sha256) -> Option<BlobRef> {
        let size = self.blobs.get(&sha256)?.stored;
        Some(BlobRef { sha256, size })
    }

    /// Returns the file of a part.
    pub fn path(&self, blob: BlobRef) -> PathBuf {
        self.store.path(blob.sha256, Encoding::Raw)
    }

    /// Reads the first bytes of a part, `limit` at most.
    pub fn read(&self, blob: BlobRef, limit: u64) -> Result<Vec<u8>, BundleError> {
        let path = self.path(blob);
        let failed = |source| BundleError::file("read", &path, source);
        let mut content = Vec::new();
        let file = File::open(&path).map_err(failed)?;
        file.take(limit).read_to_end(&mut content).map_err(failed)?;
        Ok(content)
    }

    /// Returns the parts as a bundle of which no cluster can be made.
    pub fn into_bundle(self) -> Bundle {
        let manifest = Manifest {
            format: FORMAT,
            kinstall: env!("CARGO_PKG_VERSION").to_owned(),
            releases: BTreeMap::new(),
            blobs: self.blobs,
        };
        Bundle::of(self.folder, manifest, self.store)
    }
}
