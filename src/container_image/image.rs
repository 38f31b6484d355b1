//! An image that was read: under one name, for one or more architectures.

use serde::Deserialize;

use super::{Contents, ImageFault, ImageName};
use crate::resource::{BlobRef, Image, Sha256};

/// An image that can be brought to nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedImage {
    /// `None` where the archive has none for it.
    pub name: Option<ImageName>,
    /// One for each architecture.
    pub variants: Vec<Variant>,
}

/// An image for one architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// As Go and OCI name it: `amd64`.
    pub architecture: String,
    pub manifest: BlobRef,
    pub config: BlobRef,
    pub layers: Vec<BlobRef>,
}

/// The part of an image's configuration that matters here.
#[derive(Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    pub(super) architecture: String,
    #[serde(default)]
    os: String,
    #[serde(default)]
    rootfs: RootFileSystem,
}

#[derive(Default, Deserialize)]
struct RootFileSystem {
    #[serde(default)]
    diff_ids: Vec<Sha256>,
}

impl Variant {
    /// Returns what a node is to have.
    pub fn resource(&self, name: &ImageName) -> Image {
        Image {
            name: name.to_string(),
            manifest: self.manifest,
            config: self.config,
            layers: self.layers.clone(),
        }
    }
}

impl Config {
    /// Reads the configuration of an image that has this many layers.
    pub(super) fn read(
        contents: &Contents,
        blob: BlobRef,
        name: &str,
        layers: usize,
    ) -> Result<Self, ImageFault> {
        let config: Self = contents.document(blob, name)?;
        if config.os != "linux" {
            return Err(ImageFault::Unsupported {
                what: "an image for another system than linux",
                found: config.os,
            });
        }
        let named = config.rootfs.diff_ids.len();
        if named != layers {
            return Err(ImageFault::LayerCount { layers, named });
        }
        Ok(config)
    }

    /// Returns the hashes of the layers, uncompressed.
    pub(super) fn layers(&self) -> &[Sha256] {
        &self.rootfs.diff_ids
    }
}
