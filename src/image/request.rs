//! What is to be fetched, and from where: a reference after its name was looked up.

use std::path::PathBuf;

use super::catalog::{Catalog, architecture};
use super::error::ImageError;
use super::reference::{Checksum, ImageReference};
use crate::digest::Digest;

/// An image to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// The image in reports and errors.
    pub label: String,
    pub notice: Option<String>,
    pub source: Source,
    pub checksum: Option<Checksum>,
    /// What to write for the publisher's newest build.
    pub newest: Option<String>,
}

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    File(PathBuf),
    /// Tried in turn.
    Urls(Vec<String>),
}

impl Request {
    /// Looks a name up in the catalog; `others` are names that are known besides.
    pub(super) fn new(
        reference: &ImageReference,
        catalog: &Catalog,
        others: &[String],
    ) -> Result<Self, ImageError> {
        let plain = |source, checksum| Self {
            label: reference.short_name(),
            notice: None,
            source,
            checksum,
            newest: None,
        };
        match reference {
            ImageReference::File { path, checksum } => {
                Ok(plain(Source::File(path.clone()), checksum.clone()))
            }
            ImageReference::Url { url, checksum } => {
                let source = Source::Urls(vec![url.clone()]);
                Ok(plain(source, Some(checksum.clone())))
            }
            ImageReference::Name(name) => {
                let found = catalog.find(name, others)?;
                let file = found.image.file().ok_or_else(|| ImageError::Architecture {
                    name: found.name.into(),
                    architecture: architecture(),
                })?;
                Ok(Self {
                    label: found.name.into(),
                    notice: found.notice,
                    source: Source::Urls(file.urls.clone()),
                    checksum: Some(Checksum::Digest(file.digest.clone())),
                    newest: found.image.newest(),
                })
            }
        }
    }

    /// Returns the hash, where it is known without asking for a list.
    pub(super) fn digest(&self) -> Option<&Digest> {
        match &self.checksum {
            Some(Checksum::Digest(digest)) => Some(digest),
            _ => None,
        }
    }

    /// Returns what stands for address and list of hashes in a record.
    pub(super) fn reference(&self) -> Option<String> {
        match (&self.source, &self.checksum) {
            (Source::Urls(urls), Some(Checksum::List(list))) => {
                Some(format!("{}#{list}", urls.first()?))
            }
            _ => None,
        }
    }
}
