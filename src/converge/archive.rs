//! Tar archives unpacked into a folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use tar::{Entry, EntryType};

use super::draft::{Access, Draft};
use super::error::FileContext;
use super::marker::Marker;
use super::{Converge, Node, ResourceError, disk};
use crate::resource::{Action, Archive, Change};

/// What an unpacked entry looks like, by its path below the folder.
type Listing = BTreeMap<String, Unpacked>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Unpacked {
    Directory,
    File { mode: u32, size: u64 },
    Link { target: String },
}

/// What became of an earlier unpacking.
#[derive(Debug)]
pub enum Observed {
    Never,
    /// Entries that are gone or look different now.
    Altered(Vec<String>),
}

impl Converge for Archive {
    type Observed = Observed;

    fn probe(&self, node: &Node) -> Result<Observed, ResourceError> {
        let listing = self
            .marker(node)
            .read()
            .and_then(|text| serde_json::from_str::<Listing>(&text).ok());
        let Some(listing) = listing else {
            return Ok(Observed::Never);
        };
        let folder = node.path(&self.path);
        let altered = listing
            .iter()
            .filter(|(name, wanted)| Unpacked::read(&folder.join(name)).as_ref() != Some(wanted))
            .map(|(name, _)| name.clone())
            .collect();
        Ok(Observed::Altered(altered))
    }

    fn diff(&self, observed: &Observed) -> Vec<Change> {
        match observed {
            Observed::Never => vec![Change::new(Action::Create, "content")],
            Observed::Altered(names) => names
                .iter()
                .map(|name| Change::new(Action::Update, name))
                .collect(),
        }
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let blob = node.blob(self.source)?;
        let mut size = 0;
        // Everything is looked at before anything is written.
        self.each_entry(&blob, |_, entry| {
            size += entry.size();
            Ok(())
        })?;
        let folder = node.path(&self.path);
        disk::require(&folder, size)?;
        fs::create_dir_all(&folder).doing("create the folder", &folder)?;
        let root = folder.canonicalize().doing("look at", &folder)?;
        let mut listing = Listing::new();
        self.each_entry(&blob, |name, entry| {
            unpack(entry, name, &root, self.strip)?;
            let path = root.join(name);
            if let Some(unpacked) = Unpacked::read(&path) {
                listing.insert(name.display().to_string(), unpacked);
            }
            Ok(())
        })?;
        let listing = serde_json::to_string(&listing)
            .map_err(|error| ResourceError::other(error.to_string()))?;
        self.marker(node).write(&listing)
    }
}

impl Archive {
    fn marker(&self, node: &Node) -> Marker {
        let key = format!("{} {} {}", self.source.sha256, self.path, self.strip);
        Marker::new(node, "archives", &key, "")
    }

    /// Calls `with` for every entry that has a name left after stripping.
    fn each_entry(
        &self,
        blob: &Path,
        mut with: impl FnMut(&Path, &mut Entry<'_, Box<dyn Read>>) -> Result<(), ResourceError>,
    ) -> Result<(), ResourceError> {
        let mut archive = tar::Archive::new(decompressed(blob)?);
        for entry in archive.entries().doing("read", blob)? {
            let mut entry = entry.doing("read", blob)?;
            let path = entry.path().doing("read", blob)?.into_owned();
            let name = checked(&path)?;
            let name: PathBuf = name.components().skip(self.strip as usize).collect();
            if name.as_os_str().is_empty() {
                continue;
            }
            check_link(&entry, &name, self.strip)?;
            with(&name, &mut entry)?;
        }
        Ok(())
    }
}

impl Unpacked {
    fn read(path: &Path) -> Option<Self> {
        let metadata = fs::symlink_metadata(path).ok()?;
        if metadata.is_dir() {
            Some(Self::Directory)
        } else if metadata.is_symlink() {
            let target = fs::read_link(path).ok()?.display().to_string();
            Some(Self::Link { target })
        } else {
            Some(Self::File {
                mode: metadata.mode() & 0o7777,
                size: metadata.size(),
            })
        }
    }
}

/// Opens the archive by its first bytes.
fn decompressed(path: &Path) -> Result<Box<dyn Read>, ResourceError> {
    let mut reader = BufReader::new(fs::File::open(path).doing("open", path)?);
    let start = reader.fill_buf().doing("read", path)?;
    Ok(if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(reader))
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Box::new(zstd::stream::read::Decoder::with_buffer(reader).doing("read", path)?)
    } else {
        Box::new(reader)
    })
}

/// Refuses names that lead out of the folder.
fn checked(path: &Path) -> Result<PathBuf, ResourceError> {
    let mut name = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => name.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(refused(path, "its name leads out of the folder"));
            }
        }
    }
    Ok(name)
}

/// Refuses links that lead out of the folder, and entries that are no files at all.
fn check_link<R: Read>(entry: &Entry<'_, R>, name: &Path, strip: u32) -> Result<(), ResourceError> {
    match entry.header().entry_type() {
        EntryType::Regular
        | EntryType::Continuous
        | EntryType::GNUSparse
        | EntryType::Directory => Ok(()),
        EntryType::Symlink => {
            let mut depth = name.components().count() - 1;
            for component in link_target(entry)?.components() {
                depth = match component {
                    Component::Normal(_) => depth + 1,
                    Component::CurDir => depth,
                    Component::ParentDir if depth > 0 => depth - 1,
                    _ => return Err(refused(name, "its link leads out of the folder")),
                };
            }
            Ok(())
        }
        EntryType::Link => {
            let target = checked(&link_target(entry)?)?;
            if target.components().count() <= strip as usize {
                return Err(refused(name, "its link leads out of the folder"));
            }
            Ok(())
        }
        _ => Err(refused(
            name,
            "it is neither a file nor a folder nor a link",
        )),
    }
}

fn link_target<R: Read>(entry: &Entry<'_, R>) -> Result<PathBuf, ResourceError> {
    match entry.link_name() {
        Ok(Some(target)) => Ok(target.into_owned()),
        _ => Err(ResourceError::other("an archive's link has no target")),
    }
}

fn refused(name: &Path, reason: &str) -> ResourceError {
    ResourceError::other(format!(
        "refused the archive's entry `{}`: {reason}",
        name.display()
    ))
}

/// Writes one entry. A program that is running is replaced, not written into.
fn unpack<R: Read>(
    entry: &mut Entry<'_, R>,
    name: &Path,
    root: &Path,
    strip: u32,
) -> Result<(), ResourceError> {
    let path = root.join(name);
    let parent = path.parent().unwrap_or(root);
    fs::create_dir_all(parent).doing("create the folder", parent)?;
    // A link that was there before, or that this archive brought, may lead elsewhere.
    let real = parent.canonicalize().doing("look at", parent)?;
    if !real.starts_with(root) {
        return Err(refused(name, "a link on its way leads out of the folder"));
    }
    let mode = entry.header().mode().doing("read", name)? & 0o7777;
    match entry.header().entry_type() {
        EntryType::Directory => match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            result => {
                result.doing("create the folder", &path)?;
                fs::set_permissions(&path, fs::Permissions::from_mode(mode))
                    .doing("change the mode of", &path)
            }
        },
        EntryType::Symlink => {
            remove_existing(&path)?;
            symlink(link_target(entry)?, &path).doing("create the link", &path)
        }
        EntryType::Link => {
            let target = checked(&link_target(entry)?)?;
            let target: PathBuf = target.components().skip(strip as usize).collect();
            remove_existing(&path)?;
            fs::hard_link(root.join(target), &path).doing("create the link", &path)
        }
        _ => {
            let mut draft = Draft::new(&path, entry.size())?;
            draft.copy(entry)?;
            draft.publish(Access {
                mode,
                user: None,
                group: None,
            })
        }
    }
}

fn remove_existing(path: &Path) -> Result<(), ResourceError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).doing("replace", path),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
