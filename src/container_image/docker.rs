//! Archives of `docker save` and of `podman save`: `manifest.json` names configurations, layers and tags by paths.
//!
//! They have no manifest in OCI's sense, so one is made; it comes out the same whenever the image is the same.

use serde::Deserialize;
use serde_json::json;

use super::image::Config;
use super::packing::Packing;
use super::{Contents, ImageFault, ImageName, LoadedImage, Variant};
use crate::resource::BlobRef;

pub(super) const MANIFEST: &str = "manifest.json";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Vec<String>,
}

/// Reads all images of an archive.
pub(super) fn images(contents: &mut Contents) -> Result<Vec<LoadedImage>, ImageFault> {
    let entries: Vec<Entry> = contents.document(contents.file(MANIFEST)?, MANIFEST)?;
    let mut images = Vec::new();
    for entry in &entries {
        let variant = variant(contents, entry)?;
        let tags = entry.repo_tags.iter().flatten();
        let names: Vec<ImageName> = tags
            .map(|tag| tag.parse::<ImageName>())
            .collect::<Result<_, _>>()?;
        let tagged = names.into_iter().map(Some);
        let untagged = entry.repo_tags.iter().flatten().next().is_none();
        let all = tagged.chain(untagged.then_some(None));
        images.extend(all.map(|name| LoadedImage {
            name,
            variants: vec![variant.clone()],
        }));
    }
    if images.is_empty() {
        return Err(ImageFault::NoImage);
    }
    Ok(images)
}

fn variant(contents: &mut Contents, entry: &Entry) -> Result<Variant, ImageFault> {
    let config = contents.file(&entry.config)?;
    let read = Config::read(contents, config, &entry.config, entry.layers.len())?;
    let mut layers = Vec::new();
    let mut described = Vec::new();
    for (number, (path, uncompressed)) in entry.layers.iter().zip(read.layers()).enumerate() {
        let layer = contents.file(path)?;
        let packing = Packing::of(&contents.start(layer)?);
        let packing = packing.map_err(|found| ImageFault::Unsupported {
            what: "a layer of this compression",
            found: found.to_owned(),
        })?;
        // Of a compressed layer the node finds out.
        if packing == Packing::Plain && layer.sha256 != *uncompressed {
            return Err(ImageFault::OtherLayer { number: number + 1 });
        }
        described.push(descriptor(packing.layer_type(), layer));
        layers.push(layer);
    }
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", config),
        "layers": described,
    });
    Ok(Variant {
        architecture: read.architecture,
        manifest: contents.add(&manifest.to_string())?,
        config,
        layers,
    })
}

fn descriptor(media_type: &str, blob: BlobRef) -> serde_json::Value {
    json!({
        "mediaType": media_type,
        "digest": format!("sha256:{}", blob.sha256),
        "size": blob.size,
    })
}
