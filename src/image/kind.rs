//! What an image is.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::Disk;
use crate::resource::Sha256;

/// An image on this computer, ready for use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Of the file that the user or the catalog named: the disk, the box or the appliance.
    pub sha256: Sha256,
    /// As the catalog or `image add --name` has it.
    pub name: Option<String>,
    /// The user that can log in: the box's, or the one that cloud-init makes. `None` where that isn't
    /// known.
    pub user: Option<String>,
    pub kind: ImageKind,
}

impl Image {
    /// Returns the disk that the machine boots from.
    pub fn boot_disk(&self) -> &Disk {
        match &self.kind {
            ImageKind::Disk(disk) => disk,
            ImageKind::Box(it) => &it.appliance.disk,
            ImageKind::Appliance(it) => &it.disk,
        }
    }

    /// Tells if the machine reads a seed of cloud-init on first boot. It is taken for granted of all but
    /// boxes, as nothing else leads into them; boxes are configured over SSH.
    pub fn has_cloud_init(&self) -> bool {
        !matches!(self.kind, ImageKind::Box(_))
    }

    /// Returns the description that VirtualBox imports; `None` for what is a disk only.
    pub fn description(&self) -> Option<&Path> {
        match &self.kind {
            ImageKind::Disk(_) => None,
            ImageKind::Box(it) => it.appliance.ovf.as_deref(),
            ImageKind::Appliance(it) => it.ovf.as_deref(),
        }
    }
}

/// The forms that images come in. Paths in it are absolute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImageKind {
    /// The disk of a cloud image.
    Disk(Disk),
    /// A Vagrant box.
    Box(VagrantBox),
    /// An OVA, or an OVF with its disks.
    Appliance(Appliance),
}

/// A Vagrant box: an appliance with a known login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VagrantBox {
    pub provider: BoxProvider,
    /// Its `ovf` is there if and only if the provider is VirtualBox.
    pub appliance: Appliance,
    /// The MAC address that the network set-up inside expects on the first adapter: twelve upper-case
    /// hexadecimal digits.
    pub base_mac: Option<String>,
    /// The user whose key is Vagrant's well-known insecure one; mostly `vagrant`.
    pub user: String,
}

/// Whom a box was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoxProvider {
    VirtualBox,
    /// The disk is qcow2, and there is no OVF.
    Libvirt,
}

/// A described machine with its disks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appliance {
    /// The description; its folder holds all that it refers to.
    pub ovf: Option<PathBuf>,
    /// The first one: what the machine boots from.
    pub disk: Disk,
    /// The others, in the description's order.
    pub further_disks: Vec<Disk>,
}

impl ImageKind {
    /// Changes all paths.
    pub(super) fn with_paths(mut self, change: impl Fn(&Path) -> PathBuf) -> Self {
        match &mut self {
            Self::Disk(disk) => disk.path = change(&disk.path),
            Self::Box(it) => it.appliance.change_paths(change),
            Self::Appliance(it) => it.change_paths(change),
        }
        self
    }

    /// Returns the word for it in lists.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Disk(disk) => disk.format.name(),
            Self::Box(it) => match it.provider {
                BoxProvider::VirtualBox => "box",
                BoxProvider::Libvirt => "box (libvirt)",
            },
            Self::Appliance(_) => "appliance",
        }
    }
}

impl Appliance {
    fn change_paths(&mut self, change: impl Fn(&Path) -> PathBuf) {
        if let Some(ovf) = &mut self.ovf {
            *ovf = change(ovf);
        }
        for disk in std::iter::once(&mut self.disk).chain(&mut self.further_disks) {
            disk.path = change(&disk.path);
        }
    }
}
