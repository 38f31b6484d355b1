//! The disks that QEMU writes to, kept apart from VirtualBox's media.
//!
//! A medium that a machine has been started with has a link `media/<UUID>` to the disk that holds its present content.
//! So halting and starting go on where the guest was, and a medium that VirtualBox made as the child of such a one
//! (after a snapshot, restored, linked) begins with that content. Others begin with a copy that VirtualBox makes.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::Drive;
use crate::run_state::{RunState, root};
use crate::{Failure, real};

/// Returns the disk for a drive, as large as the medium.
pub fn for_drive(drive: &Drive, state: &RunState) -> Result<PathBuf, Failure> {
    let disk = match linked(&drive.medium_uuid)? {
        Some(disk) => disk,
        None => begin(&drive.medium_uuid, state)?,
    };
    let megabytes = Medium::find(&drive.medium_uuid)?.megabytes;
    let size = format!("{megabytes}M");
    image_tool(&[
        "resize",
        "-q",
        "-f",
        "qcow2",
        &disk.to_string_lossy(),
        &size,
    ])?;
    Ok(disk)
}

/// Says that a medium's content is on this disk.
pub fn link(medium: &str, disk: &Path) -> Result<(), Failure> {
    let media = root()?.join("media");
    fs::create_dir_all(&media)?;
    let link = media.join(medium);
    let _ = fs::remove_file(&link);
    Ok(symlink(disk, link)?)
}

/// Returns the disk that holds a medium's content, if a machine has written to it.
pub fn linked(medium: &str) -> Result<Option<PathBuf>, Failure> {
    let link = root()?.join("media").join(medium);
    Ok(fs::canonicalize(link).ok())
}

/// Returns a path for one more disk of a machine.
pub fn fresh(state: &RunState) -> Result<PathBuf, Failure> {
    let free = (0..).map(|number| state.folder.join(format!("disk{number}.qcow2")));
    free.into_iter()
        .find(|path| !path.exists())
        .ok_or_else(|| "no free name".into())
}

fn begin(uuid: &str, state: &RunState) -> Result<PathBuf, Failure> {
    let disk = fresh(state)?;
    let backing = content(uuid)?;
    image_tool(&[
        "create",
        "-q",
        "-f",
        "qcow2",
        "-F",
        "qcow2",
        "-b",
        &backing.to_string_lossy(),
        &disk.to_string_lossy(),
    ])?;
    link(uuid, &disk)?;
    Ok(disk)
}

/// Returns the qcow2 with what a medium without a disk of its own begins with.
fn content(uuid: &str) -> Result<PathBuf, Failure> {
    let mut uuid = uuid.to_owned();
    loop {
        if let Some(disk) = linked(&uuid)? {
            return Ok(disk);
        }
        let medium = Medium::find(&uuid)?;
        match &medium.parent {
            // VirtualBox itself runs nothing here, so a layer that no machine of ours has written to is empty. (It
            // couldn't copy one that has grown beyond its parent.)
            Some(parent) => uuid.clone_from(parent),
            None => return flattened(&uuid),
        }
    }
}

/// Lets VirtualBox copy a medium, once; VirtualBox doesn't know the copy in the end.
fn flattened(uuid: &str) -> Result<PathBuf, Failure> {
    let media = root()?.join("media");
    fs::create_dir_all(&media)?;
    let lock = fs::File::create(media.join("lock"))?;
    lock.lock()?;
    let file = media.join(format!("{uuid}.qcow2"));
    if !file.exists() {
        let copy = media.join(format!("{uuid}.vdi"));
        let copy_name = copy.to_string_lossy();
        real::must(&["clonemedium", "disk", uuid, &copy_name, "--format", "VDI"])?;
        real::must(&["closemedium", "disk", &copy_name])?;
        // QEMU can't save a machine that has any other format below its disks.
        let partial = media.join(format!("{uuid}.partial"));
        image_tool(&[
            "convert",
            "-q",
            "-f",
            "vdi",
            "-O",
            "qcow2",
            &copy_name,
            &partial.to_string_lossy(),
        ])?;
        fs::remove_file(&copy)?;
        fs::rename(&partial, &file)?;
    }
    Ok(file)
}

fn image_tool(arguments: &[&str]) -> Result<(), Failure> {
    let output = Command::new("qemu-img").args(arguments).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into())
}

/// What VirtualBox says of a medium.
struct Medium {
    parent: Option<String>,
    megabytes: u64,
}

impl Medium {
    fn find(uuid: &str) -> Result<Self, Failure> {
        let text = real::must(&["showmediuminfo", "disk", uuid])?;
        let field = |name: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(name));
            value
                .map(|it| it.trim().to_owned())
                .ok_or(format!("medium {uuid} has no {name}"))
        };
        let capacity = field("Capacity:")?;
        Ok(Self {
            parent: Some(field("Parent UUID:")?).filter(|parent| parent != "base"),
            megabytes: capacity.split(' ').next().unwrap_or_default().parse()?,
        })
    }
}
