//! etcd on hosts of its own: they are no nodes, any of them may go, and its data is never begun anew.

use serde_json::Value;

use super::kinstall::{Kinstall, eventually};

/// `e1` and `e2` run etcd and nothing else, `w1` beside workloads.
const INVENTORY: &str = "\
[all]
cp1 ip=192.168.56.11
e1 ip=192.168.56.31
e2 ip=192.168.56.32
w1 ip=192.168.56.21

[kube_control_plane]
cp1

[etcd]
e1
e2
w1

[kube_node]
w1

[all:vars]
cluster_name=apart
kinstall_provider=container
kinstall_egress=false
";

const BACKUP: [&str; 5] = [
    "etcd",
    "backup",
    "apart.tar.age",
    "--passphrase-file",
    "passphrase",
];

#[test]
#[ignore = "needs root and a bundle: `./test lifecycle`"]
fn etcd_on_hosts() {
    let lab = Kinstall::with_inventory(INVENTORY);
    lab.ok(&["up"]);
    eventually("all nodes are ready", 60, || {
        lab.run(&["status"]).output.status.success()
    });
    assert_eq!(voters(&lab), ["e1", "e2", "w1"]);
    let nodes = on_cp1(&lab, "kubectl get nodes -o name");
    assert_eq!(nodes.lines().collect::<Vec<_>>(), ["node/cp1", "node/w1"]);
    lab.changes_nothing();
    let status = lab.ok(&["status"]);
    assert_eq!(status.matches("healthy").count(), 3, "{status}");
    let found = lab.ok(&["ssh", "e1", "--", "ls", "/usr/local/bin"]);
    assert!(!found.contains("kubelet"), "{found}");
    on_cp1(
        &lab,
        "kubectl create configmap kept --from-literal=value=old",
    );

    it_is_backed_up(&lab);
    lab.ok(&["etcd", "defrag", "--yes"]);
    it_does_not_move(&lab);
    a_member_without_its_data_joins_again(&lab);
    a_dead_one_goes_and_comes_back(&lab);
    lab.ok(&["verify", "--quick"]);

    lab.ok(&["reset", "--yes"]);
    let left = on(
        &lab,
        "e1",
        "ls -A /var/lib/etcd-data; systemctl is-active etcd; true",
    );
    assert_eq!(left.trim(), "inactive");
    lab.ok(&["down", "--yes"]);
}

fn it_is_backed_up(lab: &Kinstall) {
    std::fs::write(lab.path("passphrase"), "open sesame\n").unwrap();
    let told = lab.ok(&BACKUP);
    assert!(told.contains("cp1"), "{told}");
    lab.ok(&[&BACKUP[..], &["--verify"]].concat());
    on_cp1(lab, "systemctl start kinstall-etcd-snapshot.service");
    let status: Value =
        serde_json::from_str(&lab.ok(&["etcd", "status", "--output", "json"])).unwrap();
    assert!(status["saved"]["keys"].as_u64() > Some(0), "{status}");
    let mut restore = BACKUP.to_vec();
    restore[1] = "restore";
    let refused = lab.run(&[&restore[..], &["--yes"]].concat());
    refused.expect_code(4);
    let said = refused.stderr();
    assert!(
        said.contains("the inventory has its etcd on hosts of its own"),
        "{said}"
    );
}

fn it_does_not_move(lab: &Kinstall) {
    lab.edit("inventory.ini", "[etcd]\ne1\ne2\nw1", "[etcd]\ncp1");
    lab.edit(
        "inventory.ini",
        "[kube_node]\nw1",
        "[kube_node]\nw1\ne1\ne2",
    );
    let refused = lab.run(&["up", "--yes"]);
    refused.expect_code(3);
    let said = refused.stderr();
    let reason = "etcd of this cluster runs as a service of e1, e2, w1";
    assert!(said.contains(reason), "{said}");
    std::fs::write(lab.path("inventory.ini"), INVENTORY).unwrap();
    lab.changes_nothing();
}

/// A second cluster would be the end of the first one.
fn a_member_without_its_data_joins_again(lab: &Kinstall) {
    let lose = "systemctl stop etcd; rm -r /var/lib/etcd-data/member; systemctl start etcd; sleep 6; \
        systemctl is-active etcd; true";
    assert_eq!(on(lab, "e1", lose).trim(), "activating");
    writes_work(lab);
    lab.ok(&["up"]);
    assert_eq!(voters(lab), ["e1", "e2", "w1"]);
    let kept = on_cp1(lab, "kubectl get configmap kept -o jsonpath={.data.value}");
    assert_eq!(kept, "old");
    lab.changes_nothing();
}

fn a_dead_one_goes_and_comes_back(lab: &Kinstall) {
    lab.ok(&["halt", "e2"]);
    writes_work(lab);
    let refused = lab.run(&["node", "remove", "--yes", "e1"]);
    refused.expect_code(1);
    let said = refused.stderr();
    assert!(said.contains("member e2 does not answer"), "{said}");
    lab.ok(&["node", "remove", "--yes", "e2"]);
    assert_eq!(voters(lab), ["e1", "w1"]);
    lab.ok(&["down", "--yes", "e2"]);
    lab.ok(&["up", "--yes"]);
    writes_work(lab);

    std::fs::write(lab.path("inventory.ini"), INVENTORY).unwrap();
    lab.ok(&["up"]);
    assert_eq!(voters(lab), ["e1", "e2", "w1"]);
    // A live one leaves, and joins again.
    lab.ok(&["node", "remove", "--yes", "e1"]);
    assert_eq!(voters(lab), ["e2", "w1"]);
    std::fs::write(lab.path("inventory.ini"), INVENTORY).unwrap();
    lab.ok(&["up"]);
    assert_eq!(voters(lab), ["e1", "e2", "w1"]);
    lab.changes_nothing();
}

fn writes_work(lab: &Kinstall) {
    on_cp1(
        lab,
        "kubectl create configmap written && kubectl delete configmap written",
    );
}

fn on_cp1(lab: &Kinstall, line: &str) -> String {
    on(lab, "cp1", line)
}

fn on(lab: &Kinstall, host: &str, line: &str) -> String {
    lab.ok(&["ssh", host, "--", "sudo", "sh", "-c", &format!("'{line}'")])
}

/// Names of the members of etcd that vote, all of which have to be well.
fn voters(lab: &Kinstall) -> Vec<String> {
    let status = lab.ok(&["etcd", "status", "--output", "json"]);
    let status: Value = serde_json::from_str(&status).unwrap();
    let members = status["members"].as_array().unwrap().iter();
    members
        .filter(|it| it["learner"] == false)
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}
