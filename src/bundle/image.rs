//! Container images in OCI's form, put together from layers.

use std::io::Cursor;

use serde_json::{Value, json};

use super::BundleError;
use super::catalog::Image;
use super::layer::{Entry, Kind, Layer};
use super::manifest::Encoding;
use super::store::Store;
use crate::resource::BlobRef;

/// Where our images are from: no registry, so that nothing tries to pull them.
const REGISTRY: &str = "kinstall.local";

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A finished image.
pub(super) struct BuiltImage {
    pub(super) manifest: BlobRef,
    pub(super) config: BlobRef,
}

/// Returns an image's full reference.
pub(super) fn reference(name: &str, tag: &str) -> String {
    format!("{REGISTRY}/{name}:{tag}")
}

/// Returns what is an image's own beside its programs: folders and links.
pub(super) fn own_entries(image: &Image) -> Vec<Entry> {
    let directories = image.directories.iter().map(|(path, mode)| Entry {
        path: path.clone(),
        // The catalog was checked for modes when it was read.
        mode: u32::from_str_radix(mode, 8).unwrap_or(0o755),
        kind: Kind::Directory,
    });
    let links = image
        .links
        .iter()
        .map(|(path, target)| Entry::link(path, target));
    directories.chain(links).collect()
}

/// Writes an image's configuration and manifest.
pub(super) fn write(
    store: &Store,
    image: &Image,
    reference: &str,
    version: &str,
    architecture: &str,
    layers: &[Layer],
) -> Result<BuiltImage, BundleError> {
    let config = json!({
        "created": "1970-01-01T00:00:00Z",
        "architecture": architecture,
        "os": "linux",
        "config": settings(image, reference, version),
        "rootfs": {
            "type": "layers",
            "diff_ids": layers.iter().map(|it| digest(it.diff_id)).collect::<Vec<_>>(),
        },
    });
    let config = put(store, &config)?;
    let layers = layers
        .iter()
        .map(|it| descriptor("layer.v1.tar+zstd", it.blob));
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type("manifest.v1+json"),
        "config": descriptor("config.v1+json", config),
        "layers": layers.collect::<Vec<_>>(),
    });
    let manifest = put(store, &manifest)?;
    Ok(BuiltImage { manifest, config })
}

fn settings(image: &Image, reference: &str, version: &str) -> Value {
    let mut settings = json!({
        "Env": [PATH],
        "Labels": {
            "org.opencontainers.image.title": reference,
            "org.opencontainers.image.vendor": "kinstall",
            "org.opencontainers.image.version": version,
        },
    });
    if let Some(user) = &image.user {
        settings["User"] = json!(user);
    }
    if !image.entrypoint.is_empty() {
        settings["Entrypoint"] = json!(image.entrypoint);
    }
    settings
}

fn put(store: &Store, document: &Value) -> Result<BlobRef, BundleError> {
    store.put(&mut Cursor::new(document.to_string()), Encoding::Zstd)
}

fn descriptor(kind: &str, blob: BlobRef) -> Value {
    json!({
        "mediaType": media_type(kind),
        "digest": digest(blob.sha256),
        "size": blob.size,
    })
}

fn media_type(kind: &str) -> String {
    format!("application/vnd.oci.image.{kind}")
}

fn digest(sha256: crate::resource::Sha256) -> String {
    format!("sha256:{sha256}")
}
