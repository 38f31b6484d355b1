//! Images inside VirtualBox: a machine that is never started, whose snapshot `base` the clones stand on.
//!
//! It is made once for each content and goes with the last clone.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::super::{ProviderError, Report};
use super::error::at_lab;
use super::found::{self, all_machines};
use super::info::Info;
use super::manage::{Manage, ManageError};
use super::media::Media;
use super::paths::argument_path;
use super::remove;
use super::source;
use super::uuid::Uuid;
use crate::image::{Compression, Disk, DiskFormat, Image, ImageKind};

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

/// Fails where VirtualBox can't read an image.
pub fn check(name: &str, image: &Image) -> Result<(), ProviderError> {
    let DiskFormat::Qcow2 { compression, empty } = image.boot_disk().format else {
        return Ok(());
    };
    let cause = match compression {
        Compression::Zstd => "it is compressed with zstd",
        Compression::Zlib if empty => "nothing is written in it",
        Compression::Zlib => return Ok(()),
    };
    Err(ProviderError::Obstacle {
        message: format!("VirtualBox can't read machine image `{name}`: {cause}"),
        hints: vec![
            "`qemu-img convert -O vdi FILE NEW.vdi` makes one that it reads; or take provider `qemu`"
                .into(),
        ],
    })
}

/// Returns the first digits of a hash; the master is named by them.
pub fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// Makes the master of an image, where it isn't there; what an interrupted run left of it is removed before.
pub fn prepare(manage: &Manage, image: &Image, report: Report) -> Result<Master, ProviderError> {
    let hash = short(&image.sha256.to_string()).to_owned();
    let name = format!("{NAME}{hash}");
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
pub fn remove_unused(manage: &Manage) -> Result<(), ProviderError> {
    source::forget(manage)?;
    let machines = all_machines(manage)?;
    let names: Vec<_> = machines
        .into_iter()
        .map(|(name, _)| name)
        .filter(|it| is_master(it))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let media = Media::read(manage)?;
    for name in names {
        // To unregister one with clones would fail half-way, with the machine gone and its disks kept.
        if !media.is_base_for_others(&folder(manage, &name)?) {
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
    let target = found::folder(&Info::parse(&text)).join("disk.vdi");
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
    let folder = folder(manage, name)?;
    let find = || find(manage, name);
    remove::with_folder(manage, find()?, find, &folder)?;
    remove::empty_folder(folder.parent().unwrap_or(&folder));
    Ok(())
}

/// Returns the folder that a master is made in.
fn folder(manage: &Manage, name: &str) -> Result<PathBuf, ProviderError> {
    let group = remove::machine_folder(manage)?.join(GROUP.trim_start_matches('/'));
    Ok(group.join(name))
}

/// Tells masters from machines that a user gave a similar name, such as a copy of one.
fn is_master(name: &str) -> bool {
    let hash = name.strip_prefix(NAME).unwrap_or_default();
    hash.len() == short(&"0".repeat(64)).len() && hash.bytes().all(|it| it.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::{check, is_master};
    use crate::image::{Compression, Disk, DiskFormat, Image, ImageKind};

    #[test]
    fn disks_that_virtualbox_can_not_read_are_refused() {
        let told = |compression, empty| {
            let disk = Disk {
                path: "/disk.qcow2".into(),
                format: DiskFormat::Qcow2 { compression, empty },
                virtual_size: 1 << 30,
            };
            let image = Image {
                sha256: "0".repeat(64).parse().unwrap(),
                name: None,
                user: None,
                kind: ImageKind::Disk(disk),
            };
            check("./disk.qcow2", &image).map_err(|error| error.to_string())
        };
        assert_eq!(told(Compression::Zlib, false), Ok(()));
        let errors = [(Compression::Zstd, false), (Compression::Zlib, true)]
            .map(|(compression, empty)| told(compression, empty).unwrap_err());
        insta::assert_snapshot!(errors.join("\n"), @"
        VirtualBox can't read machine image `./disk.qcow2`: it is compressed with zstd
        VirtualBox can't read machine image `./disk.qcow2`: nothing is written in it
        ");
    }

    #[test]
    fn a_copy_of_a_master_is_none() {
        assert!(is_master("kinstall-image-0123456789ab"));
        assert!(!is_master("kinstall-image-0123456789ab Clone"));
        assert!(!is_master("kinstall-image-mine"));
    }
}
