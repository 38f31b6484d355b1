//! All that is to be said about an inventory without a host: its own findings, its version against the bundle, the
//! images of its machines, and the user's manifests.

use std::path::Path;

use super::project::inventory_folder;
use super::{installation, machine_images, stores};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::inventory::Vault;
use crate::model::{self, ClusterSpec, Findings};
use crate::plan::versions;

/// Reads an inventory and judges it; a bundle that was named must be there.
pub fn check(path: &Path, vault: Vault, bundle: Option<&Path>) -> Result<Findings, Diagnostics> {
    let mut findings = model::examine(path, vault);
    let about_version = match &findings.cluster {
        Some(cluster) => version(cluster, bundle)?,
        None => None,
    };
    let folder = inventory_folder(path);
    let about_images = findings
        .cluster
        .as_ref()
        .and_then(|it| machine_images::problems(it, &folder, it.provider));
    let about_manifests = findings.cluster.as_ref().map(installation::user_objects);
    let about_manifests = about_manifests.and_then(Result::err);
    for found in about_version
        .into_iter()
        .chain(about_images.into_iter().flatten())
        .chain(about_manifests.into_iter().flatten())
    {
        if found.is_error() {
            findings.cluster = None;
        }
        findings.diagnostics.push(found);
    }
    findings.sort();
    Ok(findings)
}

/// Compares with the bundle; without one there is nothing to compare with.
fn version(
    cluster: &ClusterSpec,
    chosen: Option<&Path>,
) -> Result<Option<Diagnostic>, Diagnostics> {
    let bundle = match stores::open_bundle(chosen) {
        Ok(bundle) => bundle,
        Err(errors) if chosen.is_some() => return Err(errors),
        Err(_) => return Ok(None),
    };
    match versions::choose(cluster, bundle.manifest()) {
        Ok((_, warning)) => Ok(warning),
        Err(error) if error.kind == Kind::Inventory => Ok(Some(error)),
        // An empty bundle.
        Err(_) => Ok(None),
    }
}
