//! Images inside VirtualBox: a machine that is never started, whose snapshot `base` the clones stand on.
//!
//! It is made once for each content and goes with the last clone.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::super::{ProviderError, Report};
use super::failure::at_lab;
use super::found::{self, all_machines};
use super::info::Info;
use super::manage::{Manage, ManageError};
use super::media::Media;
use super::paths::argument_path;
use super::remove;
use super::source;
use super::uuid::Uuid;
use crate::image::{Disk, DiskFormat, Image, ImageKind, ImageStore};

const GROUP: &str = "/kinstall-images";
/// Names of masters, before the first digits of the hash.
const NAME: &str = "kinstall-image-";
const SNAPSHOT: &str = "base";
/// Of a cloud image's master; the kernels of cloud images often have drivers for virtio only.
const CONTROLLER: &str = "disks";

/// An image that clones can be made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Master {
    pub uuid: Uuid,
    pub hash: String,
    /// Whether it has drivers for virtio; else its hardware stays what its description says.
    pub is_virtio: bool,
    pub way_in: WayIn,
    /// Of the disk that it boots from.
    pub disk_mib: u64,
}

/// How the first boot sets a machine up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WayIn {
    /// By cloud-init, from a seed.
    Seed,
    /// Over SSH, with the keys that everybody has.
    Box {
        user: String,
        /// The address that the box expects on its first card.
        mac: Option<String>,
    },
}

/// Returns the first digits of a hash; the master is named by them.
pub fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// Makes the master of an image, where it isn't there; what an interrupted run left of it is removed before.
pub fn prepare(
    manage: &Manage,
    images: &ImageStore,
    image: &Image,
    report: Report,
) -> Result<Master, ProviderError> {
    let hash = short(&image.sha256.to_string()).to_owned();
    let name = format!("{NAME}{hash}");
    let _lock = lock(images)?;
    let action = || at_lab(format!("import image {hash} into VirtualBox"));
    let mut found = find(manage, &name)?;
    if found
        .as_ref()
        .is_none_or(|(_, info)| info.get("SnapshotName") != Some(SNAPSHOT))
    {
        report("", "importing the image into VirtualBox");
        discard(manage, &name)?;
        if let Some(description) = image.description() {
            from_appliance(manage, &name, description).map_err(action())?;
        } else {
            let disk = image.boot_disk();
            source::note(manage, &disk.path)?;
            from_disk(manage, &name, disk).map_err(action())?;
            source::forget(manage)?;
        }
        manage
            .call_long(&["snapshot", &name, "take", SNAPSHOT])
            .map_err(action())?;
        found = find(manage, &name)?;
    }
    let Some((uuid, info)) = found else {
        return Err(ProviderError::Lab {
            action: format!("import image {hash} into VirtualBox"),
            detail: format!("VirtualBox has no machine `{name}` afterwards"),
        });
    };
    let disks = Media::read(manage)?.of_machine(&info);
    Ok(Master {
        uuid,
        hash,
        is_virtio: image.description().is_none(),
        way_in: match &image.kind {
            ImageKind::Box(it) => WayIn::Box {
                user: it.user.clone(),
                mac: it.base_mac.clone(),
            },
            ImageKind::Disk(_) | ImageKind::Appliance(_) => WayIn::Seed,
        },
        disk_mib: disks.first().map_or(0, |it| it.capacity_mib),
    })
}

/// Removes masters that nothing stands on any more.
pub fn remove_unused(manage: &Manage, images: &ImageStore) -> Result<(), ProviderError> {
    source::forget(manage)?;
    let machines = all_machines(manage)?;
    let names: Vec<_> = machines
        .into_iter()
        .map(|(name, _)| name)
        .filter(|it| it.starts_with(NAME))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let _lock = lock(images)?;
    let media = Media::read(manage)?;
    for name in names {
        let Some((_, info)) = find(manage, &name)? else {
            continue;
        };
        // To unregister one with clones would fail half-way, with the machine gone and its disks kept.
        if !media.is_base_for_others(&folder(&info)) {
            discard(manage, &name)?;
        }
    }
    Ok(())
}

/// Makes a linked clone, with the UUID that says whose it is.
pub fn clone(
    manage: &Manage,
    master: &Master,
    uuid: Uuid,
    name: &str,
    group: &str,
) -> Result<(), ManageError> {
    let (master, uuid) = (master.uuid.to_string(), uuid.to_string());
    let arguments = [
        "clonevm",
        &master,
        "--snapshot",
        SNAPSHOT,
        "--options",
        "link",
        "--name",
        name,
        "--groups",
        group,
        "--uuid",
        &uuid,
        "--register",
    ];
    manage.call_long(&arguments).map(drop)
}

fn find(manage: &Manage, name: &str) -> Result<Option<(Uuid, Info)>, ProviderError> {
    let machines = all_machines(manage)?;
    let Some((_, uuid)) = machines.into_iter().find(|(it, _)| it == name) else {
        return Ok(None);
    };
    let info = found::machine(manage, uuid).map_err(at_lab("look at images"))?;
    Ok(info.map(|info| (uuid, info)))
}

fn from_disk(manage: &Manage, name: &str, disk: &Disk) -> Result<(), ManageError> {
    manage.call(&[
        "createvm",
        "--name",
        name,
        "--groups",
        GROUP,
        "--ostype",
        "Linux_64",
        "--register",
    ])?;
    let text = manage.call(&["showvminfo", name, "--machinereadable"])?;
    let target = folder(&Info::parse(&text)).join("disk.vdi");
    let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    // `clonemedium` reads no raw disks.
    let mut arguments = if disk.format == DiskFormat::Raw {
        words(&["convertfromraw"])
    } else {
        words(&["clonemedium", "disk"])
    };
    arguments.extend([argument_path(&disk.path), argument_path(&target)]);
    arguments.extend(words(&["--format", "VDI"]));
    manage.call_long(&arguments)?;
    manage.call(&[
        "storagectl",
        name,
        "--name",
        CONTROLLER,
        "--add",
        "virtio-scsi",
        "--portcount",
        "16",
        "--bootable",
        "on",
    ])?;
    let mut arguments = words(&[
        "storageattach",
        name,
        "--storagectl",
        CONTROLLER,
        "--port",
        "0",
        "--device",
        "0",
        "--type",
        "hdd",
        "--medium",
    ]);
    arguments.push(argument_path(&target));
    manage.call(&arguments).map(drop)
}

fn from_appliance(manage: &Manage, name: &str, ovf: &Path) -> Result<(), ManageError> {
    let mut arguments = vec![OsString::from("import"), argument_path(ovf)];
    arguments.extend(
        [
            "--vsys", "0", "--vmname", name, "--group", GROUP, "--eula", "accept",
        ]
        .map(OsString::from),
    );
    manage.call_long(&arguments).map(drop)
}

/// Removes a master, whatever there is of it.
fn discard(manage: &Manage, name: &str) -> Result<(), ProviderError> {
    if let Some((uuid, info)) = find(manage, name)? {
        remove::machine(manage, uuid, &info).map_err(at_lab("remove an image from VirtualBox"))?;
    }
    let folder = remove::machine_folder(manage)?.join(GROUP.trim_start_matches('/'));
    remove::leftovers(manage, &folder.join(name))?;
    remove::empty_folder(&folder);
    Ok(())
}

fn folder(info: &Info) -> PathBuf {
    let file = Path::new(info.get("CfgFile").unwrap_or_default());
    file.parent().unwrap_or(file).to_owned()
}

/// Keeps other kinstalls of this user from the masters; ends with the file.
fn lock(images: &ImageStore) -> Result<File, ProviderError> {
    let failed = ProviderError::file("lock", images.directory());
    images.lock_imports().map_err(failed)
}
