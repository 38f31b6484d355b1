//! Inventories mean what they mean under Ansible and kubespray: real forms, each with the smallest input.

mod addresses;
mod expressions;
mod files;

use std::fs;

use kinstall::diagnostic::{Diagnostic, Diagnostics};
use kinstall::inventory::Vault;
use kinstall::model::{self, ClusterSpec, HostSpec, Loaded, Method};
use tempfile::TempDir;

/// Writes these files into a folder of their own and reads the first, or the folder for a path that ends in `/`.
fn load_at(
    path: &str,
    files: &[(&str, &str)],
    vault: Vault,
) -> (TempDir, Result<Loaded, Diagnostics>) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let loaded = model::load_with(&folder.path().join(path), vault);
    (folder, loaded)
}

fn load(files: &[(&str, &str)]) -> Result<Loaded, Diagnostics> {
    load_at(files[0].0, files, Vault::default()).1
}

fn spec(files: &[(&str, &str)]) -> ClusterSpec {
    match load(files) {
        Ok(loaded) => loaded.cluster,
        Err(errors) => panic!("{files:?}: {}", messages(&errors)),
    }
}

/// Shows messages; that flannel is installed, which every inventory without a plugin is told, says nothing here.
fn messages(diagnostics: &[Diagnostic]) -> String {
    let messages = diagnostics.iter().map(|it| it.message.as_str());
    let messages: Vec<&str> = messages
        .filter(|message| !message.starts_with("kinstall installs flannel"))
        .collect();
    messages.join("\n")
}

fn errors(files: &[(&str, &str)]) -> String {
    let found = load(files).unwrap_err();
    let errors: Vec<Diagnostic> = found.into_iter().filter(Diagnostic::is_error).collect();
    messages(&errors)
}

fn warnings(files: &[(&str, &str)]) -> String {
    messages(&load(files).unwrap().warnings)
}

/// Shows the node address, the access address and the way to a host.
fn host(host: &HostSpec) -> String {
    let address = |it: Option<std::net::IpAddr>| it.map_or("?".to_owned(), |it| it.to_string());
    let connection = &host.connection;
    let user = connection
        .user
        .as_ref()
        .map_or(String::new(), |user| format!("{user}@"));
    let fallback = connection
        .fallback
        .map_or(String::new(), |it| format!(" else {it}"));
    let way = match connection.method {
        Method::Local => "local".to_owned(),
        Method::Ssh => format!("{user}{}:{}{fallback}", connection.host, connection.port()),
    };
    format!(
        "{} {} {way}",
        address(host.address),
        address(host.access_address)
    )
}

const REST: &str = "[kube_control_plane]\nn1\n[kube_node]\nn1\n";

/// Reads an inventory of one host, which this line describes.
fn one(line: &str) -> String {
    let text = format!("[all]\n{line}\n{REST}");
    host(&spec(&[("inventory.ini", &text)]).hosts[0])
}

const INI: &str = "[kube_control_plane]\nn1 ip=10.0.0.11\n[kube_node]\nn1\n";
const YAML: &str = "all:\n  children:\n    kube_control_plane: {hosts: {n1: {ip: 10.0.0.11}}}\n    kube_node: {hosts: {n1: }}\n";

#[test]
fn samples_of_all_kubespray_releases_give_the_same_cluster() {
    let mut seen = 0;
    for entry in fs::read_dir("tests/fixtures/kubespray").unwrap() {
        let folder = entry.unwrap().path();
        let loaded = model::load_with(&folder, Vault::default())
            .unwrap_or_else(|errors| panic!("{}: {}", folder.display(), messages(&errors)));
        let cluster = &loaded.cluster;
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let hosts: Vec<String> = cluster
            .hosts
            .iter()
            .map(|it| format!("{} {} {}", it.name, it.roles.control_plane, host(it)))
            .collect();
        assert_eq!(
            hosts,
            [
                "node1 true 10.3.0.1 10.3.0.1 95.54.0.12:22",
                "node2 false 10.3.0.2 10.3.0.2 95.54.0.13:22",
                "node3 false 10.3.0.3 10.3.0.3 95.54.0.14:22",
            ],
            "{name}"
        );
        let network = &cluster.network;
        assert_eq!(network.pod_cidr.to_string(), "10.100.0.0/16", "{name}");
        assert_eq!(network.service_cidr.to_string(), "10.101.0.0/18", "{name}");
        assert_eq!(format!("{:?}", network.proxy_mode), "Iptables", "{name}");
        assert_eq!(cluster.dns.node_local_address, None, "{name}");
        assert_eq!(cluster.dns.domain, "cluster.local", "{name}");
        assert_eq!(
            cluster.dns.upstream_servers[0].to_string(),
            "10.3.0.53",
            "{name}"
        );
        assert!(cluster.addons.defined["metrics_server"].enabled, "{name}");
        let has_metallb = !["v2.7", "v2.9", "v2.12"].contains(&name.as_str());
        assert_eq!(cluster.addons.metallb.is_some(), has_metallb, "{name}");
        let version = cluster
            .kubernetes_version
            .as_ref()
            .map(|it| it.version.to_string());
        assert_eq!(version.is_some(), name != "HEAD", "{name}");
        assert!(
            loaded
                .warnings
                .iter()
                .all(|it| !it.message.contains("never read")),
            "{name}: {}",
            messages(&loaded.warnings)
        );
        seen += 1;
    }
    assert_eq!(seen, 10);
}

#[test]
fn every_node_is_in_the_group_of_the_cluster() {
    let variables = "kube_pods_subnet: 10.100.0.0/16\n";
    for groups in [
        "[kube_control_plane]\nn1 ip=10.0.0.11\n[etcd:children]\nkube_control_plane\n[kube_node]\nn2 ip=10.0.0.12\n",
        "[kube-master]\nn1 ip=10.0.0.11\n[kube-node]\nn2 ip=10.0.0.12\n",
        // Who is left out of the section is put in all the same.
        "[kube_control_plane]\nn1 ip=10.0.0.11\n[kube_node]\nn2 ip=10.0.0.12\n[k8s_cluster:children]\nkube_node\n",
    ] {
        for folder in ["k8s_cluster", "k8s-cluster"] {
            let file = format!("group_vars/{folder}/k8s-cluster.yml");
            let files = [("inventory.ini", groups), (&*file, variables)];
            let cluster = spec(&files);
            assert_eq!(
                cluster.network.pod_cidr.to_string(),
                "10.100.0.0/16",
                "{groups}"
            );
            assert_eq!(warnings(&files), "", "{groups}");
        }
    }
    // The group isn't the parent of the others, and among equals the later name wins.
    let cluster = spec(&[
        (
            "inventory.ini",
            "[kube_control_plane]\nn1 ip=10.0.0.11\n[kube_node]\nn1\n",
        ),
        (
            "group_vars/k8s_cluster.yml",
            "kube_pods_subnet: 10.100.0.0/16\n",
        ),
        (
            "group_vars/kube_node.yml",
            "kube_pods_subnet: 10.200.0.0/16\n",
        ),
    ]);
    assert_eq!(cluster.network.pod_cidr.to_string(), "10.200.0.0/16");
}
