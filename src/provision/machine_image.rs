//! Brings the image that a machine is made of to this computer.

use super::{Lab, ProviderError, Report};
use crate::diagnostic::Diagnostic;
use crate::image::{Image, ImageReference, ImageStore, Progress};

/// Gets an image as an inventory names it, and notes that the lab uses it. Two threads at once wait for each other in
/// the store.
pub(super) fn fetch(
    store: &ImageStore,
    lab: &Lab,
    name: &str,
    report: Report,
) -> Result<Image, ProviderError> {
    let unusable = |error: Diagnostic| ProviderError::Obstacle {
        message: error.message,
        hints: error.hints,
    };
    let reference = ImageReference::parse(name, &lab.inventory_folder).map_err(|error| {
        ProviderError::Obstacle {
            message: format!("machine image `{name}`: {error}"),
            hints: vec!["`kinstall image list` shows what can be written here".into()],
        }
    })?;
    let tell = |name: &str, progress: Progress<'_>| match progress {
        Progress::Notice(notice) | Progress::Retry(notice) => report("", notice),
        Progress::Downloading { done: 0, .. } => report("", &format!("downloading {name}")),
        Progress::Unpacking => report("", &format!("unpacking {name}")),
        Progress::Waiting => report("", "waiting for another kinstall that fetches images"),
        Progress::Hashing | Progress::Downloading { .. } => {}
    };
    let image = store
        .fetch(&reference, &tell)
        .map_err(|error| unusable(error.into()))?;
    store
        .use_by(&image, &lab.directory)
        .map_err(|error| unusable(error.into()))?;
    Ok(image)
}

/// Forgets what [`fetch`] noted for a lab.
pub(super) fn release(store: &ImageStore, lab: &Lab) -> Result<(), ProviderError> {
    store
        .release(&lab.directory)
        .map_err(|error| ProviderError::Lab {
            action: "release the lab's images".into(),
            detail: error.to_string(),
        })
}
