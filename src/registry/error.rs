//! Why a registry doesn't give or take something.

use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, Kind};
use crate::digest::Digest;
use crate::download::DownloadError;

/// A request to a registry failed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("`{registry}` can't be reached")]
    Connection {
        registry: String,
        source: Box<ureq::Error>,
    },
    #[error("`{registry}` {}{}{said}", if *known { "refuses the login that docker or podman keep for it" } else { "wants a login" }, if said.is_empty() { "" } else { ": " })]
    Refused {
        registry: String,
        known: bool,
        said: String,
    },
    #[error("`{reference}` names a digest: what is pushed gets a tag")]
    NoTag { reference: String },
    #[error("`{registry}` has no `{name}`")]
    Missing { registry: String, name: String },
    #[error("`{registry}` answers with status {status}{}{said}", if said.is_empty() { "" } else { ": " })]
    Status {
        registry: String,
        status: u16,
        said: String,
    },
    #[error("`{registry}` gave another content: {actual}, expected {expected}")]
    Digest {
        registry: String,
        expected: Digest,
        actual: Digest,
    },
    #[error("`{registry}` doesn't answer as registries do: {what}")]
    Strange {
        registry: String,
        what: &'static str,
    },
    #[error("failed to read `{path}`", path = path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("failed to ask `{program}` for the login of `{registry}`: {reason}")]
    LoginProgram {
        registry: String,
        program: String,
        reason: String,
    },
    #[error(transparent)]
    Download(#[from] DownloadError),
}

impl RegistryError {
    /// Tells if another attempt may end better.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Connection { source, .. } => {
                matches!(**source, ureq::Error::Io(_) | ureq::Error::Timeout(_))
            }
            _ => false,
        }
    }
}

impl From<RegistryError> for Diagnostic {
    fn from(error: RegistryError) -> Self {
        let diagnostic = Self::from_error(Kind::Environment, &error);
        match &error {
            RegistryError::Refused { registry, .. } => {
                diagnostic.hint(format!("`docker login {registry}` or `podman login {registry}` keeps one, which kinstall reads"))
            }
            RegistryError::Connection { source, .. } if speaks_no_tls(source) => {
                diagnostic.hint("a registry without TLS: --plain-http asks it so; whoever is on the way can read logins, and change what comes")
            }
            RegistryError::Connection { source, .. } if is_of_another_authority(source) => {
                diagnostic.hint("a registry with an authority of its own: --ca-file FILE names its certificate")
            }
            RegistryError::Status { status: 404, .. } => {
                diagnostic.hint("some registries want the repository or project to be made first")
            }
            RegistryError::NoTag { .. } => {
                diagnostic.hint("write a tag: oci://registry.example.com/kinstall/bundle:1.37")
            }
            _ => diagnostic,
        }
    }
}

fn speaks_no_tls(error: &ureq::Error) -> bool {
    let text = error.to_string();
    text.contains("InvalidContentType") || text.contains("corrupt message")
}

fn is_of_another_authority(error: &ureq::Error) -> bool {
    error.to_string().contains("invalid peer certificate")
}
