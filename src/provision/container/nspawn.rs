//! The command line that starts one machine.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::base_image::INIT;
use super::clone::{DATA, kernel_release};
use super::lab_directory::{LabRecord, MachineDirectory, MachineRecord};
use crate::provision::namespace::BRIDGE;

/// nspawn's exit code when the machine was rebooted from inside.
pub(super) const REBOOTED: i32 = 133;

/// System calls that nspawn blocks by default and containerd, runc and the kubelet need.
const SYSTEM_CALLS: &str = "@keyring bpf perf_event_open @module";

/// Joins the groups whose files come first, then becomes the program after `--`.
const JOIN_GROUPS: &str =
    r#"while [ "$1" != -- ]; do echo 0 >"$1" || exit 1; shift; done; shift; exec "$@""#;

/// Builds the command for a machine whose root is mounted; `groups` are the files to join its groups by.
pub(super) fn command(
    lab: &LabRecord,
    machine: &MachineRecord,
    directory: &MachineDirectory,
    groups: &[PathBuf],
    is_unified: bool,
) -> Command {
    let release = kernel_release();
    let host_files = [
        format!("/lib/modules/{release}"),
        format!("/boot/config-{release}"),
    ];
    let host_files: Vec<&Path> = host_files
        .iter()
        .map(Path::new)
        .filter(|path| path.exists())
        .collect();
    let mut command = Command::new("sh");
    command
        .args(["-c", JOIN_GROUPS, "sh"])
        .args(groups)
        .args(["--", "systemd-nspawn"])
        .args(arguments(lab, machine, directory, &host_files, is_unified))
        .env(
            "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY",
            if is_unified { "1" } else { "0" },
        )
        // Each machine sees its own groups as the root of the hierarchies.
        .env("SYSTEMD_NSPAWN_USE_CGNS", "1")
        // The lab's folder is nobody else's, and the lock would leave a file beside it.
        .env("SYSTEMD_NSPAWN_LOCK", "0");
    command
}

fn arguments(
    lab: &LabRecord,
    machine: &MachineRecord,
    directory: &MachineDirectory,
    host_files: &[&Path],
    is_unified: bool,
) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = [
        "--quiet",
        "--keep-unit",
        "--register=no",
        "--private-users=no",
        "--capability=all",
        // A machine must not set the computer's clock.
        "--drop-capability=CAP_SYS_TIME",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--console=pipe",
        "--notify-ready=no",
        // systemd's own signal for an orderly power-off.
        "--kill-signal=SIGRTMIN+3",
    ]
    .map(OsString::from)
    .into();
    arguments.push(format!("--system-call-filter={SYSTEM_CALLS}").into());
    arguments.push(format!("--machine={}-{}", lab.id, machine.name).into());
    arguments.push(format!("--hostname={}", machine.name).into());
    arguments.push(format!("--network-bridge={BRIDGE}").into());
    let prefix = lab.gateway.prefix_len();
    arguments.push(format!("--setenv=KINSTALL_ADDRESS={}/{prefix}", machine.address).into());
    arguments.push(format!("--setenv=KINSTALL_GATEWAY={}", lab.gateway.addr()).into());
    arguments.push(join("--directory=", directory.root().as_os_str()));
    for name in DATA {
        let mut bind = join("--bind=", &escape(&directory.data(name)));
        bind.push(format!(":/var/lib/{name}"));
        arguments.push(bind);
    }
    arguments.extend(
        host_files
            .iter()
            .map(|path| join("--bind-ro=", &escape(path))),
    );
    arguments.push(INIT.into());
    if !is_unified {
        // systemd has to be told twice that version 1 is meant.
        arguments.push("systemd.unified_cgroup_hierarchy=0".into());
        arguments.push("SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1".into());
    }
    arguments.push("systemd.log_target=console".into());
    arguments
}

fn join(option: &str, value: &OsStr) -> OsString {
    let mut joined = OsString::from(option);
    joined.push(value);
    joined
}

/// nspawn splits a bind at colons.
fn escape(path: &Path) -> OsString {
    let mut escaped = Vec::new();
    for byte in path.as_os_str().as_bytes() {
        if matches!(byte, b':' | b'\\') {
            escaped.push(b'\\');
        }
        escaped.push(*byte);
    }
    OsString::from_vec(escaped)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::lab_directory::LabDirectory;
    use super::{LabRecord, arguments};

    fn command_line(is_unified: bool) -> String {
        let lab: LabRecord = serde_json::from_value(serde_json::json!({
            "version": 1,
            "id": "course",
            "image": "/cache/image",
            "gateway": "192.168.56.1/24",
            "machines": [{"name": "node1", "address": "192.168.56.21", "cpus": 2, "memory_mib": 2048}],
            "forwards": [],
        }))
        .unwrap();
        let directory = LabDirectory::at(Path::new("/labs/a:b")).machine("node1");
        let host_files = [Path::new("/lib/modules/6.12.0")];
        let arguments = arguments(&lab, &lab.machines[0], &directory, &host_files, is_unified);
        arguments
            .iter()
            .map(|argument| argument.to_string_lossy())
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn arguments_with_version_1_groups() {
        insta::assert_snapshot!(command_line(false), @r#"
        --quiet
        --keep-unit
        --register=no
        --private-users=no
        --capability=all
        --drop-capability=CAP_SYS_TIME
        --resolv-conf=off
        --timezone=off
        --link-journal=no
        --console=pipe
        --notify-ready=no
        --kill-signal=SIGRTMIN+3
        --system-call-filter=@keyring bpf perf_event_open @module
        --machine=course-node1
        --hostname=node1
        --network-bridge=lab0
        --setenv=KINSTALL_ADDRESS=192.168.56.21/24
        --setenv=KINSTALL_GATEWAY=192.168.56.1
        --directory=/labs/a:b/machines/node1/root
        --bind=/labs/a\:b/machines/node1/data/containerd:/var/lib/containerd
        --bind=/labs/a\:b/machines/node1/data/etcd:/var/lib/etcd
        --bind=/labs/a\:b/machines/node1/data/kinstall:/var/lib/kinstall
        --bind=/labs/a\:b/machines/node1/data/kubelet:/var/lib/kubelet
        --bind-ro=/lib/modules/6.12.0
        /usr/lib/kinstall/node-init
        systemd.unified_cgroup_hierarchy=0
        SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1
        systemd.log_target=console
        "#);
    }

    #[test]
    fn unified_groups_need_no_word_to_systemd() {
        let arguments = command_line(true);
        assert!(
            arguments.ends_with("node-init\nsystemd.log_target=console"),
            "{arguments}"
        );
    }
}
