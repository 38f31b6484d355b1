//! Disks, by `qemu-img`. It must not touch those of a machine that runs.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use tracing::debug;

use super::folder::MachineFolder;
use super::hardware::Hardware;
use crate::image::Disk;
use crate::provision::ProviderError;

/// How long another program is waited for that has a disk open, such as one that is just ending.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// Makes a disk that has the content of another one, which stays as it is.
pub(super) fn create_over(
    folder: &MachineFolder,
    base: &Disk,
    size: u64,
) -> Result<(), ProviderError> {
    let mut command = qemu_img();
    command
        .args([
            "create",
            "-q",
            "-f",
            "qcow2",
            "-F",
            base.format.name(),
            "-b",
        ])
        .arg(&base.path)
        .arg(folder.disk(0))
        .arg(size.max(base.virtual_size).to_string());
    run(folder, "make a disk of", &mut command)
}

/// Makes those further disks that aren't there.
pub(super) fn create_further(
    folder: &MachineFolder,
    hardware: &Hardware,
) -> Result<(), ProviderError> {
    for (index, size) in hardware.extra_disks_gib.iter().enumerate() {
        let path = folder.disk(index + 1);
        if path.exists() {
            continue;
        }
        // Made under another name: half a disk must not be taken for one.
        let partial = folder.file("disk.new");
        let mut command = qemu_img();
        command.args(["create", "-q", "-f", "qcow2"]);
        command.arg(&partial).arg(format!("{size}G"));
        run(folder, "make a disk of", &mut command)?;
        std::fs::rename(&partial, &path).map_err(ProviderError::file("create", &path))?;
    }
    Ok(())
}

/// Makes the first disk larger; one that is as large stays as it is.
pub(super) fn grow(folder: &MachineFolder, size: u64) -> Result<(), ProviderError> {
    let path = folder.disk(0);
    if self::size(&path)? >= size {
        return Ok(());
    }
    let mut command = qemu_img();
    command.args(["resize", "-q", "-f", "qcow2"]);
    command.arg(&path).arg(size.to_string());
    run(folder, "grow the disk of", &mut command)
}

/// What `qemu-img snapshot` does.
#[derive(Clone, Copy, Debug)]
pub(super) enum SnapshotAction {
    Create,
    Apply,
    Delete,
}

/// Does something with a snapshot of each of a machine's disks.
pub(super) fn snapshot(
    folder: &MachineFolder,
    hardware: &Hardware,
    act: SnapshotAction,
    tag: &str,
) -> Result<(), ProviderError> {
    let (option, action) = match act {
        SnapshotAction::Create => ("-c", "take a snapshot of"),
        SnapshotAction::Apply => ("-a", "restore a snapshot of"),
        SnapshotAction::Delete => ("-d", "remove a snapshot of"),
    };
    for index in 0..hardware.disks() {
        let mut command = qemu_img();
        command.args(["snapshot", "-q", option, tag]);
        command.arg(folder.disk(index));
        run(folder, action, &mut command)?;
    }
    Ok(())
}

/// Returns the size that a machine sees, in bytes, from the header (QEMU's docs/interop/qcow2.rst).
pub(super) fn size(path: &Path) -> Result<u64, ProviderError> {
    let mut header = [0; 32];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    read.and_then(|()| match header.first_chunk() {
        Some(b"QFI\xfb") => Ok(()),
        _ => Err(io::Error::other("it is no qcow2 disk")),
    })
    .map_err(ProviderError::file("read", path))?;
    Ok(header.last_chunk().map_or(0, |it| u64::from_be_bytes(*it)))
}

fn qemu_img() -> Command {
    // It ends with a kinstall that is killed: the next one makes the same disks.
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "qemu-img"]);
    command
}

fn run(
    folder: &MachineFolder,
    action: &'static str,
    command: &mut Command,
) -> Result<(), ProviderError> {
    let failed = folder.failed(action);
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        let start = Instant::now();
        let output = command
            .output()
            .map_err(|error| failed(error.to_string()))?;
        debug!(
            ?command,
            milliseconds = start.elapsed().as_millis(),
            status = %output.status,
            "qemu-img"
        );
        if output.status.success() {
            return Ok(());
        }
        let detail = String::from_utf8_lossy(&output.stderr);
        if !detail.contains("Is another process using the image") || Instant::now() > deadline {
            return Err(failed(detail.trim().to_owned()));
        }
        thread::sleep(Duration::from_millis(50));
    }
}
