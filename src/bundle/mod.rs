//! The bundle: everything that nodes get, in one folder.
//!
//! ```text
//! manifest.json   every part with its name, version and sha256
//! blobs/          the content, by sha256
//! ```

mod atomic;
mod blob_writer;
mod catalog;
mod directory;
mod error;
mod hashing;
mod manifest;
mod open;
mod sources;
mod store;

pub use catalog::Catalog;
pub use directory::{bundle_directory, cache_directory};
pub use error::BundleError;
pub use manifest::{
    Encoding, FileEntry, ImageEntry, Manifest, NodeProgram, Placement, Program, StoredBlob,
};
pub use open::{Bundle, StoredFile};
pub use store::Damage;
