//! A backup: one encrypted file (`src/age`) with all that a cluster can be made from again, as a tar archive.
//!
//! ```text
//! backup.json               what is in the file
//! inventory/…               the inventory, and variables beside it
//! secrets.json              .kinstall/secrets.json
//! node/etc/kubernetes/…     authorities, keys and configuration of a control plane
//! snapshot.db               etcd's data; the last one, because it is the large one
//! ```

mod intake;
mod inventory;
pub mod make;
pub mod open;
mod survivor;

use std::io;
use std::path::{Path, PathBuf};

use crate::age::AgeError;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::format_version::FormatError;

const RECORD: &str = "backup.json";
const SECRETS: &str = "secrets.json";
const SNAPSHOT: &str = "snapshot.db";

/// A backup could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("failed to read `{path}`", path = path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("failed to write `{path}`", path = path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("can't open the backup `{path}`", path = path.display())]
    Closed { path: PathBuf, source: AgeError },
    #[error("`{path}` is no backup of a cluster: {reason}", path = path.display())]
    Other { path: PathBuf, reason: String },
    #[error("can't use the backup `{path}`", path = path.display())]
    Format { path: PathBuf, source: FormatError },
    #[error("can't make a backup")]
    Node(Diagnostics),
}

impl BackupError {
    /// Says what is wrong and what to do.
    pub fn diagnostics(self) -> Diagnostics {
        let diagnostic = Diagnostic::from_error(Kind::Environment, &self);
        vec![match self {
            Self::Node(problems) => return problems,
            Self::Closed { source, .. } => match source {
                AgeError::WrongPassphrase => {
                    diagnostic.hint("give the passphrase that it was made with")
                }
                AgeError::Damaged => diagnostic.hint(
                    "nothing of it was used; take another copy of the file, or an older backup",
                ),
                _ => diagnostic,
            },
            Self::Format { source, .. } => {
                (source.hint().into_iter()).fold(diagnostic, Diagnostic::hint)
            }
            Self::Read { .. } | Self::Write { .. } | Self::Other { .. } => diagnostic,
        }]
    }
}

/// Tells an error of the encryption from one of the disk.
fn reading(path: &Path, error: io::Error) -> BackupError {
    let path = path.to_owned();
    let closed = error.get_ref().and_then(|it| it.downcast_ref::<AgeError>());
    match closed.copied() {
        Some(source) => BackupError::Closed { path, source },
        None => BackupError::Read {
            path,
            source: error,
        },
    }
}

#[cfg(test)]
mod tests;
