//! What keeps this computer from running QEMU's machines, and what to do about it.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use super::PROGRAM;
use super::folder::MachineFolder;
use super::process::{self, Process};
use super::record::MachineRecord;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::provision::ProviderError;

/// Programs, and the package of each on Debian and on Fedora.
const PROGRAMS: [(&str, &str, &str); 6] = [
    (PROGRAM, "qemu-system-x86", "qemu-system-x86-core"),
    ("qemu-img", "qemu-utils", "qemu-img"),
    ("ip", "iproute2", "iproute"),
    ("nsenter", "util-linux", "util-linux"),
    ("unshare", "util-linux", "util-linux"),
    ("setpriv", "util-linux", "util-linux"),
];

/// Returns every obstacle.
pub(super) fn find() -> Diagnostics {
    let mut found = Diagnostics::new();
    if !cfg!(target_arch = "x86_64") {
        found.push(obstacle(
            "provider `qemu` makes machines for x86_64 processors only".into(),
            "use provider `container` on this computer",
        ));
    }
    if !rustix::process::geteuid().is_root() {
        found.push(obstacle(
            "QEMU's machines need root for their network".into(),
            "run kinstall with `sudo`",
        ));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.extend(missing_programs(&path));
    if !Path::new("/dev/net/tun").exists() {
        found.push(obstacle(
            "the kernel has no TUN/TAP network cards".into(),
            "load the module: `modprobe tun`",
        ));
    }
    found
}

/// Fails where this computer hasn't the memory that machines are going to take.
pub(super) fn check_memory(needed_mib: u64) -> Result<(), ProviderError> {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    match available_mib(&text) {
        Some(available) if available < needed_mib => Err(ProviderError::Obstacle {
            message: format!(
                "the machines to start take {needed_mib} MiB of memory, this computer has {available} MiB available"
            ),
            hints: vec![
                "lower `machine_memory`, start fewer machines, or end other programs".into(),
            ],
        }),
        _ => Ok(()),
    }
}

/// Fails for a machine that runs with shared folders: QEMU can't save its memory.
pub(super) fn check_shared_folders(
    folder: &MachineFolder,
    saved: &str,
) -> Result<(), ProviderError> {
    let record = MachineRecord::require(folder)?;
    let shares = !record.hardware.shared_folders.is_empty();
    if !shares || !matches!(process::find(folder)?, Process::Alive(_)) {
        return Ok(());
    }
    let name = &folder.name;
    Err(ProviderError::Obstacle {
        message: format!(
            "machine `{name}` can't be {saved}: QEMU can't save the memory of a machine with shared folders"
        ),
        hints: vec![
            format!("`kinstall halt {name}` before"),
            "or take `machine_shared_folders` out of the inventory, and run `kinstall up`".into(),
        ],
    })
}

fn available_mib(meminfo: &str) -> Option<u64> {
    let mut lines = meminfo.lines();
    let line = lines.find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib >> 10)
}

fn missing_programs(path: &OsStr) -> Diagnostics {
    let is_missing = |program: &str| {
        let found = which::which_in_global(program, Some(path));
        found.map_or(true, |mut found| found.next().is_none())
    };
    PROGRAMS
        .iter()
        .filter(|(program, ..)| is_missing(program))
        .map(|(program, debian, fedora)| {
            let hint = format!("install it: `apt install {debian}`, or `dnf install {fedora}`");
            obstacle(format!("the program `{program}` is missing"), &hint)
        })
        .collect()
}

fn obstacle(message: String, hint: &str) -> Diagnostic {
    Diagnostic::error(Kind::Environment, message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::{available_mib, missing_programs};

    #[test]
    fn missing_programs_come_with_their_packages() {
        let folder = tempfile::tempdir().unwrap();
        let missing = missing_programs(folder.path().as_os_str());
        let lines: Vec<String> = missing
            .iter()
            .map(|it| format!("{}; {}", it.message, it.hints.join("; ")))
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        the program `qemu-system-x86_64` is missing; install it: `apt install qemu-system-x86`, or `dnf install qemu-system-x86-core`
        the program `qemu-img` is missing; install it: `apt install qemu-utils`, or `dnf install qemu-img`
        the program `ip` is missing; install it: `apt install iproute2`, or `dnf install iproute`
        the program `nsenter` is missing; install it: `apt install util-linux`, or `dnf install util-linux`
        the program `unshare` is missing; install it: `apt install util-linux`, or `dnf install util-linux`
        the program `setpriv` is missing; install it: `apt install util-linux`, or `dnf install util-linux`
        ");
    }

    #[test]
    fn available_memory_is_read() {
        let text = "MemTotal:       24589012 kB\nMemAvailable:   20971520 kB\n";
        assert_eq!(available_mib(text), Some(20480));
    }
}
