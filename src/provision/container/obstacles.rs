//! What keeps this computer from running system containers, and what to do about it.

use std::fs;
use std::path::Path;

use super::cgroup::Layout;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};

/// Programs, the Debian package of each, and whether only the building of the base image needs it.
const PROGRAMS: [(&str, &str, bool); 6] = [
    ("systemd-nspawn", "systemd-container", false),
    ("ip", "iproute2", false),
    ("unshare", "util-linux", false),
    ("sh", "dash", false),
    ("setpriv", "util-linux", true),
    ("mmdebstrap", "mmdebstrap", true),
];

/// Controllers that the kubelet can't do without.
const CONTROLLERS: [&str; 4] = ["cpu", "cpuset", "memory", "pids"];

/// Bits of `CapEff` (linux/capability.h).
const CAPABILITIES: [(u32, &str); 3] = [
    (12, "CAP_NET_ADMIN"),
    (21, "CAP_SYS_ADMIN"),
    (27, "CAP_MKNOD"),
];

/// Returns every obstacle; `has_image` says that the base image is built already.
pub(super) fn find(has_image: bool) -> Diagnostics {
    let mut found = privileges();
    found.extend(PROGRAMS.iter().filter_map(|(program, package, is_for_build)| {
        let is_needed = !(*is_for_build && has_image) && which::which(program).is_err();
        is_needed.then(|| {
            obstacle(
                format!("the program `{program}` is missing"),
                format!("install it: `apt install {package}`, or the package that has it on your distribution"),
            )
        })
    }));
    if !Path::new("/proc/self/ns/net").exists() {
        found.push(obstacle(
            "the kernel has no network namespaces".into(),
            "use a kernel with CONFIG_NET_NS, as every distribution has".into(),
        ));
    }
    let file_systems = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    // The module is loaded by the first mount, where there is one.
    if !file_systems.contains("\toverlay\n") && !super::host_modules().is_dir() {
        found.push(obstacle(
            "the kernel has no overlay file system".into(),
            "use a kernel with CONFIG_OVERLAY_FS, as every distribution has".into(),
        ));
    }
    found.extend(control_groups());
    found
}

fn privileges() -> Diagnostics {
    if !rustix::process::geteuid().is_root() {
        let hint =
            "run kinstall with `sudo`: namespaces, mounts and control groups are made by root";
        return vec![obstacle("system containers need root".into(), hint.into())];
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok())
        .unwrap_or_default();
    let missing: Vec<&str> = CAPABILITIES
        .iter()
        .filter(|(bit, _)| effective >> bit & 1 == 0)
        .map(|(_, name)| *name)
        .collect();
    if missing.is_empty() {
        return Vec::new();
    }
    vec![obstacle(
        format!("root lacks {} here", missing.join(", ")),
        "kinstall seems to run inside a container itself: run it on the computer, or in a virtual machine".into(),
    )]
}

fn control_groups() -> Option<Diagnostic> {
    let layout = match Layout::detect() {
        Ok(layout) => layout,
        Err(error) => {
            let hint =
                "mount the control groups, or start the computer with systemd, which does it";
            return Some(Diagnostic::from_error(Kind::Environment, &error).hint(hint));
        }
    };
    if let Some(hierarchy) = layout
        .hierarchies()
        .iter()
        .find(|hierarchy| !hierarchy.is_writable)
    {
        return Some(obstacle(
            format!("the control groups at `{}` are mounted read-only", hierarchy.mount.display()),
            "kinstall seems to run inside a container itself: run it on the computer, or in a virtual machine"
                .into(),
        ));
    }
    let Layout::Unified(hierarchy) = &layout else {
        return None;
    };
    let available =
        fs::read_to_string(hierarchy.mount.join("cgroup.controllers")).unwrap_or_default();
    let missing: Vec<&str> = CONTROLLERS
        .into_iter()
        .filter(|name| {
            !available
                .split_whitespace()
                .any(|controller| controller == *name)
        })
        .collect();
    (!missing.is_empty()).then(|| {
        obstacle(
            format!(
                "the control groups lack the controllers {}",
                missing.join(", ")
            ),
            "switch them on at the kernel's command line (`cgroup_enable=memory` on small boards)"
                .into(),
        )
    })
}

fn obstacle(message: String, hint: String) -> Diagnostic {
    Diagnostic::error(Kind::Environment, message).hint(hint)
}
