//! Files and folders that only their owner may read.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use crate::whole_file;

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
    whole_file::write_with(system::private(&mut OpenOptions::new()), path, contents)
}

/// Replaces a file by what is written to it; where that fails, nothing changes. Its folder must exist.
pub fn fill<T, E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut File) -> Result<T, E>,
) -> Result<T, E> {
    whole_file::fill_with(system::private(&mut OpenOptions::new()), path, fill)
}
