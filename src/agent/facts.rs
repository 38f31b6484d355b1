//! What the node is, read from files; the only program that is started for it is `nft`, which is a quick one. A
//! control plane is asked as well, and a member of etcd.

use std::collections::BTreeMap;

use crate::converge::{Node, command, disk, made};
use crate::wire::{Facts, public_key_ids};

use super::{addresses, control_plane, etcd, handlers, surroundings, traces};

/// Bit of CAP_SYS_RESOURCE in the capability sets of `/proc/self/status`.
const SYS_RESOURCE: u64 = 1 << 24;

/// Gathers the facts.
pub fn gather(node: &Node) -> Facts {
    let control_plane = control_plane::state(node);
    let first_line = |path: &str| node.read_or_empty(path).trim().to_owned();
    let unified = node.path("/sys/fs/cgroup/cgroup.controllers").exists();
    Facts {
        hostname: first_line("/proc/sys/kernel/hostname"),
        program: std::env::current_exe()
            .map(|path| path.display().to_string())
            .unwrap_or_default(),
        os: value(&node.read_or_empty("/etc/os-release"), "PRETTY_NAME"),
        kernel: first_line("/proc/sys/kernel/osrelease"),
        architecture: std::env::consts::ARCH.to_owned(),
        cpus: std::thread::available_parallelism()
            .map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX)),
        memory_mib: memory_mib(&node.read_or_empty("/proc/meminfo")),
        disk_free_mib: disk::free(&node.path("/var/lib")).unwrap_or(0) >> 20,
        cgroup_version: if unified { 2 } else { 1 },
        addresses: addresses::list().unwrap_or_default(),
        default_address: addresses::on_default_route()
            .map_or_else(String::new, |address| address.to_string()),
        container: container(node),
        can_lower_oom_score: can_lower_oom_score(
            &node.read_or_empty("/proc/self/status"),
            &node.read_or_empty("/proc/self/uid_map"),
        ),
        name_servers: name_servers(node),
        boot_id: first_line("/proc/sys/kernel/random/boot_id"),
        kubernetes_version: static_pod_version(node, "kube-apiserver"),
        etcd_version: etcd::version(node).unwrap_or_else(|| static_pod_version(node, "etcd")),
        etcd: etcd::asked(node),
        pending_handlers: handlers::left(node),
        control_plane,
        nodes: control_plane::nodes(control_plane, node),
        encryption_keys: control_plane::encryption_keys(node),
        encryption_algorithm: control_plane::encryption_algorithm(node),
        service_account_keys: public_key_ids(&node.read_or_empty(control_plane::SERVICE_ACCOUNTS)),
        commands: command::begun(node),
        made: made::present(node),
        traces: traces::gather(node),
        surroundings: surroundings::gather(node),
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

/// Returns the version in the image's tag of a static pod: `1.37.2` of `v1.37.2`, `3.5.21` of `3.5.21-0`.
fn static_pod_version(node: &Node, component: &str) -> String {
    let manifest = node.read_or_empty(&format!("/etc/kubernetes/manifests/{component}.yaml"));
    let images = manifest.lines().filter_map(|line| {
        let value = line
            .trim()
            .trim_start_matches("- ")
            .strip_prefix("image:")?;
        Some(value.trim().trim_matches(['"', '\'']))
    });
    let mut tags = images.filter_map(|image| {
        let (name, tag) = image.split('@').next()?.rsplit_once(':')?;
        (name.rsplit('/').next() == Some(component)).then_some(tag)
    });
    let tag = tags.next().unwrap_or_default().trim_start_matches('v');
    tag.split('-').next().unwrap_or_default().to_owned()
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
    fn versions_are_those_of_the_static_pods() {
        for (image, expected) in [
            ("kinstall.local/kube-apiserver:v1.37.2", "1.37.2"),
            ("registry.k8s.io/kube-apiserver:v1.31.4", "1.31.4"),
            (
                "\"mirror:5000/k8s/kube-apiserver:v1.30.0-rc.1@sha256:ab\"",
                "1.30.0",
            ),
            ("mirror:5000/other", ""),
        ] {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join("etc/kubernetes/manifests");
            std::fs::create_dir_all(&folder).unwrap();
            let text = format!("spec:\n  containers:\n  - image: {image}\n    name: x\n");
            std::fs::write(folder.join("kube-apiserver.yaml"), text).unwrap();
            let node = Node::at(root.path());
            assert_eq!(
                static_pod_version(&node, "kube-apiserver"),
                expected,
                "{image}"
            );
            assert_eq!(static_pod_version(&node, "etcd"), "");
        }
    }

    #[test]
    fn this_machine_has_facts() {
        let facts = gather(&Node::this());
        assert!(facts.cpus >= 1 && facts.memory_mib > 100, "{facts:?}");
        assert!(facts.addresses.contains(&"lo 127.0.0.1/8".to_owned()));
        assert_eq!(facts.boot_id.len(), 36);
    }
}
