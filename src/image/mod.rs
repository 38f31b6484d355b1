//! Machine images: what the disks of virtual machines start from.
//!
//! An inventory's `machine_image` becomes an [`ImageReference`]; [`ImageStore::fetch`] turns it into an
//! [`Image`] on this computer: downloaded, checked against its hash, and unpacked where it is a box or
//! an appliance.
//!
//! ```text
//! lock                 held while an image is added or removed
//! imports.lock         held while a hypervisor is given an image, or loses it
//! downloads/HASH.part  what came so far of a download
//! work/                being unpacked; swept by the next that takes the lock
//! SHA256/image.json    what the image is; written before the folder gets its name
//! SHA256/…             its files, but for a disk of the user's, which is used where it is
//! SHA256/users/        one file for each lab whose machines stand on it
//! ```

mod adopt;
mod appliance;
mod archive;
mod box_name;
mod catalog;
mod checksum_list;
mod disk;
mod error;
mod kind;
mod local_files;
mod lock;
mod manifest;
mod ovf;
mod probe;
mod probe_error;
mod progress;
mod qcow2;
mod record;
mod reference;
mod request;
mod store;
mod users;
mod vagrantfile;

pub use catalog::{Catalog, CatalogImage};
pub use checksum_list::ChecksumList;
pub use disk::{Compression, Disk, DiskFormat};
pub use error::ImageError;
pub use kind::{Appliance, BoxProvider, Image, ImageKind, VagrantBox};
pub use progress::{Progress, Report};
pub use reference::{Checksum, ImageReference, Location, ReferenceError};
pub use store::{ImageStore, StoredImage};
