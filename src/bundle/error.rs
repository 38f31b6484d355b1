//! Why a bundle can't be read or made.

use std::io;
use std::path::{Path, PathBuf};

use super::Minor;
use super::archive::ArchiveFault;
use super::store::Damage;
use crate::diagnostic::{Diagnostic, Kind};
use crate::format_version::FormatError;
use crate::resource::Sha256;

/// What to run to get a good bundle.
const REBUILD: &str = "run `kinstall bundle build`: it makes what is missing or damaged again";

/// A failure while a bundle is read or made.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("no bundle: `{path}` does not exist", path = path.display())]
    Missing { path: PathBuf },
    #[error("bundle `{path}` can't be used", path = path.display())]
    Format { path: PathBuf, source: FormatError },
    #[error("failed to {action} `{path}`", path = path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("bundle part `{part}` is damaged")]
    Part { part: String, source: Damage },
    #[error("`{path}` can't be loaded", path = path.display())]
    Archive {
        path: PathBuf,
        source: Box<ArchiveFault>,
    },
    #[error("the bundle has no release of Kubernetes")]
    NoRelease,
    #[error("the bundle has no Kubernetes {minor}, only {}", list(known))]
    NoSuchRelease { minor: Minor, known: Vec<Minor> },
    #[error("the bundle has no part with sha256 {sha256}")]
    NoSuchBlob { sha256: Sha256 },
    #[error("`{path}` is not what kinstall writes", path = path.display())]
    Json {
        path: PathBuf,
        source: serde_json::Error,
    },
}

impl BundleError {
    pub(super) fn file(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File {
            action,
            path: path.into(),
            source,
        }
    }

    pub(super) fn json(path: &Path, source: serde_json::Error) -> Self {
        Self::Json {
            path: path.into(),
            source,
        }
    }

    /// Returns what to do about it.
    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { .. }
            | Self::Format { .. }
            | Self::Json { .. }
            | Self::Part { .. }
            | Self::NoRelease
            | Self::NoSuchBlob { .. } => Some(REBUILD.into()),
            Self::Archive { .. } => {
                Some("copy the file again; `kinstall bundle save` tells its sha256".into())
            }
            Self::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => Some(
                "the disk is full: make room there, or choose another place with KINSTALL_CACHE"
                    .into(),
            ),
            Self::NoSuchRelease { minor, known } => Some(format!(
                "`kinstall bundle build --kubernetes {},{minor}` builds a bundle with both",
                list(known)
            )),
            Self::File { .. } => None,
        }
    }
}

fn list(minors: &[Minor]) -> String {
    let minors: Vec<String> = minors.iter().map(ToString::to_string).collect();
    minors.join(",")
}

impl From<BundleError> for Diagnostic {
    fn from(error: BundleError) -> Self {
        let diagnostic = Diagnostic::from_error(Kind::Bundle, &error);
        match error.hint() {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        }
    }
}
