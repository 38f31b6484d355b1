//! Hosts that come into the inventory are checked with the whole of it.

use std::fs;
use std::path::PathBuf;

use crate::diagnostic::Diagnostics;
use crate::install::inventory_edit::{InventoryEdit, InventoryRemoval, Role};
use crate::install::members::Members;
use crate::inventory::Vault;
use crate::inventory::edit::NewHost;

const INVENTORY: &str = "\
[all]
cp1 ansible_host=10.0.0.1 ip=10.0.0.1
n1 ansible_host=10.0.0.2 ip=10.0.0.2 node_labels=\"{'disk':'fast'}\"
[kube_control_plane]
cp1
[etcd]
cp1
[kube_node]
n1
";

const ETCD_ON_HOSTS: &str = "\
[all]
cp1 ansible_host=10.0.0.1 ip=10.0.0.1
cp2 ansible_host=10.0.0.2 ip=10.0.0.2
arbiter ansible_host=10.0.0.3 ip=10.0.0.3
n1 ansible_host=10.0.0.4 ip=10.0.0.4
[kube_control_plane]
cp1
cp2
[etcd]
cp1
cp2
arbiter
[kube_node]
n1
";

struct Inventory {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Inventory {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("inventory.ini");
        fs::write(&path, INVENTORY).unwrap();
        Self { folder, path }
    }

    fn add(&self, name: &str, words: &str, role: Role<'_>) -> Result<InventoryEdit, Diagnostics> {
        InventoryEdit::adding(&self.path, Vault::default(), &host(name, words), role)
    }

    fn replace(&self, old: &str, name: &str, words: &str) -> Result<InventoryEdit, Diagnostics> {
        InventoryEdit::replacing(&self.path, Vault::default(), old, &host(name, words))
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }
}

fn host(name: &str, words: &str) -> NewHost {
    let words = words
        .split_whitespace()
        .map(|it| it.split_once('=').unwrap());
    NewHost {
        name: name.to_owned(),
        variables: words
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
    }
}

fn message(result: Result<InventoryEdit, Diagnostics>) -> String {
    result.err().unwrap()[0].message.clone()
}

#[test]
fn a_worker_is_written_when_the_whole_inventory_is_right() {
    let inventory = Inventory::new();
    let words = "ansible_host=10.0.0.3 ip=10.0.0.3";
    let edit = inventory.add("n2", words, Role::Groups(&[])).unwrap();
    assert!(edit.project.cluster.host("n2").unwrap().roles.worker);
    assert_eq!(edit.file.lines(), [4, 11]);
    assert_eq!(inventory.text(), INVENTORY);
    edit.file.write().unwrap();
    assert!(inventory.text().ends_with("[kube_node]\nn1\nn2\n"));
    // What was read is not there any more.
    let errors = edit.file.write().unwrap_err();
    assert!(errors[0].message.contains("has just been changed"));
}

#[test]
fn a_control_plane_becomes_a_member_of_etcd_as_the_others_are() {
    let inventory = Inventory::new();
    let words = "ansible_host=10.0.0.3 ip=10.0.0.3";
    let edit = inventory.add("cp2", words, Role::ControlPlane).unwrap();
    let roles = edit.project.cluster.host("cp2").unwrap().roles;
    assert!(roles.control_plane && roles.etcd && !roles.worker);
    assert_eq!(edit.file.lines().len(), 3);
}

#[test]
fn what_would_be_wrong_is_refused_and_nothing_is_written() {
    let inventory = Inventory::new();
    let worker = Role::Groups(&[]);
    let refusals = [
        ("n1", "ip=10.0.0.3", "the inventory has a host `n1` already"),
        (
            "n2",
            "ip=10.0.0.2",
            "`n1` and `n2` have the same address 10.0.0.2",
        ),
        ("n2", "ip=10.0.0.3 ip=10.0.0.4", "`ip` is given twice"),
        ("n2", "i-p=10.0.0.3", "`i-p` can't be a variable's name"),
    ];
    for (name, words, expected) in refusals {
        assert_eq!(message(inventory.add(name, words, worker)), expected);
    }
    fs::create_dir(inventory.folder.path().join("host_vars")).unwrap();
    let own = inventory.folder.path().join("host_vars/n2.yml");
    fs::write(own, "ip: 10.0.0.7\n").unwrap();
    let found = inventory.add("n2", "ansible_host=10.0.0.3 ip=10.0.0.3", worker);
    assert_eq!(message(found), "`ip` of n2 is set in a file of its own");
    assert_eq!(inventory.text(), INVENTORY);
}

#[test]
fn a_replaced_host_keeps_what_is_not_the_machines_own() {
    let inventory = Inventory::new();
    let edit = inventory.replace("n1", "n2", "ansible_host=10.0.0.3 ip=10.0.0.3");
    let cluster = edit.unwrap().project.cluster;
    assert!(cluster.host("n1").is_none());
    let labels = &cluster.host("n2").unwrap().labels;
    assert_eq!(labels.get("disk").map(String::as_str), Some("fast"));
    let missing = inventory.replace("n1", "n2", "ansible_host=10.0.0.3");
    assert_eq!(
        message(missing),
        "`n1` has ip, and the new machine has none"
    );
    let only = inventory.replace("cp1", "cp2", "ansible_host=10.0.0.3 ip=10.0.0.3");
    assert!(message(only).contains("cp1 is the only control plane"));
    let taken = inventory.replace("n1", "cp1", "ansible_host=10.0.0.3 ip=10.0.0.3");
    assert_eq!(message(taken), "the inventory has a host `cp1` already");
}

#[test]
fn a_host_goes_if_the_inventory_is_right_without_it() {
    let inventory = Inventory::new();
    let removal =
        |name: &str| InventoryRemoval::of(&inventory.path, Vault::default(), &[name.to_owned()]);
    let Ok(InventoryRemoval::Edited(files)) = removal("n1") else {
        panic!("it can be edited");
    };
    assert_eq!(files[0].lost_lines(), [3, 9]);
    assert_eq!(inventory.text(), INVENTORY);
    files[0].write().unwrap();
    assert!(!inventory.text().contains("n1"));
    assert!(inventory.text().ends_with("[etcd]\ncp1\n[kube_node]\n"));
    let errors = removal("cp1").err().unwrap();
    assert!(errors[0].hints.join(" ").contains("would be without cp1"));
    // One that is known as a member only.
    assert!(matches!(removal("n7"), Ok(InventoryRemoval::Edited(files)) if files.is_empty()));
}

#[test]
fn a_host_stays_without_which_etcd_would_be_on_the_control_planes() {
    let inventory = Inventory::new();
    fs::write(&inventory.path, ETCD_ON_HOSTS).unwrap();
    let removal = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        InventoryRemoval::of(&inventory.path, Vault::default(), &names).map(drop)
    };
    removal(&["cp2"]).unwrap();
    removal(&["n1"]).unwrap();
    for names in [&["arbiter"][..], &["cp2", "arbiter"]] {
        let errors = removal(names).unwrap_err();
        let expected = format!(
            "without {} the inventory has etcd on its control planes, and it runs as a service of hosts",
            names.join(", ")
        );
        assert_eq!(errors[0].message, expected);
    }
    assert_eq!(inventory.text(), ETCD_ON_HOSTS);
}

#[test]
fn a_new_host_does_not_move_etcd() {
    let inventory = Inventory::new();
    let etcd = ["etcd".to_owned()];
    let words = "ansible_host=10.0.0.9 ip=10.0.0.9";
    let add = |role| inventory.add("x", words, role).map(|edit| edit.project);
    // Before there is a cluster, it may be anywhere.
    let project = add(Role::Groups(&etcd)).unwrap();
    assert!(project.cluster.etcd.on_hosts);
    let exists = || {
        Members::update(
            &project.directory,
            &project.cluster,
            &["cp1".to_owned()],
            &[],
        )
    };
    exists().unwrap();
    let errors = add(Role::Groups(&etcd)).err().unwrap();
    insta::assert_snapshot!(errors[0].message, @"with x the inventory has etcd as a service of hosts, and it runs on its control planes");
    let control_plane = ["kube_control_plane".to_owned()];
    add(Role::Groups(&control_plane)).err().unwrap();
    let project = add(Role::ControlPlane).unwrap();
    assert!(project.cluster.host("x").unwrap().roles.etcd);

    fs::write(&inventory.path, ETCD_ON_HOSTS).unwrap();
    let project = add(Role::ControlPlane).unwrap();
    assert!(!project.cluster.host("x").unwrap().roles.etcd);
}

#[test]
fn the_only_host_of_etcd_is_not_replaced() {
    let inventory = Inventory::new();
    let text = INVENTORY.replace("[etcd]\ncp1", "[etcd]\nn1");
    fs::write(&inventory.path, &text).unwrap();
    let replace = || inventory.replace("n1", "n2", "ansible_host=10.0.0.3 ip=10.0.0.3");
    let project = replace().unwrap().project;
    let mut cluster = project.cluster.clone();
    let host = cluster.hosts.iter_mut().find(|it| it.name == "n2");
    "n1".clone_into(&mut host.unwrap().name);
    let names = ["n1".to_owned()];
    Members::update(&project.directory, &cluster, &names, &[]).unwrap();
    replace().unwrap();
    Members::have_etcd(&project.directory, &names).unwrap();
    let refused = message(replace());
    assert!(
        refused.contains("none of the hosts in `[etcd]`"),
        "{refused}"
    );
    assert_eq!(inventory.text(), text);
}
