//! Looks at what the node is like apart from Kubernetes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use serde_json::Value;

use crate::converge::program::{Program, exists};
use crate::converge::{Node, disk, unit};
use crate::wire::Surroundings;

/// Units that kinstall has files for.
const UNITS: [&str; 2] = ["kubelet.service", "containerd.service"];
/// Where containerd looks for registries.
const REGISTRIES: &str = "/etc/containerd/certs.d";
/// First words of the file of each that kinstall made (`templates/containerd/hosts.toml.tera`).
const WRITTEN_BY_KINSTALL: &str = "# Written by kinstall";

/// Gathers everything.
pub fn gather(node: &Node) -> Surroundings {
    let number = |path: &str| node.read_or_empty(path).trim().parse().unwrap_or(0);
    Surroundings {
        clock: clock(),
        clock_ahead: 0,
        machine_id: node.read_or_empty("/etc/machine-id").trim().to_owned(),
        mtus: mtus(node),
        disk_size_mib: disk::size(&node.path("/var/lib")).unwrap_or(0) >> 20,
        inotify_instances: number("/proc/sys/fs/inotify/max_user_instances"),
        drop_ins: unit::OWN_FOLDERS
            .iter()
            .flat_map(|folder| drop_ins(node, folder))
            .collect(),
        packaged_drop_ins: unit::PACKAGED_FOLDERS
            .iter()
            .flat_map(|folder| {
                let found = drop_ins(node, folder).into_iter();
                let below = format!("{folder}/");
                found.filter_map(move |path| Some(path.strip_prefix(&below)?.to_owned()))
            })
            .collect(),
        registries: registries(node),
        dropping_chains: dropping_chains(node),
    }
}

/// Registries whose file says that kinstall wrote it; those of others stay as they are.
fn registries(node: &Node) -> Vec<String> {
    let entries = fs::read_dir(node.path(REGISTRIES)).into_iter().flatten();
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names
        .filter(|name| {
            let text = node.read_or_empty(&format!("{REGISTRIES}/{name}/hosts.toml"));
            text.starts_with(WRITTEN_BY_KINSTALL)
        })
        .collect();
    names.sort();
    names
}

fn clock() -> i64 {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

fn mtus(node: &Node) -> BTreeMap<String, u32> {
    let interfaces = fs::read_dir(node.path("/sys/class/net"));
    interfaces
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let mtu = fs::read_to_string(entry.path().join("mtu")).ok()?;
            let name = entry.file_name().to_string_lossy().into_owned();
            Some((name, mtu.trim().parse().ok()?))
        })
        .collect()
}

/// Files in a folder of units that change what one of ours starts.
fn drop_ins(node: &Node, folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for unit in UNITS {
        let folder = format!("{folder}/{unit}.d");
        let entries = fs::read_dir(node.path(&folder)).into_iter().flatten();
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.path().extension().is_some_and(|it| it == "conf")
                && starts_something(&entry.path())
            {
                found.push(format!("{folder}/{name}"));
            }
        }
    }
    found.sort();
    found
}

/// A link to `/dev/null` reads as nothing.
fn starts_something(path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .any(|line| line.trim_start().starts_with("ExecStart="))
}

/// Asks `nft`, where it is installed; iptables of today is there as well.
fn dropping_chains(node: &Node) -> Vec<String> {
    if !exists("nft", node) {
        return Vec::new();
    }
    let output = Program::new(["nft", "--json", "list", "chains"]).timeout(5);
    output
        .output(node)
        .ok()
        .and_then(|output| serde_json::from_str(&output).ok())
        .map(|chains: Value| read_chains(&chains))
        .unwrap_or_default()
}

fn read_chains(chains: &Value) -> Vec<String> {
    let entries = chains["nftables"].as_array().into_iter().flatten();
    entries
        .map(|entry| &entry["chain"])
        .filter(|chain| chain["policy"] == "drop")
        .filter(|chain| chain["hook"] == "forward" || chain["hook"] == "input")
        .map(|chain| {
            let text = |field: &str| chain[field].as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", text("family"), text("table"), text("name"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn drop_ins_that_start_something_else_are_found() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        let files = [
            (
                "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf",
                "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet\n",
            ),
            (
                "/etc/systemd/system/kubelet.service.d/20-own.conf",
                "[Service]\nExecStart=/x\n",
            ),
            (
                "/etc/systemd/system/containerd.service.d/proxy.conf",
                "[Service]\nEnvironment=HTTP_PROXY=x\n",
            ),
        ];
        for (path, text) in files {
            let path = node.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let surroundings = gather(&node);
        assert_eq!(
            surroundings.drop_ins,
            ["/etc/systemd/system/kubelet.service.d/20-own.conf"]
        );
        assert_eq!(
            surroundings.packaged_drop_ins,
            ["kubelet.service.d/10-kubeadm.conf"]
        );
        // Switched off.
        let mask = node.path("/etc/systemd/system/kubelet.service.d/20-own.conf");
        fs::remove_file(&mask).unwrap();
        std::os::unix::fs::symlink("/dev/null", &mask).unwrap();
        assert!(gather(&node).drop_ins.is_empty());
    }

    #[test]
    fn only_registries_of_kinstalls_are_counted() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        assert!(registries(&node).is_empty());
        let template = include_str!("../../templates/containerd/hosts.toml.tera");
        for (name, text) in [
            ("docker.io", template),
            ("10.0.0.2:5000", template),
            ("own.example.com", "server = 'x'\n"),
        ] {
            let folder = node.path(&format!("{REGISTRIES}/{name}"));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("hosts.toml"), text).unwrap();
        }
        fs::create_dir(node.path(&format!("{REGISTRIES}/empty"))).unwrap();
        assert_eq!(registries(&node), ["10.0.0.2:5000", "docker.io"]);
    }

    #[test]
    fn chains_that_drop_are_found() {
        let chains = json!({"nftables": [
            {"metainfo": {"version": "1.1.3"}},
            {"chain": {"family": "ip", "table": "filter", "name": "FORWARD", "hook": "forward", "policy": "drop"}},
            {"chain": {"family": "ip", "table": "filter", "name": "INPUT", "hook": "input", "policy": "accept"}},
            {"chain": {"family": "ip", "table": "filter", "name": "DOCKER"}},
        ]});
        assert_eq!(read_chains(&chains), ["ip filter FORWARD"]);
    }
}
