//! What a bundle holds: `manifest.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::BundleError;
use crate::resource::{BlobRef, Sha256};

/// Version of the file format; a bundle of another format has to be built again.
pub const FORMAT: u32 = 1;

/// The list of all parts of a bundle. Versions are without a leading `v`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: u32,
    /// Version of the kinstall that made the bundle.
    pub kinstall: String,
    /// As Go and OCI name it: `amd64`, `arm64`.
    pub architecture: String,
    /// Version by component.
    pub components: BTreeMap<String, String>,
    /// By `COMPONENT/PROGRAM`: `kubernetes/kube`.
    pub programs: BTreeMap<String, Program>,
    /// By short name: `kube-proxy`.
    pub images: BTreeMap<String, ImageEntry>,
    /// By path in the bundle: `manifests/metallb/metallb.io_ipaddresspools.yaml`.
    pub files: BTreeMap<String, FileEntry>,
    /// Where every node gets programs.
    pub node_programs: Vec<NodeProgram>,
    /// Every blob that the above refers to, by its name.
    pub blobs: BTreeMap<Sha256, StoredBlob>,
}

/// A program file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    pub component: String,
    pub version: String,
    pub blob: BlobRef,
}

/// A container image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageEntry {
    /// Full reference: `kinstall.local/kube-proxy:v1.37.2`.
    pub name: String,
    pub component: String,
    pub version: String,
    pub nodes: Placement,
    /// The OCI image manifest; its hash is the image's digest.
    pub manifest: BlobRef,
    pub config: BlobRef,
    /// In the order of application. Hash and size are those of the compressed layers.
    pub layers: Vec<BlobRef>,
}

/// Which nodes have to have an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    All,
    ControlPlane,
    /// No node by itself; tests put it where they need it.
    Tests,
}

/// Another file: Kubernetes objects that a component comes with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    pub component: String,
    pub version: String,
    pub blob: BlobRef,
}

/// A program's place on every node; mode 0755, owned by root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeProgram {
    /// Key in [`Manifest::programs`].
    pub program: String,
    /// Absolute path.
    pub path: String,
    /// Absolute paths of symbolic links to it.
    #[serde(default)]
    pub links: Vec<String>,
}

/// How a blob lies in the bundle's `blobs` folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredBlob {
    pub encoding: Encoding,
    /// Size of the file in bytes.
    pub stored: u64,
}

/// Whether a blob's file holds the bytes themselves or a zstd frame of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    Raw,
    Zstd,
}

impl Manifest {
    /// Reads `manifest.json` of a bundle.
    pub fn load(path: &Path) -> Result<Self, BundleError> {
        let bytes = std::fs::read(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => BundleError::Missing { path: path.into() },
            _ => BundleError::file("read", path, source),
        })?;
        // The format is looked at first: what follows it may have changed its shape.
        let format: Format =
            serde_json::from_slice(&bytes).map_err(|source| BundleError::json(path, source))?;
        if format.format != FORMAT {
            return Err(BundleError::Format {
                path: path.into(),
                found: format.format,
            });
        }
        serde_json::from_slice(&bytes).map_err(|source| BundleError::json(path, source))
    }

    /// Writes `manifest.json`: whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), BundleError> {
        let mut text =
            serde_json::to_vec_pretty(self).map_err(|source| BundleError::json(path, source))?;
        text.push(b'\n');
        super::atomic::write(path, &text)
    }

    /// Returns every part as `kind name` with its blob; a blob may belong to several parts.
    pub fn parts(&self) -> Vec<(String, BlobRef)> {
        let programs =
            (self.programs.iter()).map(|(name, it)| (format!("program {name}"), it.blob));
        let files = (self.files.iter()).map(|(name, it)| (format!("file {name}"), it.blob));
        let images = self.images.values().flat_map(|image| {
            let blobs = [image.manifest, image.config].into_iter();
            blobs
                .chain(image.layers.iter().copied())
                .map(|blob| (format!("image {}", image.name), blob))
        });
        programs.chain(images).chain(files).collect()
    }

    /// Returns the names of all blobs that parts refer to.
    pub fn blob_names(&self) -> BTreeSet<Sha256> {
        let parts = self.parts();
        parts.iter().map(|(_, blob)| blob.sha256).collect()
    }
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}
