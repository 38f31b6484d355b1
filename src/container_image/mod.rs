//! Images of the user's own on their way to the nodes: from docker, podman, an archive or a folder.
//!
//! [`source`] says where an image is from, [`contents`] takes the files out of an archive or a folder and checks
//! them, and `oci` and `docker` read the two forms in which they describe images. Archives may come from strangers:
//! nothing is unpacked to a path that an archive names, every file is kept by the hash of its content.

pub mod contents;
mod docker;
mod error;
mod form;
mod image;
pub mod name;
mod oci;
mod packing;
pub mod source;

pub use contents::Contents;
pub use error::ImageFault;
pub use image::{LoadedImage, Variant};
pub use name::{ImageName, NotAnImageName};
pub use source::ImageSource;

#[cfg(test)]
mod tests;
