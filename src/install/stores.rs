//! What kinstall keeps on this computer for all labs: the bundle of components and the images of machines.

use std::path::{Path, PathBuf};

use crate::bundle::{self, Bundle};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::image::ImageStore;

/// Opens the bundle in the folder that the user chose, else the usual one.
pub fn open_bundle(chosen: Option<&Path>) -> Result<Bundle, Diagnostics> {
    Bundle::open(&bundle_directory(chosen)?).map_err(|error| vec![error])
}

/// Returns the folder of the bundle: what the user chose, else the usual one.
pub fn bundle_directory(chosen: Option<&Path>) -> Result<PathBuf, Diagnostics> {
    let usual = || bundle::bundle_directory().ok_or_else(no_home);
    chosen.map_or_else(usual, |path| Ok(path.to_owned()))
}

/// Returns the folder that builds and downloads are kept in.
pub fn cache_directory() -> Result<PathBuf, Diagnostics> {
    bundle::cache_directory().ok_or_else(no_home)
}

/// Opens the store of images.
pub fn open_images() -> Result<ImageStore, Diagnostics> {
    ImageStore::at(cache_directory()?.join("images")).map_err(|error| vec![error])
}

fn no_home() -> Diagnostics {
    let error = Diagnostic::error(Kind::Environment, "there is no home folder for the cache");
    vec![error.hint("set KINSTALL_CACHE to a folder")]
}
