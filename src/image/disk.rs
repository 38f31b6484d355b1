//! Disk images.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A disk image in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    pub path: PathBuf,
    pub format: DiskFormat,
    /// What the machine sees, in bytes.
    pub virtual_size: u64,
}

/// The form of a disk image, found by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum DiskFormat {
    Qcow2 {
        compression: Compression,
        /// Nothing is written in it; VirtualBox can't read such a file.
        empty: bool,
    },
    Raw,
    Vmdk,
    Vdi,
}

/// How a qcow2 image packs what is compressed in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    Zlib,
    /// VirtualBox can't read it.
    Zstd,
}

impl DiskFormat {
    /// Returns the name that QEMU and VirtualBox have for it, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Qcow2 { .. } => "qcow2",
            Self::Raw => "raw",
            Self::Vmdk => "vmdk",
            Self::Vdi => "vdi",
        }
    }
}
