//! Five control planes come up in one run, leave and come back under load, and become three when two are dead.

use std::fmt::Write as _;
use std::process::Stdio;

use serde_json::Value;

use super::control_planes::{ready, voters};
use super::kinstall::{Kinstall, Started, eventually};

const ALL: [&str; 7] = ["cp1", "cp2", "cp3", "cp4", "cp5", "w1", "w2"];

#[test]
#[ignore = "needs root and a bundle: `./test lifecycle`"]
fn five_control_planes_come_and_go() {
    let lab = Kinstall::with_inventory(&inventory(&ALL));
    lab.ok(&["up"]);
    all_are_there(&lab, &ALL);

    let watch = lab
        .command(&["verify", "--watch", "--output", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut watch = Started::of(watch);
    watch.wait_for("Watching");
    // The one that ran init, and two at once.
    lab.ok(&["node", "remove", "--yes", "cp1"]);
    lab.ok(&["node", "remove", "--yes", "cp4", "w2"]);
    all_are_there(&lab, &["cp2", "cp3", "cp5", "w1"]);
    std::fs::write(lab.path("inventory.ini"), inventory(&ALL)).unwrap();
    lab.ok(&["up"]);
    let text = watch.interrupted();
    all_are_there(&lab, &ALL);
    let availability: Value = serde_json::from_str(&text).unwrap();
    eprintln!("while nodes left and came: {text}");
    let failed = |path: &str, connections: &str| {
        let paths = availability["paths"].as_array().unwrap();
        let mut found = paths.iter();
        let found = found.find(|it| it["path"] == path && it["connections"] == connections);
        found.unwrap_or_else(|| panic!("{path}: {text}"))["failed"].clone()
    };
    assert_eq!(failed("API proxy of w1", "writes"), 0, "{text}");
    assert_eq!(failed("Service of two Pods", "new"), 0, "{text}");

    lab.ok(&["halt", "cp2", "cp5"]);
    eventually("two are missed", 180, || {
        ready(&lab, "cp3") == ["cp1", "cp3", "cp4", "w1", "w2"]
    });
    lab.ok(&["node", "remove", "--yes", "cp2", "cp5"]);
    all_are_there(&lab, &["cp1", "cp3", "cp4", "w1", "w2"]);
}

fn all_are_there(lab: &Kinstall, nodes: &[&str]) {
    eventually("all nodes are ready, and no other is there", 120, || {
        ready(lab, "cp3") == nodes
    });
    let control_planes = nodes.iter().filter(|name| name.starts_with("cp"));
    let control_planes: Vec<&str> = control_planes.copied().collect();
    assert_eq!(voters(lab, "cp3"), control_planes);
    lab.changes_nothing();
}

fn inventory(nodes: &[&str]) -> String {
    let (control_planes, workers): (Vec<&str>, Vec<&str>) =
        nodes.iter().partition(|name| name.starts_with("cp"));
    let mut text = "[all]\n".to_owned();
    for (number, name) in nodes.iter().enumerate() {
        let _ = writeln!(text, "{name} ip=192.168.56.{}", 11 + number);
    }
    for (group, names) in [
        ("kube_control_plane", &control_planes),
        ("etcd", &control_planes),
        ("kube_node", &workers),
    ] {
        let _ = writeln!(text, "\n[{group}]\n{}", names.join("\n"));
    }
    text + "\n[all:vars]\ncluster_name=five\nkinstall_provider=container\nkinstall_egress=false\n"
}
