//! What a resource may ask of the controller, and tell it, while it works.

use std::path::Path;

use super::ResourceError;
use crate::resource::BlobRef;

/// The way to the controller; the agent has one, a folder in a test needs none.
pub trait Link: Send + Sync {
    /// A line that the program of step `step` printed.
    fn output(&self, step: &str, line: &str);

    /// Bytes done of a step that moves data.
    fn progress(&self, step: &str, done: u64, total: u64);

    /// Brings a blob's bytes to `destination`, checked against its digest.
    fn fetch(&self, step: &str, blob: BlobRef, destination: &Path) -> Result<(), ResourceError>;
}

/// Nobody is there: output is dropped, blobs can't be had.
#[derive(Clone, Copy, Debug)]
pub struct NoLink;

impl Link for NoLink {
    fn output(&self, _step: &str, _line: &str) {}

    fn progress(&self, _step: &str, _done: u64, _total: u64) {}

    fn fetch(&self, _step: &str, blob: BlobRef, _destination: &Path) -> Result<(), ResourceError> {
        Err(ResourceError::other(format!(
            "bundle part {} is not on the node",
            blob.sha256
        )))
    }
}
