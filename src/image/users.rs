//! Which labs' machines stand on an image, so that it isn't removed below them.
//!
//! Each lab is a file in the image's `users` folder, named by the hash of the lab's folder, with that
//! folder's path in it. A lab whose folder is gone doesn't count any more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::resource::Sha256;

/// Writes down that a lab uses the image.
pub(super) fn add(image: &Path, lab: &Path) -> io::Result<()> {
    let file = file(image, lab);
    if file.exists() {
        return Ok(());
    }
    fs::create_dir_all(image.join("users"))?;
    fs::write(file, lab.as_os_str().as_encoded_bytes())
}

/// Forgets that a lab uses the image.
pub(super) fn remove(image: &Path, lab: &Path) -> io::Result<()> {
    match fs::remove_file(file(image, lab)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns the folders of the labs that use the image, sorted.
pub(super) fn list(image: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(image.join("users")).into_iter().flatten();
    let texts = entries.filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
    let mut labs: Vec<PathBuf> = texts
        .map(PathBuf::from)
        .filter(|lab| lab.is_dir())
        .collect();
    labs.sort();
    labs
}

fn file(image: &Path, lab: &Path) -> PathBuf {
    let name = Sha256::of(lab.as_os_str().as_encoded_bytes());
    image.join("users").join(name.to_string())
}
