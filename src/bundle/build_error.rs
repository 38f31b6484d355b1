//! Why a part could not be built, and what to do about it.

use super::{BundleError, Minor};
use crate::diagnostic::{Diagnostic, Kind};
use crate::download::DownloadError;

/// A failure while a bundle is built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("`{tool}` is not installed; it is needed to make {part}")]
    NoTool {
        tool: &'static str,
        part: String,
        hint: String,
    },
    #[error("failed to start `{program}`")]
    Start {
        program: String,
        source: std::io::Error,
    },
    /// The program's last lines stand below the message, as they are the reason.
    #[error("failed to make {part}: `{program}` {ending}{}", indented(last_lines))]
    Command {
        part: String,
        program: String,
        ending: String,
        last_lines: Vec<String>,
        hint: Option<String>,
    },
    #[error("GOPROXY is `{value}`, which names no module proxy")]
    NoProxy { value: String },
    #[error("the catalog has no {part} for {architecture}")]
    Architecture { part: String, architecture: String },
    #[error("the catalog has no Kubernetes {minor}")]
    UnknownRelease { minor: Minor, known: Vec<Minor> },
    #[error("module {module} has the sum {sum}, which is not the catalog's")]
    OtherModule { module: String, sum: String },
    #[error("{part} lacks `{path}`")]
    Lacks { part: String, path: String },
    #[error("failed to read {part}")]
    Archive {
        part: String,
        source: std::io::Error,
    },
    #[error("failed to read what `{program}` printed")]
    Answer {
        program: String,
        source: serde_json::Error,
    },
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error(transparent)]
    Download(#[from] DownloadError),
}

impl From<BuildError> for Diagnostic {
    fn from(error: BuildError) -> Self {
        let (kind, hint) = match &error {
            BuildError::Bundle(_) | BuildError::Download(_) => return inner(error),
            BuildError::NoTool { hint, .. } => (Kind::Environment, Some(hint.clone())),
            BuildError::Start { .. } => (Kind::Environment, None),
            BuildError::NoProxy { .. } => (
                Kind::Environment,
                Some("unset GOPROXY, or set it to a proxy: versions must not come from anywhere else".into()),
            ),
            BuildError::Command { hint, .. } => (Kind::Bundle, hint.clone()),
            BuildError::UnknownRelease { known, .. } => {
                let known: Vec<String> = known.iter().map(ToString::to_string).collect();
                let hint = format!("this kinstall can build {}", known.join(", "));
                (Kind::Bundle, Some(hint))
            }
            BuildError::OtherModule { .. } => (Kind::Bundle, Some(
                "empty Go's module cache with `go clean -modcache`; if the sum stays so, don't trust the module proxy"
                    .into(),
            )),
            BuildError::Architecture { .. }
            | BuildError::Lacks { .. }
            | BuildError::Archive { .. }
            | BuildError::Answer { .. } => (Kind::Bundle, None),
        };
        let diagnostic = Diagnostic::from_error(kind, &error);
        match hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        }
    }
}

fn inner(error: BuildError) -> Diagnostic {
    match error {
        BuildError::Bundle(error) => error.into(),
        BuildError::Download(error) => failed_download(&error),
        other => Diagnostic::from_error(Kind::Bundle, &other),
    }
}

fn failed_download(error: &DownloadError) -> Diagnostic {
    let hint = match error {
        DownloadError::Status {
            status: 404 | 410, ..
        } => {
            "the file is no longer there: name a mirror that has it with `--mirror URL`, or build \
                 the bundle with `kinstall bundle build`"
        }
        DownloadError::Status { .. } => {
            "the server refuses: try later, or name a mirror with `--mirror URL`"
        }
        DownloadError::Hash { .. } => {
            "what was downloaded is removed; if it happens again, the server or something on the \
                 way changes files: don't use it"
        }
        DownloadError::Stalled { .. }
        | DownloadError::Cut { .. }
        | DownloadError::Connection { .. } => {
            "what came so far is kept: check the network and run the command again, or name a \
                 mirror with `--mirror URL`"
        }
        DownloadError::Write { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            "the disk is full: make room there, or choose another place with KINSTALL_CACHE"
        }
        DownloadError::Write { .. } => "do you have permission to write to the folder?",
    };
    Diagnostic::from_error(Kind::Bundle, error).hint(hint)
}

fn indented(lines: &[String]) -> String {
    let lines = lines.iter().flat_map(|line| ["\n    ", line]);
    lines.collect()
}
