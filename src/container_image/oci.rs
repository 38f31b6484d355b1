//! OCI image layouts: `index.json` names manifests, those name a configuration and layers, all by their hashes.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::contents::{INDEX, missing};
use super::image::Config;
use super::{Contents, ImageFault, ImageName, LoadedImage, Variant};
use crate::resource::{BlobRef, Sha256};

/// The full name, as containerd and docker write it.
const FULL_NAME: &str = "io.containerd.image.name";
/// A name or only a tag, as it pleases who wrote it.
const REFERENCE: &str = "org.opencontainers.image.ref.name";
/// Marks what is said about an image and is none.
const ATTESTATION: &str = "vnd.docker.reference.type";

/// Indexes in indexes: one for the names, one for the architectures.
const DEEPEST: usize = 3;

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// Reads all images of a layout.
pub(super) fn images(contents: &Contents) -> Result<Vec<LoadedImage>, ImageFault> {
    let index: Index = contents.document(contents.file(INDEX)?, INDEX)?;
    let mut images: Vec<LoadedImage> = Vec::new();
    for descriptor in &index.manifests {
        let name = descriptor.name()?;
        let found = variants(contents, descriptor, 0)?;
        if found.is_empty() {
            continue;
        }
        // One name may stand at each of its architectures.
        match images
            .iter_mut()
            .find(|it| it.name.is_some() && it.name == name)
        {
            Some(image) => image.variants.extend(found),
            None => images.push(LoadedImage {
                name,
                variants: found,
            }),
        }
    }
    if images.is_empty() {
        return Err(ImageFault::NoImage);
    }
    Ok(images)
}

/// Returns what a descriptor leads to. Of several architectures some may be left out of a layout; one of them has
/// to be there.
fn variants(
    contents: &Contents,
    descriptor: &Descriptor,
    depth: usize,
) -> Result<Vec<Variant>, ImageFault> {
    if descriptor.annotations.contains_key(ATTESTATION) {
        return Ok(Vec::new());
    }
    let blob = descriptor.part(contents)?;
    match descriptor.media_type.as_str() {
        "application/vnd.oci.image.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v2+json" => {
            Ok(vec![variant(contents, descriptor, blob)?])
        }
        "application/vnd.oci.image.index.v1+json"
        | "application/vnd.docker.distribution.manifest.list.v2+json"
            if depth < DEEPEST =>
        {
            let index: Index = contents.document(blob, &descriptor.digest)?;
            let mut found = Vec::new();
            let mut first_absent = None;
            for inner in &index.manifests {
                match variants(contents, inner, depth + 1) {
                    Ok(variants) => found.extend(variants),
                    Err(error @ ImageFault::Incomplete { .. }) => {
                        first_absent.get_or_insert(error);
                    }
                    Err(error) => return Err(error),
                }
            }
            match first_absent {
                Some(error) if found.is_empty() => Err(error),
                _ => Ok(found),
            }
        }
        other => Err(ImageFault::Unsupported {
            what: "a manifest of this type",
            found: other.to_owned(),
        }),
    }
}

fn variant(
    contents: &Contents,
    descriptor: &Descriptor,
    blob: BlobRef,
) -> Result<Variant, ImageFault> {
    let manifest: Manifest = contents.document(blob, &descriptor.digest)?;
    let mut layers = Vec::new();
    for layer in &manifest.layers {
        if !is_layer(&layer.media_type) {
            return Err(ImageFault::Unsupported {
                what: "a layer of this type",
                found: layer.media_type.clone(),
            });
        }
        layers.push(layer.part(contents)?);
    }
    let config = manifest.config.part(contents)?;
    let read = Config::read(contents, config, &manifest.config.digest, layers.len())?;
    Ok(Variant {
        architecture: read.architecture,
        manifest: blob,
        config,
        layers,
    })
}

/// What containerd unpacks.
fn is_layer(media_type: &str) -> bool {
    matches!(
        media_type,
        "application/vnd.oci.image.layer.v1.tar"
            | "application/vnd.oci.image.layer.v1.tar+gzip"
            | "application/vnd.oci.image.layer.v1.tar+zstd"
            | "application/vnd.docker.image.rootfs.diff.tar"
            | "application/vnd.docker.image.rootfs.diff.tar.gzip"
            | "application/vnd.docker.image.rootfs.diff.tar.zstd"
    )
}

impl Descriptor {
    /// Returns the full name that stands here, if one does.
    fn name(&self) -> Result<Option<ImageName>, ImageFault> {
        let reference = self.annotations.get(REFERENCE);
        // Without a slash or a colon it is a tag.
        let reference = reference.filter(|text| text.contains(['/', ':']));
        let text = self.annotations.get(FULL_NAME).or(reference);
        Ok(text.map(|text| text.parse::<ImageName>()).transpose()?)
    }

    /// Finds what it describes.
    fn part(&self, contents: &Contents) -> Result<BlobRef, ImageFault> {
        let digest = self.digest.strip_prefix("sha256:");
        let digest: Option<Sha256> = digest.and_then(|digest| digest.parse().ok());
        let sha256 = digest.ok_or_else(|| ImageFault::Unsupported {
            what: "a digest of this kind",
            found: self.digest.clone(),
        })?;
        let part = contents.part(sha256);
        let part = part.ok_or_else(|| missing(&self.digest))?;
        if part.size != self.size {
            return Err(ImageFault::Refused {
                entry: self.digest.clone(),
                why: "has another size than is said of it",
            });
        }
        Ok(part)
    }
}
