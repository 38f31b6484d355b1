//! What the node is, read from files: no program is started for it.

use std::collections::BTreeMap;

use crate::converge::{Node, command, disk};
use crate::wire::Facts;

use super::{addresses, control_plane, handlers};

/// Bit of CAP_SYS_RESOURCE in the capability sets of `/proc/self/status`.
const SYS_RESOURCE: u64 = 1 << 24;

/// Gathers the facts.
pub fn gather(node: &Node) -> Facts {
    let first_line = |path: &str| node.read_or_empty(path).trim().to_owned();
    let unified = node.path("/sys/fs/cgroup/cgroup.controllers").exists();
    Facts {
        hostname: first_line("/proc/sys/kernel/hostname"),
        os: value(&node.read_or_empty("/etc/os-release"), "PRETTY_NAME"),
        kernel: first_line("/proc/sys/kernel/osrelease"),
        architecture: std::env::consts::ARCH.to_owned(),
        cpus: std::thread::available_parallelism()
            .map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX)),
        memory_mib: memory_mib(&node.read_or_empty("/proc/meminfo")),
        disk_free_mib: disk::free(&node.path("/var/lib")).unwrap_or(0) >> 20,
        cgroup_version: if unified { 2 } else { 1 },
        addresses: addresses::list().unwrap_or_default(),
        container: container(node),
        can_lower_oom_score: can_lower_oom_score(
            &node.read_or_empty("/proc/self/status"),
            &node.read_or_empty("/proc/self/uid_map"),
        ),
        name_servers: name_servers(node),
        boot_id: first_line("/proc/sys/kernel/random/boot_id"),
        pending_handlers: handlers::left(node),
        control_plane: control_plane::state(node),
        commands: command::begun(node),
    }
}

/// Reads `KEY="value"` lines.
fn value(text: &str, key: &str) -> String {
    let values: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .collect();
    let value = values.get(key).copied().unwrap_or_default();
    value.trim().trim_matches(['"', '\'']).to_owned()
}

fn memory_mib(meminfo: &str) -> u64 {
    meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        >> 10
}

fn container(node: &Node) -> String {
    let told = node.read_or_empty("/run/systemd/container");
    if !told.trim().is_empty() {
        return told.trim().to_owned();
    }
    node.read_or_empty("/proc/1/environ")
        .split('\0')
        .find_map(|variable| variable.strip_prefix("container="))
        .unwrap_or_default()
        .to_owned()
}

/// The kernel asks for the capability in the machine's own user namespace.
fn can_lower_oom_score(status: &str, uid_map: &str) -> bool {
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0);
    let first_namespace = uid_map.split_whitespace().eq(["0", "0", "4294967295"]);
    effective & SYS_RESOURCE != 0 && first_namespace
}

fn name_servers(node: &Node) -> Vec<String> {
    let servers = |path| -> Vec<String> {
        node.read_or_empty(path)
            .lines()
            .filter_map(|line| {
                let mut words = line.split_whitespace();
                (words.next()? == "nameserver").then(|| words.next().map(str::to_owned))?
            })
            .collect()
    };
    let own = servers("/etc/resolv.conf");
    if own.iter().any(|server| server == "127.0.0.53") {
        return servers("/run/systemd/resolve/resolv.conf");
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read() {
        let release = "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n";
        assert_eq!(
            value(release, "PRETTY_NAME"),
            "Debian GNU/Linux 13 (trixie)"
        );
        assert_eq!(memory_mib("MemTotal:       4028000 kB\n"), 3933);
        let whole = "         0          0 4294967295\n";
        assert!(can_lower_oom_score("CapEff:\t000001ffffffffff\n", whole));
        assert!(!can_lower_oom_score("CapEff:\t000001fffeffffff\n", whole));
        let part = "0 100000 65536\n";
        assert!(!can_lower_oom_score("CapEff:\t000001ffffffffff\n", part));
    }

    #[test]
    fn the_stub_resolver_is_not_a_name_server() {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("etc/resolv.conf", "# x\nnameserver 127.0.0.53\n"),
            ("run/systemd/resolve/resolv.conf", "nameserver 10.0.0.2\n"),
        ] {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        assert_eq!(name_servers(&Node::at(root.path())), ["10.0.0.2"]);
    }

    #[test]
    fn this_machine_has_facts() {
        let facts = gather(&Node::this());
        assert!(facts.cpus >= 1 && facts.memory_mib > 100, "{facts:?}");
        assert!(facts.addresses.contains(&"lo 127.0.0.1/8".to_owned()));
        assert_eq!(facts.boot_id.len(), 36);
    }
}
