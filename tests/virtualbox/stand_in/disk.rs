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
    let (_, megabytes) = medium(&drive.medium_uuid)?;
    let size = format!("{megabytes}M");
    let file = disk.to_string_lossy();
    // Smaller than it is, which qemu-img refuses, a medium never becomes.
    let _ = Command::new("qemu-img")
        .args(["resize", "-q", "-f", "qcow2", &file, &size])
        .output()?;
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
    let (backing, format) = match written_ancestor(uuid)? {
        Some(ancestor) => (ancestor, "qcow2"),
        None => (flattened(uuid, &disk.with_extension("vdi"))?, "vdi"),
    };
    let output = Command::new("qemu-img")
        .args(["create", "-q", "-f", "qcow2", "-F", format, "-b"])
        .arg(&backing)
        .arg(&disk)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    link(uuid, &disk)?;
    Ok(disk)
}

fn written_ancestor(uuid: &str) -> Result<Option<PathBuf>, Failure> {
    let (mut parent, _) = medium(uuid)?;
    while let Some(uuid) = parent {
        if let Some(disk) = linked(&uuid)? {
            return Ok(Some(disk));
        }
        (parent, _) = medium(&uuid)?;
    }
    Ok(None)
}

/// Lets VirtualBox copy a medium with all that it inherits; the copy is unknown to VirtualBox in the end.
fn flattened(uuid: &str, file: &Path) -> Result<PathBuf, Failure> {
    let name = file.to_string_lossy();
    real::must(&["clonemedium", "disk", uuid, &name, "--format", "VDI"])?;
    real::must(&["closemedium", "disk", &name])?;
    Ok(file.to_owned())
}

/// Returns a medium's parent, and its capacity in megabytes.
fn medium(uuid: &str) -> Result<(Option<String>, u64), Failure> {
    let text = real::must(&["showmediuminfo", "disk", uuid])?;
    let field = |name: &str| {
        text.lines()
            .find_map(|line| Some(line.strip_prefix(name)?.trim().to_owned()))
    };
    let parent = field("Parent UUID:").filter(|parent| parent != "base");
    let capacity = field("Capacity:").ok_or("a medium without capacity")?;
    let megabytes = capacity.split(' ').next().unwrap_or_default().parse()?;
    Ok((parent, megabytes))
}
