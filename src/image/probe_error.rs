//! Why a file is of no use as an image.

use std::io;

/// Why a file is of no use as an image.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error("failed to read it")]
    Read(#[from] io::Error),
    #[error("it is {0}")]
    Other(&'static str),
    #[error("it is packed with {0}")]
    Packed(&'static str),
    #[error("it holds only what differs from another image")]
    Difference,
    #[error("it is encrypted")]
    Encrypted,
    #[error("it is cut off or damaged: {0}")]
    Damaged(&'static str),
    #[error("it is no disk image, no box and no appliance")]
    Unknown,
}
