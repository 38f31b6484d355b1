//! Writes files that only their owner may read.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Replaces a file as a whole, with mode 0600; missing folders are made with mode 0700.
pub fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mut name = OsString::from(path.as_os_str());
    name.push(format!(".{}.new", std::process::id()));
    let temporary = Path::new(&name);
    let result = fill(temporary, contents).and_then(|()| fs::rename(temporary, path));
    if result.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(temporary);
    }
    result
}

fn fill(path: &Path, contents: &[u8]) -> io::Result<()> {
    // A file that a dead process of the same id left behind must not keep its mode.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(contents)?;
    file.sync_all()
}
