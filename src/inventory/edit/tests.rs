//! Edits of inventories of every form: what is added, and that nothing else changes.

mod removal;

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use super::{Edit, NewHost, Removal, add, remove, replace};
use crate::diagnostic::Diagnostics;
use crate::inventory::{Inventory, Vault};

fn host(name: &str, variables: &[(&str, &str)]) -> NewHost {
    NewHost {
        name: name.to_owned(),
        variables: variables
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

fn new() -> NewHost {
    host("new", &[("ansible_host", "10.0.0.9"), ("ip", "10.0.0.9")])
}

struct Written {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn written(name: &str, text: &str) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    Written {
        _folder: folder,
        path,
    }
}

fn added(name: &str, text: &str, host: &NewHost, groups: &[&str]) -> Result<Edit, Diagnostics> {
    let groups: Vec<String> = groups.iter().map(|it| (*it).to_owned()).collect();
    add(&written(name, text).path, host, &groups)
}

/// Returns the lines that an edit adds, with a `+`, and takes away, with a `-`.
fn difference(edit: &Edit) -> String {
    let difference = similar::TextDiff::from_lines(&edit.before.text, &edit.after.text);
    let all = difference.iter_all_changes();
    let changed = all.filter(|change| change.tag() != similar::ChangeTag::Equal);
    let lines: Vec<String> = changed
        .map(|change| format!("{}{}", change.tag(), change.value()))
        .collect();
    lines.concat()
}

const LAB: &str = "\
# the lab
[all]
n1 ansible_host=10.0.0.1 ip=10.0.0.1
n2 ansible_host=10.0.0.2 ip=10.0.0.2   # the second

[all:vars]
ansible_user=root
[kube-master]
n1

[etcd]
n1
[kube-node]
n2
; end
[k8s-cluster:children]
kube-master
kube-node
";

const SAMPLE: &str = "\
[kube_control_plane]
n1 ansible_host=10.0.0.1 ip=10.0.0.1 etcd_member_name=etcd1

[etcd:children]
kube_control_plane

[kube_node]
  n2 ansible_host=10.0.0.2 ip=10.0.0.2";

const YAML: &str = "\
# the lab
all:
  vars: {ansible_user: root}
  hosts:
    n1:
      ansible_host: 10.0.0.1
      ip: 10.0.0.1 # one
    n2:
      ansible_host: 10.0.0.2
      ip: 10.0.0.2
  # groups

  children:
    kube_control_plane:
      hosts:
        n1:
    kube_node:
      hosts:
        n2:

    etcd:
      hosts: {n1: }
    k8s_cluster:
      children:
        kube_control_plane:
        kube_node:
";

#[test]
fn variables_go_where_the_others_have_theirs_and_names_to_the_groups() {
    let edit = added("i.ini", LAB, &new(), &["kube_node"]).unwrap();
    insta::assert_snapshot!(difference(&edit), @r"
    +new ansible_host=10.0.0.9 ip=10.0.0.9
    +new
    ");
    assert!(edit.after.text.contains("second\nnew ansible_host"));
    assert!(edit.after.text.contains("n2\nnew\n; end"));
    let edit = added("i.ini", LAB, &new(), &["kube_control_plane", "etcd"]).unwrap();
    assert!(edit.after.text.contains("[kube-master]\nn1\nnew\n"));
    assert!(edit.after.text.contains("[etcd]\nn1\nnew\n"));
}

#[test]
fn a_group_that_describes_its_hosts_gets_the_whole_line() {
    let edit = added("i.ini", SAMPLE, &new(), &["kube_node"]).unwrap();
    assert_eq!(
        edit.after.text,
        format!("{SAMPLE}\n  new ansible_host=10.0.0.9 ip=10.0.0.9")
    );
}

#[test]
fn a_group_that_is_missing_is_added_at_the_end() {
    let text = "[kube_control_plane]\r\nn1 ip=10.0.0.1\r\n";
    let edit = added("i.ini", text, &new(), &["kube_node"]).unwrap();
    assert_eq!(
        edit.after.text,
        format!("{text}\r\n[kube_node]\r\nnew ansible_host=10.0.0.9 ip=10.0.0.9\r\n")
    );
    let text =
        "all:\n  children:\n    kube_control_plane:\n      hosts:\n        n1: {ip: 10.0.0.1}\n";
    let edit = added("i.yaml", text, &new(), &["kube_node"]).unwrap();
    insta::assert_snapshot!(difference(&edit), @r"
    +    kube_node:
    +      hosts:
    +        new:
    +          ansible_host: 10.0.0.9
    +          ip: 10.0.0.9
    ");
}

#[test]
fn yaml_gets_entries_at_the_depth_of_the_others() {
    let edit = added("i.yaml", YAML, &new(), &["kube_node"]).unwrap();
    insta::assert_snapshot!(difference(&edit), @r"
    +    new:
    +      ansible_host: 10.0.0.9
    +      ip: 10.0.0.9
    +        new:
    ");
    assert!(edit.after.text.contains("10.0.0.2\n    new:"));
    assert!(edit.after.text.contains("        n2:\n        new:\n\n"));
}

#[test]
fn what_cannot_be_edited_is_refused_with_the_line_to_add() {
    let error = added("i.yaml", YAML, &new(), &["etcd"]).unwrap_err();
    assert!(error[0].message.contains("can't be edited"));
    assert_eq!(
        error[0].hints,
        [
            "add the host by hand, to [etcd], and run `kinstall up`: new ansible_host=10.0.0.9 ip=10.0.0.9"
        ]
    );
    let json =
        r#"{"all": {"hosts": {"n1": {}}, "children": {"kube_node": {"hosts": {"n1": {}}}}}}"#;
    added("i.json", json, &new(), &["kube_node"]).unwrap_err();
    let shared = "all:\n  children:\n    kube_node:\n      hosts: &hosts\n        n1:\n    other:\n      hosts: *hosts\n";
    added("i.yaml", shared, &new(), &["kube_node"]).unwrap_err();
    // Both would be another host than the one that was named.
    for name in ["n[3:4]", "a b", "x#y", "[all]"] {
        added("i.ini", LAB, &host(name, &[]), &["kube_node"]).unwrap_err();
    }
    let error = added("i.ini", LAB, &host("n2", &[]), &["kube_node"]).unwrap_err();
    assert_eq!(error[0].message, "the inventory has a host `n2` already");
}

#[test]
fn a_password_is_not_repeated() {
    let host = host("x#y", &[("ansible_password", "hunter2")]);
    let error = added("i.ini", LAB, &host, &["kube_node"]).unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[test]
fn a_host_takes_the_place_of_another_and_keeps_its_other_variables() {
    let file = written("i.ini", LAB);
    let edit = replace(
        &file.path,
        "n2",
        &host("n9", &[("ip", "10.0.0.9"), ("a", "b c")]),
    )
    .unwrap();
    insta::assert_snapshot!(difference(&edit), @r"
    -n2 ansible_host=10.0.0.2 ip=10.0.0.2   # the second
    +n9 ansible_host=10.0.0.2 ip=10.0.0.9 a='b c'   # the second
    -n2
    +n9
    ");
    let file = written("i.yaml", YAML);
    let edit = replace(
        &file.path,
        "n1",
        &host("n1", &[("ip", "10.0.0.9"), ("a", "b c")]),
    )
    .unwrap();
    insta::assert_snapshot!(difference(&edit), @r#"
    -      ip: 10.0.0.1 # one
    +      ip: 10.0.0.9 # one
    +      a: "b c"
    "#);
    let file = written("i.ini", "[kube_control_plane]\nn[1:3]\n");
    let error = replace(&file.path, "n2", &host("n9", &[])).unwrap_err();
    assert!(error[0].message.contains("`n2` stands in a range of hosts"));
}

/// Lines that may stand anywhere in an INI inventory, of sections that are whole.
fn ini() -> impl Strategy<Value = String> {
    let line = proptest::sample::select(&[
        "",
        "# a comment",
        "; n1 one",
        "[all]",
        "[all:vars]\nx = 1",
        "[kube_control_plane]\nn1 ip=10.0.0.1",
        "[kube-master]\nn1",
        "[kube_node]\nn2 a='b # c' # d\nn3",
        "[kube_node]",
        "[workers]\n n4  b=2 \n",
        "[workers]\n[kube_node:children]\nworkers",
        "[etcd]\nn[5:7] c={'d': 1}",
    ]);
    (proptest::collection::vec(line, 0..8), any::<bool>()).prop_map(|(lines, is_windows)| {
        let text = format!("[etcd]\n{}", lines.join("\n"));
        if is_windows {
            text.replace('\n', "\r\n")
        } else {
            text
        }
    })
}

fn yaml() -> impl Strategy<Value = String> {
    let part = proptest::sample::select(&[
        "  # a comment\n\n",
        "  vars:\n    x: |\n      text\n\n       more\n",
        "  hosts:\n    n1:\n      ip: 10.0.0.1\n\n    # n2\n    n2: {a: [1,\n      2]}\n",
        "  children:\n    kube_node:\n      hosts:\n          n2: # two\n          n3:\n    kube-master: {hosts: {n1: }}\n",
        "  children:\n      kube_control_plane:\n         hosts:\n            n1: {}\n      kube_node:\n",
    ]);
    (
        proptest::collection::vec(part, 0..4),
        "(---\n|# top\n\n)?",
        "(z:\n)?",
    )
        .prop_map(|(parts, head, tail)| format!("{head}all:\n{}{tail}", parts.concat()))
}

fn value() -> impl Strategy<Value = String> {
    "[ -~ä]{0,12}".prop_filter("one that a host line can hold", |it| !it.ends_with('\\'))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is accepted is the old text with something put into it, and the host is there as it was given.
    #[test]
    fn an_accepted_edit_only_adds_the_host(
        (name, text) in prop_oneof![
            ini().prop_map(|text| ("i.ini", text)),
            yaml().prop_map(|text| ("i.yaml", text)),
        ],
        value in value(),
        group in proptest::sample::select(&["kube_node", "kube_control_plane", "etcd"]),
    ) {
        let folder = written(name, &text);
        let new = host("new", &[("ip", "10.0.0.9"), ("given", &value)]);
        let groups = [group.to_owned()];
        if let Ok(edit) = add(&folder.path, &new, &groups) {
            prop_assert_eq!(&edit.before.text, &text);
            let mut rest = edit.after.text.chars();
            let is_kept = text.chars().all(|letter| rest.any(|it| it == letter));
            prop_assert!(is_kept, "{}", edit.after.text);
            fs::write(&folder.path, &edit.after.text).unwrap();
            let mut said = Diagnostics::new();
            let files = super::files::find(&folder.path, &[], &mut said).unwrap();
            let read = Inventory::of(&files, Vault::default(), &mut said).unwrap();
            prop_assert_eq!(read.hosts["new"].variables["ip"].value.text(), Some("10.0.0.9"));
            prop_assert!(read.hosts_in(group).iter().any(|it| it.name == "new"));
            // And it can be replaced again by itself, which changes nothing.
            let same = replace(&folder.path, "new", &host("new", &[])).unwrap();
            prop_assert_eq!(&same.after.text, &edit.after.text);
            // And it goes again, without anything of what was there before.
            let Removal::Edited(gone) = remove(&folder.path, &["new"]).unwrap() else {
                panic!("it can't be taken out: {}", edit.after.text);
            };
            let mut rest = gone[0].after.text.chars();
            let is_kept = text.chars().all(|letter| rest.any(|it| it == letter));
            prop_assert!(is_kept, "{}", gone[0].after.text);
        }
    }
}

#[test]
fn the_usual_forms_are_all_accepted() {
    for (name, text) in [("i.ini", LAB), ("i.ini", SAMPLE), ("i.yaml", YAML)] {
        for groups in [
            &["kube_node"][..],
            &["kube_control_plane"],
            &["kube_node", "kube_control_plane"],
        ] {
            added(name, text, &new(), groups).unwrap();
        }
    }
}
