//! The files that hold the user's objects.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, Kind, Location, SourceFile};

/// How the names of files in a folder end, as for `kubectl apply`; others are not looked at.
const ENDINGS: [&str; 3] = ["json", "yaml", "yml"];

/// Reads files, and all manifests in folders and the folders below, by their names.
pub(super) fn all<'a>(
    paths: impl Iterator<Item = (PathBuf, &'a Location)>,
    errors: &mut Diagnostics,
) -> Vec<Arc<SourceFile>> {
    let mut files = Vec::new();
    for (path, place) in paths {
        let found = if path.is_dir() {
            in_folder(&path)
        } else {
            fs::metadata(&path).map(|_| vec![path.clone()])
        };
        match found {
            Ok(found) => files.extend(found),
            Err(error) => errors.push(missing(&path, &error, place)),
        }
    }
    let mut texts = Vec::new();
    for file in files {
        match SourceFile::read(&file) {
            Ok(file) => texts.push(file),
            Err(error) => errors.push(error),
        }
    }
    texts
}

/// Hidden files and folders, and linked folders, are left out.
fn in_folder(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.path();
        let is_manifest = path
            .extension()
            .is_some_and(|it| ENDINGS.iter().any(|ending| it == *ending));
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            files.extend(in_folder(&path)?);
        } else if is_manifest {
            files.push(path);
        }
    }
    Ok(files)
}

fn missing(path: &Path, error: &io::Error, place: &Location) -> Diagnostic {
    let path = path.display();
    let error = if error.kind() == io::ErrorKind::NotFound {
        Diagnostic::error(
            Kind::Inventory,
            format!("there are no manifests at `{path}`"),
        )
        .hint(
            "create the file or folder, or correct the path: it starts at the folder of this file",
        )
    } else {
        Diagnostic::error(
            Kind::Inventory,
            format!("failed to read the manifests `{path}`: {error}"),
        )
    };
    error.at(place.clone(), "named here")
}
