//! `image.json`: what is known of an image in the store.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::ImageError;
use super::kind::{Image, ImageKind};
use super::local_files::FileStamp;
use crate::digest::Digest;
use crate::format_version::{self, FormatError};
use crate::resource::Sha256;
use crate::whole_file;

const FORMAT: u32 = 1;
const FILE: &str = "image.json";

/// An image in the store, whole or not.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub sha256: Sha256,
    pub folder: PathBuf,
    pub record: Record,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    format: u32,
    /// As it was fetched from the catalog.
    pub catalog_name: Option<String>,
    /// That the user gave.
    pub names: Vec<String>,
    pub user: Option<String>,
    /// Hashes of other kinds by which it is asked for.
    pub digests: Vec<Digest>,
    /// Addresses with a list of hashes that led here; asked once, so that a lab stays what it is.
    pub references: Vec<String>,
    /// Paths are below the folder, but for those of files that are used where they are.
    pub kind: ImageKind,
    /// The files in the folder, with their sizes.
    pub files: BTreeMap<String, u64>,
    /// Where the user has it.
    pub local: Vec<FileStamp>,
}

impl Record {
    pub(super) fn new(kind: ImageKind) -> Self {
        Self {
            format: FORMAT,
            catalog_name: None,
            names: Vec::new(),
            user: None,
            digests: Vec::new(),
            references: Vec::new(),
            kind,
            files: BTreeMap::new(),
            local: Vec::new(),
        }
    }

    /// Writes the record into a folder, whole or not at all.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        whole_file::write(&folder.join(FILE), &serde_json::to_vec_pretty(self)?)
    }
}

impl Entry {
    /// Returns all images of a store, those without a whole record left out, sorted by hash. A record that another
    /// kinstall wrote is an error: it is in use.
    pub(super) fn all(store: &Path) -> Result<Vec<Self>, ImageError> {
        let mut all = Vec::new();
        for entry in fs::read_dir(store).into_iter().flatten().flatten() {
            let folder = entry.path();
            let name = folder.file_name().and_then(|name| name.to_str());
            let Some(sha256) = name.and_then(|name| name.parse().ok()) else {
                continue;
            };
            all.extend(Self::read(sha256, folder)?);
        }
        all.sort_by_key(|it| it.sha256.to_string());
        Ok(all)
    }

    /// Returns the image of a folder; `None` where it has no whole record.
    pub(super) fn read(sha256: Sha256, folder: PathBuf) -> Result<Option<Self>, ImageError> {
        let path = folder.join(FILE);
        let Ok(text) = fs::read(&path) else {
            return Ok(None);
        };
        match format_version::read(&text, FORMAT) {
            Ok(record) => Ok(Some(Self {
                sha256,
                folder,
                record,
            })),
            Err(FormatError::Malformed(_)) => Ok(None),
            Err(source @ FormatError::Other { .. }) => Err(ImageError::Format { path, source }),
        }
    }

    /// Tells if all files are there in their sizes, and those of the user's unchanged.
    pub(super) fn is_whole(&self) -> bool {
        let in_folder = |(name, size): (&String, &u64)| {
            fs::metadata(self.folder.join(name)).is_ok_and(|it| it.len() == *size)
        };
        if self.is_in_place() {
            return self.record.local.iter().all(FileStamp::is_current);
        }
        self.record.files.iter().all(in_folder)
    }

    /// Tells if the image's files are the user's own.
    pub(super) fn is_in_place(&self) -> bool {
        self.record.files.is_empty()
    }

    /// Tells if the image has this hash, of whatever kind.
    pub(super) fn has(&self, digest: &Digest) -> bool {
        Digest::from(self.sha256) == *digest || self.record.digests.contains(digest)
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.record.names.iter().any(|it| it == name)
    }

    /// Returns what it takes on disk, in bytes.
    pub(super) fn size(&self) -> u64 {
        if self.is_in_place() {
            return self.record.local.iter().map(|it| it.size).sum();
        }
        self.record.files.values().sum()
    }

    pub(super) fn image(&self) -> Image {
        let record = &self.record;
        let kind = record
            .kind
            .clone()
            .with_paths(|path| self.folder.join(path));
        let box_user = match &kind {
            ImageKind::Box(it) => Some(it.user.clone()),
            _ => None,
        };
        let own_name = record.names.first();
        Image {
            sha256: self.sha256,
            name: own_name.or(record.catalog_name.as_ref()).cloned(),
            user: box_user.or_else(|| record.user.clone()),
            kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_release_0_1_0_is_read() {
        let text = include_str!("../../tests/fixtures/0.1.0/image.json");
        let record: Record = format_version::read(text.as_bytes(), FORMAT).unwrap();
        assert_eq!(record.names, ["lab"]);
    }
}
