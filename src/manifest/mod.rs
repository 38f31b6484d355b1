//! The user's own Kubernetes objects: the files that `kinstall_manifests` names.
//!
//! ```text
//! files (folder -> texts) -> object (documents -> objects, each checked) -> order -> Vec<UserObject>
//! ```

mod files;
mod object;

use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, Diagnostics, Kind, Location};
use crate::resource::{Manifest, ObjectName};

/// One object of the user's, and where it is written.
#[derive(Clone, Debug)]
pub struct UserObject {
    pub name: ObjectName,
    pub manifest: Manifest,
    pub location: Location,
}

/// Reads all objects of some files and folders, each with the place that names it, in the order in which they are applied;
/// all errors at once.
pub fn read<'a>(
    paths: impl Iterator<Item = (PathBuf, &'a Location)>,
) -> Result<Vec<UserObject>, Diagnostics> {
    let mut errors = Diagnostics::new();
    let mut objects = Vec::new();
    for file in files::all(paths, &mut errors) {
        objects.extend(object::all(&file, &mut errors));
    }
    report_second_ones(&objects, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    // The sort is stable: the rest stays in the order of the files.
    objects.sort_by_key(|object| rank(&object.name));
    Ok(objects)
}

/// What others need comes first: the namespace that an object is in, the definition of its kind, and what a pod must find
/// when it is made.
fn rank(name: &ObjectName) -> u8 {
    match name.kind.as_str() {
        "Namespace" => 0,
        "CustomResourceDefinition" => 1,
        "PriorityClass" | "RuntimeClass" | "ServiceAccount" => 2,
        _ => 3,
    }
}

fn report_second_ones(objects: &[UserObject], errors: &mut Diagnostics) {
    for (index, object) in objects.iter().enumerate() {
        let mut before = objects[..index].iter();
        if let Some(first) = before.find(|it| it.name.is_same(&object.name)) {
            let message = format!("{} stands in two manifests", object.name.title());
            let place = &first.location;
            errors.push(
                Diagnostic::error(Kind::Inventory, message)
                    .at(object.location.clone(), "second one")
                    .hint(format!(
                        "the first one: {}:{}; remove one of the two",
                        place.path().display(),
                        place.line()
                    )),
            );
        }
    }
}

#[cfg(test)]
mod tests;
