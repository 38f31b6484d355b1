//! Whether the images that an inventory names for its machines can be had.

use std::collections::BTreeMap;
use std::path::Path;

use super::{lab, stores};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::{ClusterSpec, Provider};
use crate::provision::machine_image;

/// Says of each image that can't be had why that is, and which machines would start from it; asks no server. `folder` is
/// where paths start from; `None` where machines start from no such image.
pub fn problems(
    cluster: &ClusterSpec,
    folder: &Path,
    provider: Option<Provider>,
) -> Option<Diagnostics> {
    if !matches!(provider?, Provider::VirtualBox | Provider::Qemu) {
        return None;
    }
    let store = match stores::open_images() {
        Ok(store) => store,
        Err(problems) => return Some(problems),
    };
    let mut machines: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for host in &cluster.hosts {
        let image = host.machine.image.as_str();
        machines.entry(image).or_default().push(&host.name);
    }
    let mut problems = Diagnostics::new();
    for (image, hosts) in machines {
        let Err(error) = machine_image::find(&store, folder, image) else {
            continue;
        };
        for problem in lab::failed(&error) {
            let message = format!("{} ({})", problem.message, hosts.join(", "));
            let named = Diagnostic::error(Kind::Inventory, message);
            problems.push(problem.hints.into_iter().fold(named, Diagnostic::hint));
        }
    }
    Some(problems)
}
