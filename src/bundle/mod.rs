//! The bundle: everything that nodes get, in one folder.
//!
//! ```text
//! manifest.json   every part with its name, version and sha256
//! blobs/          the content, by sha256
//! ```
//!
//! [`build`] makes it: components come out of `go build` or a release ([`Origin`]), images
//! are put together from them, and [`Bundle`] reads the result.

mod addon_parts;
mod archive;
mod blob_writer;
mod build_error;
mod builder;
mod cache;
mod catalog;
mod compiled;
mod component;
mod directory;
mod error;
mod go;
mod hashing;
mod image;
mod kubernetes_release;
mod layer;
mod manifest;
mod minor;
mod module_copy;
mod module_folder;
mod open;
mod packages_layer;
mod parts;
mod process;
mod progress;
mod release;
mod remote;
mod show;
mod sources;
mod store;
mod unpack;

pub use archive::{ArchiveFault, Unpacked, load, save};
pub use build_error::BuildError;
pub use builder::{BuildOptions, Origin, build, build_catalog};
pub use catalog::Catalog;
pub use directory::{bundle_directory, cache_directory};
pub use error::BundleError;
pub use manifest::{
    Encoding, FileEntry, ImageEntry, Manifest, NodeProgram, Placement, Program, Release, StoredBlob,
};
pub use minor::{Minor, NotAMinor};
pub use open::{Bundle, StoredFile};
pub use parts::Parts;
pub use progress::{Progress, Report};
pub use remote::{Pushed, RemoteError, pull, push};
pub use show::{Row, show};
pub use store::Damage;
pub use unpack::unpack;
