//! Files and folders that only their owner may read.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

pub use system::{create_folder, sync_folder};

/// Creates a file, or empties the one that is there.
pub fn create(path: &Path) -> io::Result<File> {
    system::private(OpenOptions::new().write(true).create(true).truncate(true)).open(path)
}

/// Replaces a file as a whole; missing folders are made, as private as the file.
pub fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    create_folder(folder)?;
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
    let mut file = system::private(OpenOptions::new().write(true).create_new(true)).open(path)?;
    file.write_all(contents)?;
    file.sync_all()
}
