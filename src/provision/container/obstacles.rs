//! What keeps this computer from running system containers, and what to do about it.

use std::ffi::OsStr;
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

const NESTED: &str = "kinstall seems to run inside a container itself: run it on the computer, or in a virtual machine";

/// Returns every obstacle; `has_image` says that the base image is built already.
pub(super) fn find(has_image: bool) -> Diagnostics {
    let is_root = rustix::process::geteuid().is_root();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found: Diagnostics = privileges(is_root, &status).into_iter().collect();
    found.extend(missing_programs(&path, has_image));
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

fn missing_programs(path: &OsStr, has_image: bool) -> Diagnostics {
    let needed = PROGRAMS
        .iter()
        .filter(|(_, _, is_for_build)| !(*is_for_build && has_image));
    needed
        .filter(|(program, ..)| which::which_in_global(program, Some(path)).map_or(true, |mut found| found.next().is_none()))
        .map(|(program, package, _)| {
            obstacle(
                format!("the program `{program}` is missing"),
                format!("install it: `apt install {package}`, or the package that has it on your distribution"),
            )
        })
        .collect()
}

fn privileges(is_root: bool, status: &str) -> Option<Diagnostic> {
    if !is_root {
        let hint =
            "run kinstall with `sudo`: namespaces, mounts and control groups are made by root";
        return Some(obstacle("system containers need root".into(), hint.into()));
    }
    let effective = status
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("CapEff:")?.trim(), 16).ok())
        .unwrap_or_default();
    let missing: Vec<&str> = CAPABILITIES
        .iter()
        .filter(|(bit, _)| effective >> bit & 1 == 0)
        .map(|(_, name)| *name)
        .collect();
    (!missing.is_empty()).then(|| {
        obstacle(
            format!("root lacks {} here", missing.join(", ")),
            NESTED.into(),
        )
    })
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
            format!(
                "the control groups at `{}` are mounted read-only",
                hierarchy.mount.display()
            ),
            NESTED.into(),
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

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::{Diagnostic, missing_programs, privileges};

    fn text<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>) -> String {
        let lines = diagnostics
            .into_iter()
            .map(|one| format!("{}; {}", one.message, one.hints.join("; ")));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn programs_for_the_image_are_needed_only_until_it_is_built() {
        let folder = tempfile::tempdir().unwrap();
        let nothing = OsStr::new(folder.path());
        assert_eq!(missing_programs(nothing, false).len(), 6);
        insta::assert_snapshot!(text(&missing_programs(nothing, true)), @r#"
        the program `systemd-nspawn` is missing; install it: `apt install systemd-container`, or the package that has it on your distribution
        the program `ip` is missing; install it: `apt install iproute2`, or the package that has it on your distribution
        the program `unshare` is missing; install it: `apt install util-linux`, or the package that has it on your distribution
        the program `sh` is missing; install it: `apt install dash`, or the package that has it on your distribution
        "#);
    }

    #[test]
    fn privileges_that_are_missing_are_named() {
        let status = |capabilities: &str| format!("Name:\tkinstall\nCapEff:\t{capabilities}\n");
        assert_eq!(text(&privileges(true, &status("000001ffffffffff"))), "");
        insta::assert_snapshot!(text(&privileges(true, &status("00000000a80425fb"))), @"root lacks CAP_NET_ADMIN, CAP_SYS_ADMIN here; kinstall seems to run inside a container itself: run it on the computer, or in a virtual machine");
        insta::assert_snapshot!(text(&privileges(false, "")), @"system containers need root; run kinstall with `sudo`: namespaces, mounts and control groups are made by root");
    }
}
