//! A bundle in a registry, as an OCI artifact: its list of parts is the configuration, each part a layer. So a part
//! that is there is not sent again, and a pull that was cut off goes on where it stopped.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::archive::{self, Unpacked};
use super::manifest::Manifest;
use super::open::Bundle;
use super::store::{Damage, Store};
use super::{BundleError, Progress, Report, directory};
use crate::diagnostic::{Diagnostic, Kind};
use crate::digest::{self, Algorithm, Digest};
use crate::download::{self, Download, Patience};
use crate::registry::{MANIFEST, Registry, RegistryError};

const LIST_OF_PARTS: &str = "application/vnd.kinstall.bundle.manifest.v1+json";
const PART: &str = "application/vnd.kinstall.bundle.part.v1";
/// The annotation that other tools take for a file's name.
const TITLE: &str = "org.opencontainers.image.title";
/// What news are about.
const ALL: &str = "bundle";
/// Folder of parts that are not whole yet.
const INCOMING: &str = "incoming";

/// Why a bundle doesn't come to a registry, or from there.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error("`{reference}` is not a bundle of kinstall")]
    NoBundle { reference: String },
    #[error("`{reference}` lacks `{name}`, which its list of parts names")]
    Incomplete { reference: String, name: String },
    #[error("`{name}` of `{reference}` is damaged")]
    Part {
        reference: String,
        name: String,
        source: Box<Damage>,
    },
}

/// What a registry got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Of the artifact: who asks for this gets this bundle and no other.
    pub digest: Digest,
    pub parts: usize,
    /// Parts that were not there before.
    pub new: usize,
}

/// What OCI calls a manifest.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    schema_version: u32,
    media_type: String,
    #[serde(rename = "artifactType")]
    kind: String,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: Digest,
    size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

/// Sends a bundle to a registry. The artifact comes last: what was cut off is no bundle yet.
pub fn push(
    bundle: &Bundle,
    registry: &Registry,
    report: &Report<'_>,
) -> Result<Pushed, RemoteError> {
    let list = bundle.path().join(directory::MANIFEST);
    let text = fs::read(&list).map_err(|source| BundleError::file("read", &list, source))?;
    let store = Store::new(bundle.path().join(directory::BLOBS));
    let parts = archive::wanted(bundle.manifest());
    let mut layers = Vec::new();
    let (mut new, mut done) = (0, 0);
    let total = parts.values().map(|(_, stored)| stored.stored).sum();
    for (name, (blob, stored)) in &parts {
        let checked = store.check(blob, *stored, true);
        checked.map_err(|source| BundleError::Part {
            part: name.clone(),
            source,
        })?;
        let path = store.path(blob.sha256, stored.encoding);
        let unreadable = |source| BundleError::file("read", &path, source);
        let file = fs::File::open(&path).map_err(unreadable)?;
        let digest = digest::of_reader(Algorithm::Sha256, file).map_err(unreadable)?;
        new += usize::from(registry.put_file(&digest, &path)?);
        done += stored.stored;
        report(Progress::Bytes {
            part: ALL,
            done,
            total: Some(total),
        });
        layers.push(Descriptor {
            media_type: PART.to_owned(),
            digest,
            size: stored.stored,
            annotations: BTreeMap::from([(TITLE.to_owned(), name.clone())]),
        });
    }
    let config = Descriptor {
        media_type: LIST_OF_PARTS.to_owned(),
        digest: digest::of_bytes(Algorithm::Sha256, &text),
        size: text.len() as u64,
        annotations: BTreeMap::new(),
    };
    registry.put_bytes(&config.digest, &text)?;
    let artifact = Artifact {
        schema_version: 2,
        media_type: MANIFEST.to_owned(),
        kind: LIST_OF_PARTS.to_owned(),
        config,
        layers,
    };
    let bytes = serde_json::to_vec(&artifact).map_err(|source| BundleError::json(&list, source))?;
    let digest = registry.put_manifest(&bytes)?;
    let parts = parts.len();
    Ok(Pushed { digest, parts, new })
}

/// Takes a bundle from a registry into a folder, in the place of the bundle there, as [`super::load`] takes it from a file.
pub fn pull(
    registry: &Registry,
    output: &Path,
    report: &Report<'_>,
) -> Result<Unpacked, RemoteError> {
    let reference = || registry.reference().to_string();
    let artifact: Artifact = serde_json::from_slice(&registry.manifest()?)
        .ok()
        .filter(|it: &Artifact| it.kind == LIST_OF_PARTS)
        .ok_or_else(|| RemoteError::NoBundle {
            reference: reference(),
        })?;
    let incoming = output.join(INCOMING);
    let fetch = |digest: &Digest, before: u64, total| {
        let (url, server) = registry.source(digest)?;
        let download = Download {
            url: &url,
            digest,
            server: &server,
            patience: Patience::default(),
        };
        let news = |progress: download::Progress<'_>| {
            report(match progress {
                download::Progress::Bytes { done, .. } => {
                    let done = before + done;
                    Progress::Bytes {
                        part: ALL,
                        done,
                        total,
                    }
                }
                download::Progress::Retry { reason } => Progress::Retry { part: ALL, reason },
            });
        };
        download
            .fetch(&incoming, &news)
            .map_err(RegistryError::from)
    };
    let list = Manifest::load(&fetch(&artifact.config.digest, 0, None)?)?;
    let store = Store::new(output.join(directory::BLOBS));
    let wanted = archive::wanted(&list);
    let missing = wanted
        .iter()
        .filter(|(_, (blob, stored))| store.check(blob, *stored, false).is_err());
    let missing: Vec<_> = missing.collect();
    let total = missing.iter().map(|(_, (_, stored))| stored.stored).sum();
    let mut done = 0;
    for (name, (blob, stored)) in &missing {
        let layers = artifact.layers.iter();
        let mut named = layers.filter(|it| it.annotations.get(TITLE) == Some(*name));
        let layer = named.next().ok_or_else(|| RemoteError::Incomplete {
            reference: reference(),
            name: (*name).clone(),
        })?;
        let path = fetch(&layer.digest, done, Some(total))?;
        store
            .take(&path, blob, *stored)?
            .map_err(|source| RemoteError::Part {
                reference: reference(),
                name: (*name).clone(),
                source: Box::new(source),
            })?;
        done += stored.stored;
    }
    list.save(&output.join(directory::MANIFEST))?;
    store.retain(&list.blob_names())?;
    fs::remove_dir_all(&incoming)
        .map_err(|source| BundleError::file("remove", &incoming, source))?;
    Ok(Unpacked {
        parts: wanted.len(),
        new: missing.len(),
    })
}

impl From<RemoteError> for Diagnostic {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::Registry(error) => error.into(),
            RemoteError::Bundle(error) => error.into(),
            other => Self::from_error(Kind::Bundle, &other),
        }
    }
}
