//! Brings the image that a machine is made of to this computer.

use std::path::Path;

use super::{Lab, MachineAction, MachineChange, ProviderError, Report};
use crate::diagnostic::Diagnostic;
use crate::image::{Image, ImageReference, ImageStore, Progress};

/// Fails where the image of a machine that is to be made can't be had by its name; asks no server. `check` sees the
/// images that are here already.
pub(super) fn check_all(
    store: &ImageStore,
    lab: &Lab,
    changes: &[MachineChange],
    check: impl Fn(&str, &Image) -> Result<(), ProviderError>,
) -> Result<(), ProviderError> {
    let created = changes
        .iter()
        .filter(|it| it.action == MachineAction::Create);
    for machine in created.filter_map(|it| lab.machine(&it.host)) {
        let name = &machine.spec.image;
        if let Some(image) = find(store, &lab.inventory_folder, name)? {
            check(name, &image)?;
        }
    }
    Ok(())
}

/// Finds an image as an inventory names it among those that are here; `None` where it would have to be fetched.
///
/// # Errors
/// It can't be had by that name.
pub fn find(
    store: &ImageStore,
    inventory_folder: &Path,
    name: &str,
) -> Result<Option<Image>, ProviderError> {
    let found = store.find(&reference(inventory_folder, name)?);
    found.map_err(|error| unusable(error.into()))
}

/// Gets an image as an inventory names it, and notes that the lab uses it. Two threads at once wait for each other in
/// the store.
pub(super) fn fetch(
    store: &ImageStore,
    lab: &Lab,
    name: &str,
    report: Report,
) -> Result<Image, ProviderError> {
    let reference = reference(&lab.inventory_folder, name)?;
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

fn reference(inventory_folder: &Path, name: &str) -> Result<ImageReference, ProviderError> {
    ImageReference::parse(name, inventory_folder).map_err(|error| ProviderError::Obstacle {
        message: format!("machine image `{name}`: {error}"),
        hints: vec!["`kinstall image list` shows what can be written here".into()],
    })
}

fn unusable(error: Diagnostic) -> ProviderError {
    ProviderError::Obstacle {
        message: error.message,
        hints: error.hints,
    }
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
