//! The files of an archive or of a layout's folder, each kept by the hash of its content.
//!
//! What an archive calls a file is only a key to look it up: no such path is ever opened or written.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use tar::EntryType;

use super::ImageFault;
use super::packing::unpacked;
use crate::bundle::{Bundle, Parts};
use crate::resource::{BlobRef, Sha256};

/// More files than any image archive has; each costs memory.
const MOST_ENTRIES: usize = 100_000;
/// Links that are followed from one another.
const LONGEST_CHAIN: usize = 16;
/// Largest file that describes an image, in bytes; containerd's own limit for manifests is half of it.
const LARGEST_DOCUMENT: u64 = 16 << 20;
/// Says that a folder is a layout.
pub(super) const MARKER: &str = "oci-layout";
/// The list of a layout's images.
pub(super) const INDEX: &str = "index.json";
/// Where layouts have files whose names are their hashes.
const BLOBS: &str = "blobs/sha256/";

/// The files of one archive or folder.
#[derive(Debug)]
pub struct Contents {
    parts: Parts,
    files: BTreeMap<String, BlobRef>,
    links: BTreeMap<String, String>,
}

impl Contents {
    /// Takes all files of an archive; `from` names it in errors.
    pub fn of_archive(reader: impl Read, from: &str, parts: Parts) -> Result<Self, ImageFault> {
        let unreadable = |source| ImageFault::Read {
            from: from.to_owned(),
            source,
        };
        let mut contents = Self::begin(parts);
        let mut reader = unpacked(reader).map_err(unreadable)?;
        let mut archive = tar::Archive::new(&mut reader);
        for entry in archive.entries().map_err(unreadable)? {
            contents.take(entry.map_err(unreadable)?, from)?;
        }
        // A program that pipes its archive here must be able to write all of it.
        std::io::copy(&mut reader, &mut std::io::sink()).map_err(unreadable)?;
        Ok(contents)
    }

    /// Takes the files of a folder with an OCI image layout.
    pub fn of_folder(folder: &Path, parts: Parts) -> Result<Self, ImageFault> {
        let mut contents = Self::begin(parts);
        for name in [MARKER, INDEX] {
            let path = folder.join(name);
            if path.is_file() {
                contents.take_file(&path, name)?;
            }
        }
        let blobs = folder.join(BLOBS);
        if blobs.is_dir() {
            let unreadable = |source| ImageFault::Read {
                from: blobs.display().to_string(),
                source,
            };
            for entry in fs::read_dir(&blobs).map_err(unreadable)? {
                let name = entry.map_err(unreadable)?.file_name();
                let name = name.to_string_lossy();
                contents.take_file(&blobs.join(&*name), &format!("{BLOBS}{name}"))?;
            }
        }
        Ok(contents)
    }

    /// Returns all parts, to be sent.
    pub fn into_bundle(self) -> Bundle {
        self.parts.into_bundle()
    }

    /// Finds a file by the name that it has in the archive.
    pub(super) fn file(&self, name: &str) -> Result<BlobRef, ImageFault> {
        let mut path = normal(name);
        for _ in 0..LONGEST_CHAIN {
            if let Some(blob) = self.files.get(&path) {
                return Ok(*blob);
            }
            match self.links.get(&path) {
                Some(target) => path.clone_from(target),
                None => break,
            }
        }
        Err(missing(name))
    }

    /// Finds a part by its hash.
    pub(super) fn part(&self, sha256: Sha256) -> Option<BlobRef> {
        self.parts.find(sha256)
    }

    /// Reads a file that describes an image; `name` is for errors.
    pub(super) fn document<T: serde::de::DeserializeOwned>(
        &self,
        blob: BlobRef,
        name: &str,
    ) -> Result<T, ImageFault> {
        if blob.size > LARGEST_DOCUMENT {
            let entry = name.to_owned();
            return Err(ImageFault::Refused {
                entry,
                why: "is too large to describe an image",
            });
        }
        let bytes = self.parts.read(blob, LARGEST_DOCUMENT)?;
        serde_json::from_slice(&bytes).map_err(|source| ImageFault::Json {
            file: name.to_owned(),
            source,
        })
    }

    /// Reads the first bytes of a part.
    pub(super) fn start(&self, blob: BlobRef) -> Result<Vec<u8>, ImageFault> {
        Ok(self.parts.read(blob, 8)?)
    }

    /// Adds a part that is not in the archive.
    pub(super) fn add(&mut self, content: &str) -> Result<BlobRef, ImageFault> {
        Ok(self.parts.put(&mut content.as_bytes())?)
    }

    fn begin(parts: Parts) -> Self {
        Self {
            parts,
            files: BTreeMap::new(),
            links: BTreeMap::new(),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.file(name).is_ok()
    }

    fn take(&mut self, mut entry: tar::Entry<'_, impl Read>, from: &str) -> Result<(), ImageFault> {
        let unreadable = |source| ImageFault::Read {
            from: from.to_owned(),
            source,
        };
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let refused = |why| ImageFault::Refused {
            entry: name.clone(),
            why,
        };
        if self.files.len() + self.links.len() >= MOST_ENTRIES {
            return Err(refused("is one file too many"));
        }
        if is_outside(&name) {
            return Err(refused("leads out of the archive"));
        }
        let key = normal(&name);
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Directory | EntryType::XGlobalHeader => return Ok(()),
            kind @ (EntryType::Symlink | EntryType::Link) => {
                let target = entry.link_name_bytes().unwrap_or_default();
                let target = String::from_utf8_lossy(&target).into_owned();
                // A symbolic link starts where it stands, a hard link at the top.
                let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
                let target = match kind {
                    EntryType::Symlink => normal(&format!("{folder}/{target}")),
                    _ => normal(&target),
                };
                self.links.insert(key, target);
                return Ok(());
            }
            _ => return Err(refused("is no file")),
        }
        let size = entry.size();
        let blob = self.parts.put(&mut entry).map_err(|error| match error {
            // Reading and writing fail alike here; only a full disk is this computer's fault for sure.
            crate::bundle::BundleError::File { source, .. }
                if source.kind() != std::io::ErrorKind::StorageFull =>
            {
                unreadable(source)
            }
            error => ImageFault::Store(error),
        })?;
        if blob.size != size {
            return Err(ImageFault::Truncated { entry: name });
        }
        check_name(&key, blob)?;
        match self.files.insert(key, blob) {
            Some(before) if before != blob => Err(ImageFault::Refused {
                entry: name,
                why: "stands in it twice",
            }),
            _ => Ok(()),
        }
    }

    fn take_file(&mut self, path: &Path, name: &str) -> Result<(), ImageFault> {
        let mut file = File::open(path).map_err(|source| ImageFault::Read {
            from: path.display().to_string(),
            source,
        })?;
        let blob = self.parts.put(&mut file)?;
        check_name(name, blob)?;
        self.files.insert(name.to_owned(), blob);
        Ok(())
    }
}

pub(super) fn missing(part: &str) -> ImageFault {
    ImageFault::Incomplete {
        part: part.to_owned(),
    }
}

/// A file whose name is a hash must have it.
fn check_name(name: &str, blob: BlobRef) -> Result<(), ImageFault> {
    match name.strip_prefix(BLOBS) {
        Some(digest) if digest != blob.sha256.to_string() => Err(ImageFault::Digest {
            entry: name.to_owned(),
            actual: blob.sha256,
        }),
        _ => Ok(()),
    }
}

fn is_outside(name: &str) -> bool {
    let mut depth = 0_i32;
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    name.starts_with('/')
}

/// Returns a path without `.` and `..`; `..` at the top stays there.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}
