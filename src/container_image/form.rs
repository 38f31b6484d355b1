//! In which form an archive or a folder describes its images.

use super::contents::{INDEX, MARKER};
use super::{Contents, ImageFault, LoadedImage, docker, oci};

/// Returns the images that are described in it, in its order.
pub(super) fn images(contents: &mut Contents) -> Result<Vec<LoadedImage>, ImageFault> {
    let is_docker = contents.has(docker::MANIFEST);
    if contents.has(MARKER) && contents.has(INDEX) {
        let images = oci::images(contents)?;
        // docker writes both, and there the names of an index may be missing.
        if !is_docker || images.iter().all(|image| image.name.is_some()) {
            return Ok(images);
        }
    }
    if is_docker {
        return docker::images(contents);
    }
    Err(ImageFault::NoImage)
}
