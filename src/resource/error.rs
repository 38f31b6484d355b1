//! Why a resource could not be probed or applied.

use std::io;

/// A failure on the node, with what was being done.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError {
    #[error("failed to {action} `{path}`")]
    File {
        action: &'static str,
        path: String,
        source: io::Error,
    },
    #[error("failed to start `{program}`")]
    Start { program: String, source: io::Error },
    #[error("`{command}` ended with {status}")]
    Command {
        command: String,
        status: String,
        output: String,
    },
    #[error("`{command}` did not end within {seconds} s")]
    Timeout {
        command: String,
        seconds: u32,
        output: String,
    },
    #[error("not reached within {seconds} s: {condition} ({last})")]
    Condition {
        condition: String,
        seconds: u32,
        last: String,
    },
    #[error("{message}")]
    Other { message: String },
    #[error("interrupted")]
    Interrupted,
}
