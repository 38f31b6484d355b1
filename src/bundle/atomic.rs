//! Files that are there whole or not at all.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use super::BundleError;

/// Writes a small file under a temporary name beside `path`, then gives it its name.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), BundleError> {
    let temporary = path.with_extension(format!("tmp-{}", std::process::id()));
    let result = (|| {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    })();
    result.map_err(|source| {
        // Best effort: the first error is the one to tell.
        let _ = std::fs::remove_file(&temporary);
        BundleError::file("write", path, source)
    })
}
