//! Inventories of all kubespray ages, and the clusters that they mean.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use kinstall::diagnostic::Diagnostics;
use kinstall::model::{self, Become, ClusterSpec};
use kinstall::ui::diagnostic::render;

fn fixture(name: &str) -> PathBuf {
    Path::new("tests/fixtures/inventories").join(name)
}

/// Loads an inventory that must be right.
fn spec(name: &str) -> (ClusterSpec, Diagnostics) {
    model::load(&fixture(name)).unwrap_or_else(|errors| panic!("{name}:\n{}", text(&errors)))
}

fn text(diagnostics: &Diagnostics) -> String {
    let parts: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| render(diagnostic, false))
        .collect();
    parts.join("\n\n")
}

/// Shows hosts in a line each: name, address, roles, connection.
fn hosts(spec: &ClusterSpec) -> String {
    let lines: Vec<String> = spec
        .hosts
        .iter()
        .map(|host| {
            let roles = [
                (host.roles.control_plane, "control-plane"),
                (host.roles.etcd, "etcd"),
                (host.roles.worker, "worker"),
            ];
            let roles: Vec<&str> = roles
                .iter()
                .filter(|(is, _)| *is)
                .map(|(_, name)| *name)
                .collect();
            let connection = &host.connection;
            let user = connection
                .user
                .as_deref()
                .map_or(String::new(), |user| format!("{user}@"));
            let mut line = format!(
                "{} {} [{}] {user}{}:{}",
                host.name,
                host.address.unwrap(),
                roles.join(" "),
                connection.host,
                connection.port()
            );
            for hop in connection.jumps() {
                let user = hop.user.as_deref().unwrap_or("-");
                let _ = write!(line, " via {user}@{}:{}", hop.host, hop.port());
            }
            if let Some(key) = &connection.private_key {
                let _ = write!(line, " key {}", key.display());
            }
            if connection.escalation != Become::Sudo {
                let _ = write!(line, " become {:?}", connection.escalation);
            }
            line
        })
        .collect();
    lines.join("\n")
}

#[test]
fn the_lab_of_the_course() {
    let (spec, warnings) = model::load(Path::new("inventory/lab/inventory.ini")).unwrap();
    insta::assert_snapshot!("lab", serde_json::to_string_pretty(&spec).unwrap());
    insta::assert_snapshot!("lab_warnings", text(&warnings));
}

#[test]
fn old_group_names_and_connection_variables() {
    let (spec, _) = spec("old/inventory.ini");
    insta::assert_snapshot!(hosts(&spec), @r"
    master1 10.3.0.1 [control-plane etcd] centos@203.0.113.5:2222
    worker1 10.3.0.2 [worker] ubuntu@203.0.113.6:22 key /keys/lab
    worker2 10.3.0.3 [worker] ubuntu@203.0.113.7:22 key /keys/lab become SudoWithPassword(***)
    ");
    let wanted = spec.kubernetes_version.as_ref().unwrap();
    assert_eq!(wanted.version.to_string(), "1.14.3");
    assert_eq!(spec.network.pod_cidr.to_string(), "10.10.0.0/16");
}

#[test]
fn new_group_names_and_metallb_config() {
    let (spec, warnings) = spec("new/inventory.ini");
    insta::assert_snapshot!(hosts(&spec), @r"
    cp1 10.5.0.11 [control-plane etcd] debian@cp1.example.net:22 become No
    cp2 10.5.0.12 [control-plane etcd] debian@cp2.example.net:22 become No
    cp3 10.5.0.13 [control-plane etcd worker] debian@cp3.example.net:22 become No
    n1 10.5.0.21 [worker] debian@10.5.0.21:22 become No
    n2 10.5.0.22 [worker] root@10.5.0.22:22
    ");
    let pools = &spec.addons.metallb.as_ref().unwrap().pools;
    let pools: Vec<String> = pools
        .iter()
        .flat_map(|pool| &pool.ranges)
        .map(|range| format!("{}-{}", range.first, range.last))
        .collect();
    assert_eq!(pools, ["10.5.0.50-10.5.0.99", "10.5.0.200-10.5.0.207"]);
    assert_eq!(spec.name, "new");
    assert_eq!(spec.control_plane.endpoint_host, "10.5.0.5");
    assert_eq!(spec.control_plane.endpoint_port, 8443);
    insta::assert_snapshot!("new_warnings", text(&warnings));
}

#[test]
fn a_generated_hosts_yaml() {
    let (spec, warnings) = spec("generated/hosts.yaml");
    insta::assert_snapshot!(hosts(&spec), @r"
    node1 10.10.1.3 [control-plane etcd worker] 10.10.1.3:22
    node2 10.10.1.4 [control-plane etcd worker] 10.10.1.4:22
    node3 10.10.1.5 [etcd worker] 10.10.1.5:22
    ");
    insta::assert_snapshot!("generated_warnings", text(&warnings));
}

#[test]
fn a_folder_stands_for_its_inventory_file() {
    let (spec, _) = spec("generated");
    assert_eq!(spec.hosts.len(), 3);
}

#[test]
fn hosts_behind_a_bastion() {
    let (spec, _) = spec("bastion/inventory.ini");
    insta::assert_snapshot!(hosts(&spec), @r"
    node1 10.8.0.11 [control-plane etcd] admin@10.8.0.11:22 via jumper@198.51.100.7:2200
    node2 10.8.0.12 [worker] admin@10.8.0.12:22 via jumper@198.51.100.7:2200
    ");
    let node = spec.host("node2").unwrap();
    assert_eq!(
        node.connection.jumps()[0]
            .password
            .as_ref()
            .unwrap()
            .expose(),
        "b#c"
    );
}

#[test]
fn ranges_jump_options_and_references() {
    let (spec, _) = spec("ranges/hosts");
    insta::assert_snapshot!(hosts(&spec), @r"
    ca 10.7.0.1 [control-plane etcd] 10.7.0.1:2022 via ops@gate.example.net:22
    cb 10.7.0.2 [control-plane etcd] 10.7.0.2:2022 via ops@gate.example.net:22
    cc 10.7.0.3 [control-plane etcd] 10.7.0.3:2022 via ops@gate.example.net:22
    w01 10.7.0.11 [worker] ops@w01:2022
    w02 10.7.0.12 [worker] ops@w02:2022
    ");
    let first = spec.host("w01").unwrap();
    assert_eq!(first.labels["zone"], "w01");
    assert_eq!(first.taints[0].key, "dedicated");
    assert_eq!(first.machine.memory_mib, 4096);
}

#[test]
fn sample_variables_make_no_noise() {
    let (_, warnings) = spec("sample/inventory.ini");
    insta::assert_snapshot!("sample_warnings", text(&warnings));
}
