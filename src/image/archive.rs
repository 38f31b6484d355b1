//! Boxes and appliances unpacked.
//!
//! They come from strangers: only plain files at the top of the archive are taken, and an archive that
//! tries to lead out of the folder, or to put one file in the place of another, is refused as a whole.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Component, Path};

use tar::EntryType;

use super::probe::Packing;

/// Why an archive could not be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("it can't be unpacked")]
    Read(#[source] io::Error),
    #[error("its entry `{entry}` is refused: {why}")]
    Refused { entry: String, why: &'static str },
    #[error("there is no room for it: {} MiB more are needed", missing.div_ceil(1 << 20))]
    NoSpace { missing: u64 },
    #[error("failed to write its entry `{entry}`")]
    Write { entry: String, source: io::Error },
}

/// Unpacks an archive into an empty folder and returns the names of its files.
pub(super) fn unpack(
    archive: &Path,
    packing: Packing,
    folder: &Path,
) -> Result<BTreeSet<String>, ArchiveError> {
    let file = File::open(archive).map_err(ArchiveError::Read)?;
    let reader = packing.unpack(file).map_err(ArchiveError::Read)?;
    let mut archive = tar::Archive::new(reader);
    let mut names = BTreeSet::new();
    for entry in archive.entries().map_err(ArchiveError::Read)? {
        let mut entry = entry.map_err(ArchiveError::Read)?;
        let path = entry.path().map_err(ArchiveError::Read)?.into_owned();
        let shown = path.display().to_string();
        let refused = |why| ArchiveError::Refused {
            entry: shown.clone(),
            why,
        };
        let Some(name) = name(&path).map_err(refused)? else {
            continue;
        };
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {}
            EntryType::Directory => continue,
            EntryType::Symlink | EntryType::Link => return Err(refused("it is a link")),
            _ => return Err(refused("it is no file")),
        }
        if !names.insert(name.clone()) {
            return Err(refused("the name stands twice in the archive"));
        }
        if let Some(missing) = missing_room(folder, entry.size()) {
            return Err(ArchiveError::NoSpace { missing });
        }
        let path = folder.join(&name);
        let write_error = |source| ArchiveError::Write {
            entry: name.clone(),
            source,
        };
        let new = OpenOptions::new().write(true).create_new(true).open(&path);
        let mut file = new.map_err(write_error)?;
        // Where both can fail, the archive's content is the likely cause, but for a full disk.
        io::copy(&mut entry, &mut file).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::PermissionDenied => write_error(error),
            _ => ArchiveError::Read(error),
        })?;
        file.sync_all().map_err(write_error)?;
    }
    Ok(names)
}

/// Returns the name of a file at the top; `None` for what lies deeper, as Vagrant's extra files do.
fn name(path: &Path) -> Result<Option<String>, &'static str> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err("its name leads out of the folder");
            }
        }
    }
    match parts.as_slice() {
        [part] => {
            let name = part.to_str().ok_or("its name is not UTF-8")?;
            // What is a name here may be a path elsewhere.
            if name.contains(['\\', ':']) {
                return Err("its name leads out of the folder");
            }
            Ok(Some(name.to_owned()))
        }
        _ => Ok(None),
    }
}

fn missing_room(folder: &Path, size: u64) -> Option<u64> {
    size.checked_sub(fs4::available_space(folder).ok()?)
        .filter(|missing| *missing > 0)
}
