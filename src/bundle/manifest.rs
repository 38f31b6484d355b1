//! What a bundle holds: `manifest.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BundleError, Minor};
use crate::format_version::{self, FormatError};
use crate::resource::{BlobRef, Sha256};
use crate::whole_file;

/// Version of the file format. Format 1, of kinstall 0.1.0, held one release and is read as well; a
/// bundle of any other format has to be built again.
pub const FORMAT: u32 = 2;
const FORMAT_OF_ONE_RELEASE: u32 = 1;

/// The list of all parts of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: u32,
    /// Version of the kinstall that made the bundle.
    pub kinstall: String,
    /// What a cluster of each minor version of Kubernetes is made of; never empty.
    pub releases: BTreeMap<Minor, Release>,
    /// Every blob that the releases refer to, by its name; they share most of them.
    pub blobs: BTreeMap<Sha256, StoredBlob>,
}

/// What goes together in a cluster. Versions are without a leading `v`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
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
    /// Key in [`Release::programs`].
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
        let read = match format_version::read(&bytes, FORMAT) {
            Err(FormatError::Other {
                found: FORMAT_OF_ONE_RELEASE,
                ..
            }) => Self::of_one_release(&bytes).map_err(FormatError::from),
            read => read,
        };
        read.map_err(|error| match error {
            FormatError::Malformed(source) => BundleError::json(path, source),
            source @ FormatError::Other { .. } => BundleError::Format {
                path: path.into(),
                source,
            },
        })
    }

    /// Reads format 1, in which the fields of the only release stood beside the others.
    fn of_one_release(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let mut fields: serde_json::Map<String, Value> = serde_json::from_slice(bytes)?;
        let mut take = |name: &str| fields.remove(name).unwrap_or_default();
        let (_, kinstall, blobs) = (take("format"), take("kinstall"), take("blobs"));
        let release: Release = serde_json::from_value(Value::Object(fields))?;
        let version = release.components.get("kubernetes");
        let minor =
            Minor::of(version.map_or("", String::as_str)).map_err(serde_json::Error::custom)?;
        Ok(Self {
            format: FORMAT,
            kinstall: serde_json::from_value(kinstall)?,
            releases: BTreeMap::from([(minor, release)]),
            blobs: serde_json::from_value(blobs)?,
        })
    }

    /// Writes `manifest.json`: whole or not at all.
    pub fn save(&self, path: &Path) -> Result<(), BundleError> {
        let mut text =
            serde_json::to_vec_pretty(self).map_err(|source| BundleError::json(path, source))?;
        text.push(b'\n');
        whole_file::write(path, &text).map_err(|source| BundleError::file("write", path, source))
    }

    /// Returns every part as `kind name` with its blob; a blob may belong to several parts.
    pub fn parts(&self) -> Vec<(String, BlobRef)> {
        self.releases.values().flat_map(Release::parts).collect()
    }

    /// Returns the names of all blobs that parts refer to.
    pub fn blob_names(&self) -> BTreeSet<Sha256> {
        let parts = self.parts();
        parts.iter().map(|(_, blob)| blob.sha256).collect()
    }
}

impl Release {
    fn parts(&self) -> Vec<(String, BlobRef)> {
        let programs = (self.programs.iter())
            .map(|(name, it)| (format!("program {name} {}", it.version), it.blob));
        let files = (self.files.iter()).map(|(name, it)| (format!("file {name}"), it.blob));
        let images = self.images.values().flat_map(|image| {
            let blobs = [image.manifest, image.config].into_iter();
            blobs
                .chain(image.layers.iter().copied())
                .map(|blob| (format!("image {}", image.name), blob))
        });
        programs.chain(images).chain(files).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_release_0_1_0_is_read() {
        let manifest = Manifest::load(Path::new("tests/fixtures/0.1.0/manifest.json")).unwrap();
        assert_eq!(manifest.parts().len(), 5);
    }
}
