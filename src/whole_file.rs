//! Files that are replaced as a whole: after a crash there is the old content or the new one.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// Replaces a file, or makes it; its folder must exist.
pub fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    write_with(&mut OpenOptions::new(), path, contents)
}

/// Replaces a file, or makes it with these options: they may set its mode.
pub fn write_with(options: &mut OpenOptions, path: &Path, contents: &[u8]) -> io::Result<()> {
    fill_with(options, path, |file| file.write_all(contents))
}

/// Replaces a file, or makes it with these options, by what is written to it; where that fails, nothing changes.
pub fn fill_with<T, E: From<io::Error>>(
    options: &mut OpenOptions,
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<T, E>,
) -> Result<T, E> {
    let mut name = OsString::from(path.as_os_str());
    name.push(format!(".{}.new", std::process::id()));
    let temporary = Path::new(&name);
    let filled = || -> Result<T, E> {
        let mut file = create(options, temporary)?;
        let value = write(&mut file)?;
        file.sync_all()?;
        fs::rename(temporary, path)?;
        Ok(value)
    };
    let result = filled();
    if result.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(temporary);
    }
    result
}

fn create(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    // A file that a dead process of the same id left behind must not keep its mode.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    options.write(true).create_new(true).open(path)
}

/// Replaces what a file of the user's holds: mode and owner stay, and a link leads to the new file. A file that
/// can't be replaced, as a mount point in a container, is overwritten.
pub fn rewrite(path: &Path, contents: &[u8]) -> io::Result<()> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let like = real.metadata().ok();
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    if like.is_some() {
        // Until it has the file's own mode, and before anything is in it.
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let replaced = fill_with(&mut options, &real, |file| {
        like.as_ref().map_or(Ok(()), |like| dress(file, like))?;
        file.write_all(contents)
    });
    replaced.or_else(|error: io::Error| match error.kind() {
        io::ErrorKind::ResourceBusy => fs::write(&real, contents),
        _ => Err(error),
    })
}

/// Gives a file the mode and the owner of another.
fn dress(file: &File, like: &fs::Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, fchown};
        // Only the administrator may give files away; for all others it is theirs already.
        let _ = fchown(file, Some(like.uid()), Some(like.gid()));
    }
    file.set_permissions(like.permissions())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::write;

    #[test]
    fn a_file_is_replaced_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.json");
        for text in ["first", "second"] {
            write(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record");
        fs::create_dir(&path).unwrap();
        write(&path, b"text").unwrap_err();
        assert!(path.is_dir());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_rewritten_file_keeps_its_mode_and_its_link() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("hosts"), folder.path().join("link"));
        fs::write(&path, "first").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("hosts", &link).unwrap();
        super::rewrite(&link, b"second").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "second");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
