//! Why a resource could not be probed or applied.

use std::io;
use std::path::Path;

/// A failure on the node, with what was being done.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError {
    #[error("failed to {action} `{path}`")]
    File {
        action: &'static str,
        path: String,
        source: io::Error,
    },
    #[error("no space left on the file system `{mount}` for `{path}`{}", amount(*missing))]
    NoSpace {
        path: String,
        /// Where the full file system is mounted.
        mount: String,
        /// In bytes, where it is known how much was to come.
        missing: Option<u64>,
    },
    #[error("failed to start `{program}`")]
    Start { program: String, source: io::Error },
    #[error("`{command}` ended with {status}")]
    Command {
        command: String,
        status: String,
        /// Last lines that it printed.
        output: Vec<String>,
    },
    #[error("`{command}` did not end within {seconds} s")]
    Timeout {
        command: String,
        seconds: u64,
        output: Vec<String>,
    },
    #[error("not reached within {seconds} s: {condition} ({last})")]
    Condition {
        condition: String,
        seconds: u32,
        last: String,
        /// What is known of the reason.
        output: Vec<String>,
    },
    #[error("the API server refused to {action}: {message}")]
    Api {
        action: String,
        /// HTTP status; 0 where there was no answer.
        status: u16,
        message: String,
    },
    #[error("bundle part damaged: {wanted} arrived as {arrived}")]
    Damaged { wanted: String, arrived: String },
    #[error("{message}")]
    Other { message: String },
    #[error("interrupted")]
    Interrupted,
}

impl ResourceError {
    /// Makes an error without a cause.
    pub fn other(message: impl Into<String>) -> Self {
        Self::Other {
            message: message.into(),
        }
    }

    /// Returns the last lines of the program that failed, if one ran.
    pub fn output(&self) -> &[String] {
        match self {
            Self::Command { output, .. }
            | Self::Timeout { output, .. }
            | Self::Condition { output, .. } => output,
            _ => &[],
        }
    }
}

fn amount(missing: Option<u64>) -> String {
    missing.map_or_else(String::new, |bytes| {
        format!(": {} MiB more are needed", bytes.div_ceil(1 << 20))
    })
}

/// Says what was being done to which file.
pub trait FileContext<T> {
    fn doing(self, action: &'static str, path: &Path) -> Result<T, ResourceError>;
}

impl<T> FileContext<T> for io::Result<T> {
    fn doing(self, action: &'static str, path: &Path) -> Result<T, ResourceError> {
        self.map_err(|source| {
            if source.kind() == io::ErrorKind::StorageFull {
                return super::disk::no_space(path, None);
            }
            ResourceError::File {
                action,
                path: path.display().to_string(),
                source,
            }
        })
    }
}
