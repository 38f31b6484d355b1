//! The files of the user's inventory that a backup takes in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::install::project::Project;

/// Folders beside an inventory file that belong to it.
const BESIDE: [&str; 2] = ["group_vars", "host_vars"];

/// Returns the inventory's files, by their paths below its folder; for an inventory that is a file, with the variables
/// beside it; and the user's manifests there. What begins with a dot isn't the inventory's.
pub(super) fn files(project: &Project) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let folder = project.folder();
    let mut found = Vec::new();
    if project.inventory.is_dir() {
        collect(folder, folder, &mut found)?;
    } else {
        collect(folder, &project.inventory, &mut found)?;
        for name in BESIDE {
            let path = folder.join(name);
            if path.exists() {
                collect(folder, &path, &mut found)?;
            }
        }
    }
    for manifests in &project.cluster.manifests {
        // Those elsewhere are named by a path that leads nowhere in the backup.
        if let Ok(path) = dunce::canonicalize(&manifests.path)
            && path.starts_with(folder)
        {
            collect(folder, &path, &mut found)?;
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn collect(root: &Path, path: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) -> io::Result<()> {
    if !path.is_dir() {
        let name = path.strip_prefix(root).unwrap_or(path);
        found.push((name.to_owned(), fs::read(path)?));
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        // Of links, what they lead to; a loop of folders ends with the first link.
        let is_link_to_folder = entry.file_type()?.is_symlink() && entry.path().is_dir();
        if !is_hidden && !is_link_to_folder {
            collect(root, &entry.path(), found)?;
        }
    }
    Ok(())
}
