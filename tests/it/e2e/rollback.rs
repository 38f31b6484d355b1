//! Three control planes move to the next version, one of them is lost, and the others go back without it.

use super::control_planes::{INVENTORY, kubectl, ready, voters, watched, what_was_watched};
use super::kinstall::{Kinstall, eventually};

const VERSION: &str = "kube_version=1.36\n";

#[test]
#[ignore = "needs root and a bundle with two releases: `./test upgrade`"]
fn a_control_plane_that_is_lost_after_an_upgrade_is_left_behind() {
    let lab = Kinstall::with_inventory(&format!("{INVENTORY}{VERSION}"));
    lab.ok(&["up"]);
    kubectl(&lab, "cp1", &["create", "configmap", "before"]);

    lab.edit("inventory.ini", VERSION, "kube_version=1.37\n");
    let watch = watched(&lab);
    lab.ok(&["upgrade", "--yes"]);
    let watched = what_was_watched(&lab, watch);
    let longest: u64 = watched.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(longest < 10_000, "{watched}");
    assert_eq!(kubelets(&lab), "v1.37.2 v1.37.2 v1.37.2 v1.37.2");
    kubectl(&lab, "cp1", &["create", "configmap", "after"]);
    for name in ["cp1", "cp2", "cp3"] {
        let files = lab.ok(&["ssh", name, "--", "sudo", "ls", "/var/lib/kinstall/etcd"]);
        assert!(files.contains("before-1.37.2.json"), "{name}: {files}");
    }

    // It was the first to move.
    lab.ok(&["halt", "cp1"]);
    let refused = lab.run(&["upgrade", "rollback", "--yes"]);
    refused.expect_code(5);
    let said = refused.stderr();
    assert!(said.contains("`--lost NODE`"), "{said}");
    let refused = lab.run(&["upgrade", "rollback", "--lost", "cp2", "--yes"]);
    refused.expect_code(4);
    let said = refused.stderr();
    assert!(said.contains("cp2 is not lost"), "{said}");
    let back = ["upgrade", "rollback", "--lost", "cp1"];
    lab.run(&[&back[..], &["--plan"]].concat()).expect_code(2);
    let back = lab.run(&[&back[..], &["--yes"]].concat());
    back.expect_code(0);
    let said = back.stderr();
    assert!(said.contains("`kinstall node remove cp1`"), "{said}");
    assert_eq!(voters(&lab, "cp2"), ["cp2", "cp3"]);
    let refused = lab.run(&["start", "cp1"]);
    refused.expect_code(4);

    lab.edit("inventory.ini", "kube_version=1.37\n", "");
    lab.ok(&["node", "remove", "--yes", "cp1"]);
    lab.ok(&["up", "--yes"]);
    lab.changes_nothing();
    eventually("what is left is ready", 60, || {
        ready(&lab, "cp2") == ["cp2", "cp3", "w1"]
    });
    assert_eq!(kubelets(&lab), "v1.36.3 v1.36.3 v1.36.3");
    let kept = kubectl(&lab, "cp2", &["get", "configmaps", "-o", "name"]);
    assert!(
        kept.contains("configmap/before") && !kept.contains("configmap/after"),
        "{kept}"
    );
    lab.ok(&["down", "--yes"]);
}

fn kubelets(lab: &Kinstall) -> String {
    let output = "'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'";
    kubectl(lab, "cp2", &["get", "nodes", "-o", output])
}
