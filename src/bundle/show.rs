//! A bundle as a table.

use serde::Serialize;

use super::manifest::{Manifest, Release};
use crate::resource::Sha256;

/// One part of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// `program`, `image` or `file`.
    pub kind: &'static str,
    pub name: String,
    pub component: String,
    pub version: String,
    pub architecture: String,
    /// Bytes: of a program or file as it is, of an image the sum of its compressed layers.
    pub size: u64,
    /// Of an image, its digest.
    pub sha256: Sha256,
}

/// Returns the rows of `kinstall bundle show`: programs, images, files, each sorted by name; what
/// several releases share is listed once.
pub fn show(manifest: &Manifest) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for row in manifest.releases.values().flat_map(rows_of) {
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows
}

fn rows_of(release: &Release) -> Vec<Row> {
    let row = |kind, name: &str, component: &str, version: &str, size, sha256| Row {
        kind,
        name: name.into(),
        component: component.into(),
        version: version.into(),
        architecture: release.architecture.clone(),
        size,
        sha256,
    };
    let programs = release.programs.iter().map(|(name, it)| {
        row(
            "program",
            name,
            &it.component,
            &it.version,
            it.blob.size,
            it.blob.sha256,
        )
    });
    let images = release.images.values().map(|it| {
        let size = it.layers.iter().map(|layer| layer.size).sum();
        row(
            "image",
            &it.name,
            &it.component,
            &it.version,
            size,
            it.manifest.sha256,
        )
    });
    let files = release.files.iter().map(|(name, it)| {
        row(
            "file",
            name,
            &it.component,
            &it.version,
            it.blob.size,
            it.blob.sha256,
        )
    });
    programs.chain(images).chain(files).collect()
}
