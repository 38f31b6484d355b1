//! The bundle: everything that nodes get, in one folder.

mod atomic;
mod error;
mod manifest;

pub use error::BundleError;
pub use manifest::{
    Encoding, FileEntry, ImageEntry, Manifest, NodeProgram, Placement, Program, StoredBlob,
};
