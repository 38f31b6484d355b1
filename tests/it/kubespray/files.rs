//! Files and folders, and what stands in them.

use std::fs;
use std::path::Path;

use kinstall::inventory::Vault;

use super::{INI, REST, YAML, errors, host, load, load_at, messages, spec, warnings};

#[test]
fn the_text_of_an_inventory_says_what_it_is() {
    for (name, text, expected) in [
        ("hosts.yaml", YAML, ""),
        ("hosts.ini", INI, ""),
        ("hosts", YAML, ""),
        ("hosts", INI, ""),
        (
            "hosts.yaml",
            INI,
            "`hosts.yaml` holds INI text and is named as YAML",
        ),
        (
            "hosts.yml",
            "n0 ip=10.0.0.1\n[kube_control_plane]\nn1 ip=10.0.0.11\n[kube_node]\nn1\nn0\n",
            "`hosts.yml` holds INI text and is named as YAML",
        ),
    ] {
        assert_eq!(warnings(&[(name, text)]), expected, "{name}");
    }
    assert_eq!(
        errors(&[("hosts.ini", YAML)]),
        "`hosts.ini` holds YAML text and is named as INI"
    );
}

#[test]
fn doubled_keys_and_hosts_count_once_with_a_warning() {
    let text = YAML.replace(
        "{n1: {ip: 10.0.0.11}}",
        "{n1: {ip: 10.0.0.9}, n1: {ip: 10.0.0.12}}",
    );
    let files = [("hosts.yaml", &*text)];
    assert_eq!(
        host(&spec(&files).hosts[0]),
        "10.0.0.12 10.0.0.12 n1:22 else 10.0.0.12"
    );
    assert_eq!(
        warnings(&files),
        "key `n1` stands twice in the same mapping"
    );
}

#[test]
fn yaml_means_what_it_means_to_python() {
    let cluster = spec(&[
        ("hosts.yaml", YAML),
        (
            "host_vars/n1.yml",
            "node_labels: {tier: y, octal: 010, large: 1_000, time: 1:30, on: 'on', e: 1e3}\nansible_port: 0026\n",
        ),
    ]);
    let labels: Vec<String> = cluster.hosts[0]
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(
        labels.join(" "),
        "e=1e3 large=1000 node-role.kubernetes.io/control-plane= octal=8 on=on tier=y time=90"
    );
    assert_eq!(cluster.hosts[0].connection.port(), 22);
    let text = YAML.replace("{n1: {ip: 10.0.0.11}}", "{\"n1:2222\": {ip: 10.0.0.11}}");
    assert_eq!(
        host(&spec(&[("hosts.yaml", &text)]).hosts[0]),
        "10.0.0.11 10.0.0.11 n1:2222 else 10.0.0.11"
    );
}

#[test]
fn a_folder_is_all_its_inventories_but_an_untouched_sample() {
    let sample = "[all]\n# node1 ansible_host=95.54.0.12\n[kube_control_plane]\n# node1\n[etcd]\n[kube_node]\n";
    let (folder, loaded) = load_at(
        "",
        &[("inventory.ini", sample), ("hosts.yaml", YAML)],
        Vault::default(),
    );
    let loaded = loaded.unwrap();
    assert_eq!(loaded.cluster.hosts.len(), 1);
    assert_eq!(loaded.files, [folder.path().join("hosts.yaml")]);
    assert!(messages(&loaded.warnings).ends_with("inventory.ini is left out: it names no host"));

    let (folder, loaded) = load_at(
        "",
        &[
            (
                "01-hosts.ini",
                "n1 ip=10.0.0.11\n[workers]\nn2 ip=10.0.0.12\n",
            ),
            (
                "02-groups.yml",
                "kube_control_plane: {hosts: {n1: }}\nkube_node: {children: {workers: }}\nworkers:\n",
            ),
            ("README.md", "[all]\n"),
            ("site.yml", "- hosts: all\n"),
            ("compose.yaml", "services: {web: {image: x}}\n"),
            ("notes", "call me\n"),
            (".hidden.ini", "[kube_node]\nn9\n"),
            ("hosts.ini.bak", "[kube_node]\nn9\n"),
            ("group_vars/all.yml", "node_domain: a.example\n"),
        ],
        Vault::default(),
    );
    let loaded = loaded.unwrap();
    let names: Vec<&str> = loaded
        .cluster
        .hosts
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(names, ["n1", "n2"]);
    let files = ["01-hosts.ini", "02-groups.yml"].map(|name| folder.path().join(name));
    assert_eq!(loaded.files, files);
    assert_eq!(loaded.cluster.node_domain.as_deref(), Some("a.example"));
    assert_eq!(messages(&loaded.warnings), "");

    // What is broken and called like an inventory is not left out.
    let (_folder, loaded) = load_at(
        "",
        &[("inventory.ini", INI), ("hosts.yaml", "a: [")],
        Vault::default(),
    );
    assert!(loaded.is_err());
    let (_folder, loaded) = load_at("", &[("notes", "x\n")], Vault::default());
    assert!(messages(&loaded.unwrap_err()).starts_with("no inventory file in"));
}

#[test]
fn a_folder_without_a_name_is_its_real_inventory() {
    let sample = "[kube_control_plane]\n[kube_node]\n";
    for (files, expected) in [
        (&[("inventory.ini", INI)][..], "inventory.ini"),
        (
            &[("inventory.ini", INI), ("hosts.yaml", YAML)],
            "inventory.ini",
        ),
        (&[("inventory.ini", sample), ("hosts.yaml", YAML)], ""),
        (&[("hosts.yaml", YAML)], ""),
        (&[("inventory.ini", sample)], "inventory.ini"),
        (&[], "inventory.ini"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let found = kinstall::inventory::usual_path(folder.path());
        assert_eq!(found, Path::new(folder.path()).join(expected), "{files:?}");
    }
}

#[test]
fn misplaced_names_say_where_they_belong() {
    let text = "[all]\nn1 ip=10.0.0.11\n[kube_control_plane]\nn1\n[kube_node]\nn1\n[etcd]\nkube_control_plane\n";
    let found = load(&[("inventory.ini", text)]).unwrap_err();
    assert_eq!(
        found[0].message,
        "`kube_control_plane` is a group, but stands among the hosts of `[etcd]`"
    );
    assert_eq!(found[0].hints, ["did you mean `[etcd:children]`?"]);
    assert_eq!(found.iter().filter(|it| it.is_error()).count(), 1);
    let bastion = "[bastion]\nbastion\n[kube_control_plane]\nn1 ip=10.0.0.11\n[kube_node]\nn1\n";
    assert_eq!(spec(&[("inventory.ini", bastion)]).hosts.len(), 1);
    // Names that differ only in their number are two hosts, names that differ in a letter may be one.
    let text = "[kube_control_plane]\nnode1 ip=10.0.0.11\n[kube_node]\nnode2\nnoed1\n";
    assert_eq!(
        errors(&[("inventory.ini", text)]),
        "group `kube_node` has the unknown member `noed1`"
    );
}

#[test]
fn one_mistake_in_many_lines_is_one_message() {
    let lines = "n1 ansible_host=${ address of n1 }\n".repeat(6);
    let text = format!("[all]\n{lines}{REST}");
    let found = load(&[("inventory.ini", &text)]).unwrap_err();
    assert_eq!(found.len(), 1, "{}", messages(&found));
    assert_eq!(found[0].hints[1], "the same in the lines 3, 4, 5, 6, 7");
}

#[test]
fn notes_beside_variables_are_no_variables() {
    let note = "text\n";
    let files = [
        ("inventory.ini", INI),
        ("group_vars/README.md", note),
        ("group_vars/README", note),
        ("group_vars/k8s_cluster.yml.example", note),
        ("group_vars/old.yml.bak", note),
        ("group_vars/all.yml~", note),
        ("host_vars/n1.yml.orig", note),
        ("host_vars/n9.example.com.yml", "a: b\n"),
    ];
    assert!(
        warnings(&files).ends_with("is never read: the inventory has no host `n9.example.com`")
    );
    assert_eq!(warnings(&files).lines().count(), 1);
}
