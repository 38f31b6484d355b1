//! The whole text of the messages for bad input, as the user sees it.

mod cluster;
mod files;
mod limits;
mod machines;
mod values;
mod variables;

use std::fs;

use kinstall::model;
use kinstall::ui::diagnostic::render;
use tempfile::TempDir;

/// A small right inventory to spoil.
const GOOD: &str = "\
[all]
node1 ansible_host=192.168.56.21 ip=192.168.56.21
node2 ansible_host=192.168.56.22 ip=192.168.56.22
controll-plane ansible_host=192.168.56.11 ip=192.168.56.11

[kube-master]
controll-plane

[etcd]
controll-plane

[kube-node]
node1
node2

[k8s-cluster:children]
kube-master
kube-node
";

/// Writes these files into a folder of their own.
fn written(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// Returns all messages for an inventory of these files; the first is the inventory itself.
fn messages(files: &[(&str, &str)]) -> String {
    let folder = written(files);
    let path = folder.path().join(files[0].0);
    let diagnostics = model::load(&path).map_or_else(|errors| errors, |(_, warnings)| warnings);
    let parts: Vec<String> = diagnostics
        .iter()
        // Nearly every inventory here gets it; it has a test of its own.
        .filter(|diagnostic| {
            !diagnostic
                .message
                .starts_with("kinstall installs flannel; ")
        })
        .map(|diagnostic| render(diagnostic, false))
        .collect();
    parts
        .join("\n\n")
        .replace(&format!("{}/", folder.path().display()), "")
}

/// Returns the messages for the good inventory with one text replaced.
fn spoiled(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    messages(&[("inventory.ini", &GOOD.replacen(from, to, 1))])
}

/// Returns the messages for the good inventory with variables for all hosts.
fn with_variables(text: &str) -> String {
    messages(&[("inventory.ini", GOOD), ("group_vars/all.yml", text)])
}
