//! Room on file systems: asked before something large is written.

use std::fs;
use std::path::{Path, PathBuf};

use super::ResourceError;

/// Fails when the file system below `path` hasn't got `bytes` left; `path` itself need not exist.
pub fn require(path: &Path, bytes: u64) -> Result<(), ResourceError> {
    match free(path) {
        Some(free) if free < bytes => Err(no_space(path, Some(bytes - free))),
        _ => Ok(()),
    }
}

/// Returns the bytes that root may still write below `path`; `None` where that can't be told.
pub fn free(path: &Path) -> Option<u64> {
    let existing = path.ancestors().find(|path| path.exists())?;
    let status = rustix::fs::statvfs(existing).ok()?;
    Some(status.f_bavail.saturating_mul(status.f_frsize))
}

/// Returns the size in bytes of the file system below `path`; `None` where that can't be told.
pub fn size(path: &Path) -> Option<u64> {
    let existing = path.ancestors().find(|path| path.exists())?;
    let status = rustix::fs::statvfs(existing).ok()?;
    Some(status.f_blocks.saturating_mul(status.f_frsize))
}

/// Describes a full file system that lacks so many bytes, if that is known.
pub fn no_space(path: &Path, missing: Option<u64>) -> ResourceError {
    ResourceError::NoSpace {
        path: path.display().to_string(),
        mount: mount_point(path).display().to_string(),
        missing,
    }
}

/// Returns where the file system that holds `path` is mounted.
fn mount_point(path: &Path) -> PathBuf {
    let real = path
        .ancestors()
        .find_map(|path| path.canonicalize().ok())
        .unwrap_or_else(|| path.to_owned());
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|point| PathBuf::from(point.replace("\\040", " ")))
        .filter(|point| real.starts_with(point))
        .max_by_key(|point| point.components().count())
        .unwrap_or_else(|| PathBuf::from("/"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{mount_point, require};
    use crate::converge::ResourceError;

    #[test]
    fn the_innermost_mount_counts() {
        assert_eq!(
            mount_point(Path::new("/proc/self/status")),
            Path::new("/proc")
        );
    }

    #[test]
    fn more_than_there_is_is_refused_with_the_amount() {
        let folder = tempfile::tempdir().unwrap();
        let error = require(&folder.path().join("not/there"), u64::MAX).unwrap_err();
        let ResourceError::NoSpace { missing, .. } = &error else {
            panic!("{error}");
        };
        assert!(missing.unwrap() > 1 << 60);
        assert!(error.to_string().contains("MiB more are needed"), "{error}");
    }
}
