//! Where bundles and what they are built from lie on this computer.

use std::path::PathBuf;

use etcetera::BaseStrategy as _;

/// The bundle's list of parts.
pub(super) const MANIFEST: &str = "manifest.json";
/// The folder of a bundle's content.
pub(super) const BLOBS: &str = "blobs";

/// Returns kinstall's cache folder: `$KINSTALL_CACHE`, or `kinstall` in the user's cache folder.
/// `None` where there is no home folder.
pub fn cache_directory() -> Option<PathBuf> {
    match std::env::var_os("KINSTALL_CACHE") {
        Some(path) if !path.is_empty() => Some(path.into()),
        _ => Some(
            etcetera::choose_base_strategy()
                .ok()?
                .cache_dir()
                .join("kinstall"),
        ),
    }
}

/// Returns the folder of the bundle that is used where the user names no other.
pub fn bundle_directory() -> Option<PathBuf> {
    Some(cache_directory()?.join("bundle"))
}
