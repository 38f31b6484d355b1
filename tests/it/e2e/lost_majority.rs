//! Two of three control planes are gone for good: what the third one knows is the cluster from then on.

use super::control_planes::{INVENTORY, kubectl, ready, voters};
use super::kinstall::{Finished, Kinstall, eventually};

const FILE: [&str; 3] = ["lab.tar.age", "--passphrase-file", "passphrase"];

#[test]
#[ignore = "needs root and a bundle: `./test lifecycle`"]
fn the_survivor_carries_the_cluster_on() {
    let lab = Kinstall::with_inventory(INVENTORY);
    lab.ok(&["up"]);
    std::fs::write(lab.path("passphrase"), "open sesame\n").unwrap();
    let refused = etcd(&lab, "backup", &["--from-survivor"]);
    refused.expect_code(4);
    let said = refused.stderr();
    assert!(said.contains("has a leader"), "{said}");

    create(&lab, "last");
    lab.ok(&["halt", "cp2", "cp3"]);
    let refused = etcd(&lab, "backup", &[]);
    refused.expect_code(1);
    let said = refused.stderr();
    assert!(said.contains("--from-survivor"), "{said}");
    // One that starts without a majority doesn't even serve.
    let kill = "kill -9 $(pidof etcd)";
    lab.ok(&["ssh", "cp1", "--", "sudo", "sh", "-c", &format!("'{kill}'")]);
    let told = etcd(&lab, "backup", &["--from-survivor"]).expect_code(0);
    assert!(told.contains("cp1"), "{told}");

    let refused = etcd(&lab, "restore", &["--yes"]);
    refused.expect_code(5);
    let said = refused.stderr();
    assert!(said.contains("--lost"), "{said}");
    let refused = etcd(&lab, "restore", &["--yes", "--lost", "w1,cp1,cp2"]);
    refused.expect_code(4);
    let said = refused.stderr();
    assert!(said.contains("--lost w1: it is no control plane"), "{said}");
    assert!(said.contains("cp1 is not lost"), "{said}");
    etcd(&lab, "restore", &["--plan", "--lost", "cp2,cp3"]).expect_code(2);
    let started = std::time::Instant::now();
    etcd(&lab, "restore", &["--yes", "--lost", "cp2,cp3"]).expect_code(0);
    eprintln!("restored in {} s", started.elapsed().as_secs());

    kubectl(&lab, "cp1", &["get", "configmap", "last"]);
    create(&lab, "later");
    assert_eq!(voters(&lab, "cp1"), ["cp1"]);
    for command in [&["start"][..], &["start", "cp2"], &["up", "--yes"]] {
        let refused = lab.run(command);
        refused.expect_code(4);
        let said = refused.stderr();
        assert!(said.contains("etcd was restored without cp2"), "{said}");
    }
    lab.ok(&["node", "remove", "--yes", "cp2", "cp3"]);
    lab.ok(&["up", "--yes"]);
    lab.changes_nothing();
    eventually("what is left is ready", 60, || {
        ready(&lab, "cp1") == ["cp1", "w1"]
    });

    std::fs::write(lab.path("inventory.ini"), INVENTORY).unwrap();
    lab.ok(&["up"]);
    assert_eq!(voters(&lab, "cp2"), ["cp1", "cp2", "cp3"]);
    kubectl(&lab, "cp3", &["get", "configmap", "last", "later"]);
    lab.ok(&["down", "--yes"]);
}

fn etcd(lab: &Kinstall, command: &str, options: &[&str]) -> Finished {
    lab.run(&[&["etcd", command][..], &FILE, options].concat())
}

fn create(lab: &Kinstall, name: &str) {
    kubectl(lab, "cp1", &["create", "configmap", name]);
}
