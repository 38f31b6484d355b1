//! A finished bundle: its parts can be read and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::manifest::{Encoding, Manifest, Program, Release};
use super::store::Store;
use super::{BundleError, Minor, directory};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::parallel;
use crate::resource::{BlobRef, Sha256};

/// A bundle on disk.
#[derive(Clone, Debug)]
pub struct Bundle {
    path: PathBuf,
    manifest: Manifest,
    store: Store,
    /// Files of parts that no release names: see [`Bundle::add`].
    added: BTreeMap<Sha256, PathBuf>,
}

/// A blob as it lies on disk.
#[derive(Debug)]
pub struct StoredFile {
    pub encoding: Encoding,
    /// Size of the file in bytes.
    pub stored: u64,
    pub file: File,
}

impl StoredFile {
    /// Reads it as zstd frames, which is how it travels. A layer is compressed already, so it is only
    /// wrapped, at the level that costs least.
    pub fn compressed(self) -> io::Result<Box<dyn Read + Send>> {
        const WRAP: i32 = -7;
        Ok(match self.encoding {
            Encoding::Zstd => Box::new(self.file),
            Encoding::Raw => Box::new(zstd::stream::read::Encoder::new(self.file, WRAP)?),
        })
    }
}

impl Bundle {
    /// Opens the bundle in a folder. Looks only at `manifest.json`; see [`Bundle::verify`].
    pub fn open(path: &Path) -> Result<Self, Diagnostic> {
        let manifest = Manifest::load(&path.join(directory::MANIFEST))?;
        Ok(Self {
            path: path.into(),
            manifest,
            store: Store::new(path.join(directory::BLOBS)),
            added: BTreeMap::new(),
        })
    }

    /// Makes a bundle of parts that lie in a folder without a `manifest.json`.
    pub(super) fn of(path: PathBuf, manifest: Manifest, store: Store) -> Self {
        Self {
            path,
            manifest,
            store,
            added: BTreeMap::new(),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Returns what a cluster of a minor version of Kubernetes is made of; without one, of the newest.
    pub fn release(&self, minor: Option<Minor>) -> Result<&Release, Diagnostic> {
        let releases = &self.manifest.releases;
        let Some((&newest, _)) = releases.last_key_value() else {
            return Err(BundleError::NoRelease.into());
        };
        let minor = minor.unwrap_or(newest);
        let missing = || BundleError::NoSuchRelease {
            minor,
            known: releases.keys().copied().collect(),
        };
        Ok(releases.get(&minor).ok_or_else(missing)?)
    }

    /// Lets a release have a program that isn't the bundle's, for this run: a component's of a version, in a file.
    pub fn add(
        &mut self,
        minor: Minor,
        (component, program): (&str, &str),
        version: &str,
        file: PathBuf,
        blob: BlobRef,
    ) {
        if let Some(release) = self.manifest.releases.get_mut(&minor) {
            let added = Program {
                component: component.to_owned(),
                version: version.to_owned(),
                blob,
            };
            release
                .programs
                .insert(format!("{component}/{program}"), added);
            release
                .components
                .insert(component.to_owned(), version.to_owned());
            self.added.insert(blob.sha256, file);
        }
    }

    /// Opens a blob for sending. What is in the file is not checked: who receives it does that, and
    /// [`Bundle::check`] then tells what is wrong.
    pub fn blob(&self, sha256: Sha256) -> Result<StoredFile, Diagnostic> {
        if let Some(path) = self.added.get(&sha256) {
            let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
            let (stored, file) =
                opened.map_err(|source| BundleError::file("read", path, source))?;
            return Ok(StoredFile {
                encoding: Encoding::Raw,
                stored,
                file,
            });
        }
        let Some(stored) = self.manifest.blobs.get(&sha256) else {
            return Err(BundleError::NoSuchBlob { sha256 }.into());
        };
        let path = self.store.path(sha256, stored.encoding);
        let file = File::open(&path).map_err(|source| self.damage(sha256, source, &path))?;
        Ok(StoredFile {
            encoding: stored.encoding,
            stored: stored.stored,
            file,
        })
    }

    /// Reads the content of a small blob: a manifest of Kubernetes objects.
    pub fn text(&self, blob: &BlobRef) -> Result<String, Diagnostic> {
        let stored = self.blob(blob.sha256)?;
        let path = self.store.path(blob.sha256, stored.encoding);
        let content = match stored.encoding {
            Encoding::Raw => std::io::read_to_string(stored.file),
            Encoding::Zstd => zstd::Decoder::new(stored.file).and_then(std::io::read_to_string),
        };
        let text = content.map_err(|source| self.damage(blob.sha256, source, &path))?;
        if Sha256::of(text.as_bytes()) != blob.sha256 {
            self.check(blob.sha256)?;
        }
        Ok(text)
    }

    /// Reads a blob and tells what is wrong with it.
    pub fn check(&self, sha256: Sha256) -> Result<(), Diagnostic> {
        let parts = self.manifest.parts();
        let Some((part, blob)) = parts.into_iter().find(|(_, blob)| blob.sha256 == sha256) else {
            return Err(BundleError::NoSuchBlob { sha256 }.into());
        };
        Ok(self.check_part(&part, &blob, true)?)
    }

    /// Checks that every part is there in its size and was not touched since the build; `full` also
    /// reads all content, which takes some seconds. Returns one error for each damaged part.
    pub fn verify(&self, full: bool) -> Result<(), Diagnostics> {
        let mut parts = self.manifest.parts();
        let mut seen = BTreeSet::new();
        parts.retain(|(_, blob)| seen.insert(blob.sha256));
        let results = parallel::map(&parts, parallel::processors(), |(part, blob)| {
            self.check_part(part, blob, full)
        });
        let mut damaged: Vec<BundleError> = results.into_iter().filter_map(Result::err).collect();
        damaged.sort_by_key(ToString::to_string);
        if damaged.is_empty() {
            return Ok(());
        }
        Err(damaged.into_iter().map(Diagnostic::from).collect())
    }

    fn check_part(&self, part: &str, blob: &BlobRef, full: bool) -> Result<(), BundleError> {
        let Some(stored) = self.manifest.blobs.get(&blob.sha256) else {
            return Err(BundleError::NoSuchBlob {
                sha256: blob.sha256,
            });
        };
        (self.store.check(blob, *stored, full)).map_err(|source| BundleError::Part {
            part: part.into(),
            source,
        })
    }

    /// Prefers what [`Bundle::check`] says, which names the part, to a bare error of a read.
    fn damage(&self, sha256: Sha256, source: std::io::Error, path: &Path) -> Diagnostic {
        match self.check(sha256) {
            Err(diagnostic) => diagnostic,
            Ok(()) => BundleError::file("read", path, source).into(),
        }
    }
}
