//! Hosts that go: which lines they take with them, and what is said where they can't.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::super::{Edit, Removal, remove};
use super::{LAB, SAMPLE, YAML, difference, written};

/// Returns the only file that changes.
fn removed(path: &Path, names: &[&str]) -> Edit {
    match remove(path, names).unwrap() {
        Removal::Edited(mut edits) if edits.len() == 1 => edits.remove(0),
        other => panic!("{other:?}"),
    }
}

#[test]
fn hosts_go_with_their_lines_and_nothing_else() {
    let file = written("i.ini", LAB);
    insta::assert_snapshot!(difference(&removed(&file.path, &["n2"])), @r"
    -n2 ansible_host=10.0.0.2 ip=10.0.0.2   # the second
    -n2
    ");
    insta::assert_snapshot!(difference(&removed(&file.path, &["n1", "n2"])), @r"
    -n1 ansible_host=10.0.0.1 ip=10.0.0.1
    -n2 ansible_host=10.0.0.2 ip=10.0.0.2   # the second
    -n1
    -n1
    -n2
    ");
    let file = written("i.ini", SAMPLE);
    insta::assert_snapshot!(difference(&removed(&file.path, &["n2"])), @"-  n2 ansible_host=10.0.0.2 ip=10.0.0.2");
    let yaml = YAML.replace("hosts: {n1: }", "hosts:\n        n1:");
    let file = written("i.yaml", &yaml);
    insta::assert_snapshot!(difference(&removed(&file.path, &["n1"])), @r"
    -    n1:
    -      ansible_host: 10.0.0.1
    -      ip: 10.0.0.1 # one
    -        n1:
    -        n1:
    ");
    insta::assert_snapshot!(difference(&removed(&file.path, &["n2"])), @r"
    -    n2:
    -      ansible_host: 10.0.0.2
    -      ip: 10.0.0.2
    -        n2:
    ");
}

#[test]
fn a_host_goes_from_all_files_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "inventory.ini",
        "[all]\nn1 ip=10.0.0.1\nn2 ip=10.0.0.2\n[kube_control_plane]\nn1\n",
    );
    write("more.yml", "kube_node:\n  hosts:\n    n1:\n    n2: # two\n");
    write("other.ini", "[etcd]\nn1\n");
    let Removal::Edited(edits) = remove(folder.path(), &["n2"]).unwrap() else {
        panic!("it can be edited");
    };
    let changes: Vec<String> = edits.iter().map(difference).collect();
    assert_eq!(changes, ["-n2 ip=10.0.0.2\n", "-    n2: # two\n"]);
}

#[test]
fn what_cannot_be_taken_out_is_named_with_its_lines() {
    let shared = "all:\n  children:\n    kube_node:\n      hosts: &hosts\n        n1:\n        n2:\n    other:\n      hosts: *hosts\n      vars: {a: *hosts}\n";
    let mut said = String::new();
    for (name, text) in [
        ("i.ini", "[kube_node]\nn[1:3]\n[etcd]\nn2\n"),
        ("i.yaml", YAML),
        ("i.yaml", shared),
    ] {
        let file = written(name, text);
        let host = if text == YAML { "n1" } else { "n2" };
        let Removal::ByHand(warning) = remove(&file.path, &[host]).unwrap() else {
            panic!("{text}");
        };
        let folder = format!("{}/", file.path.parent().unwrap().display());
        let hints = warning.hints.join("; ").replace(&folder, "");
        let _ = writeln!(said, "{}\n  {hints}", warning.message);
    }
    insta::assert_snapshot!(said);
}
