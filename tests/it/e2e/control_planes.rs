//! Three control planes and a worker: they come up in one run, and any of them may go.

use std::process::{Child, Stdio};

use super::kinstall::{Kinstall, eventually};
use super::{encryption, etcd};

pub const INVENTORY: &str = "\
[all]
cp1 ip=192.168.56.11
cp2 ip=192.168.56.12
cp3 ip=192.168.56.13
w1 ip=192.168.56.21

[kube_control_plane]
cp1
cp2
cp3

[etcd]
cp1
cp2
cp3

[kube_node]
w1

[all:vars]
cluster_name=ha
kinstall_provider=container
kinstall_egress=false
";

/// A request to the API of a new connection each, through the worker's own proxy and with the kubeconfig CONFIG, as often as it can
/// until a file is there; prints how many failed and the longest time without an answer, in milliseconds. Not for the readiness
/// of an API server, which one that ends gives up seconds before.
const WATCH: &str = "\
failed=0; longest=0; last=$(date +%s%3N)
until [ -e /run/watched ]; do
  if kubectl --kubeconfig CONFIG --request-timeout=5s get --raw /api/v1/nodes/w1 > /dev/null 2>&1; then
    now=$(date +%s%3N); gap=$((now - last)); last=$now
    [ $gap -gt $longest ] && longest=$gap
  else failed=$((failed + 1)); fi
  sleep 0.1
done
rm /run/watched
echo $failed $longest";

#[test]
#[ignore = "needs root and a bundle: `./test clusters`"]
fn any_control_plane_may_go() {
    let lab = Kinstall::with_inventory(INVENTORY);
    lab.ok(&["up"]);
    eventually("all nodes are ready", 60, || {
        ready(&lab, "cp2") == ["cp1", "cp2", "cp3", "w1"]
    });
    assert_eq!(voters(&lab, "cp2"), ["cp1", "cp2", "cp3"]);
    lab.changes_nothing();
    the_proxy_is_small(&lab);
    etcd::data_comes_back_from_a_backup(&lab, "cp2");
    lab.ok(&["etcd", "defrag", "--yes"]);
    encryption::gets_a_new_key(&lab);

    settings_change_on_one_after_another(&lab);

    // The one that ran init loses its power.
    let watch = watched(&lab);
    lab.ok(&["halt", "cp1"]);
    eventually("only cp1 is missed", 120, || {
        ready(&lab, "cp2") == ["cp2", "cp3", "w1"]
    });
    longest_gap_is_below(10_000, &lab, watch);
    let kubeconfig = lab.path(".kinstall/kubeconfig");
    assert!(kubeconfig.exists());

    // Alive ones don't leave while it is dead; it does.
    let refused = lab.run(&["node", "remove", "--yes", "cp2"]);
    refused.expect_code(1);
    assert!(
        refused.stderr().contains("member cp1 does not answer"),
        "{}",
        refused.stderr()
    );
    lab.ok(&["node", "remove", "--yes", "cp1"]);
    assert_eq!(voters(&lab, "cp2"), ["cp2", "cp3"]);
    eventually("its node is gone", 30, || {
        ready(&lab, "cp2") == ["cp2", "cp3", "w1"]
    });
    let nodes = kubectl(&lab, "cp2", &["get", "nodes", "-o", "name"]);
    assert!(!nodes.contains("cp1"), "{nodes}");
    let inventory = std::fs::read_to_string(lab.path("inventory.ini")).unwrap();
    let lines = INVENTORY.lines().filter(|line| !line.starts_with("cp1"));
    assert!(inventory.lines().eq(lines), "{inventory}");

    // It is there again, and switched on with all that it had: it is no member, and nothing is done as if it were.
    std::fs::write(lab.path("inventory.ini"), INVENTORY).unwrap();
    lab.ok(&["start", "cp1"]);
    let refused = lab.run(&["up"]);
    refused.expect_code(4);
    assert!(
        refused
            .stderr()
            .contains("`cp1` is no member of the cluster any more"),
        "{}",
        refused.stderr()
    );
    lab.ok(&["reset", "--yes", "cp1"]);

    // It comes back as a new member, and a live worker leaves.
    lab.ok(&["up"]);
    assert_eq!(voters(&lab, "cp3"), ["cp1", "cp2", "cp3"]);
    lab.ok(&["node", "remove", "--yes", "w1"]);
    let nodes = kubectl(&lab, "cp3", &["get", "nodes", "-o", "name"]);
    assert!(!nodes.contains("w1"), "{nodes}");
}

/// Without waiting for the new ones, all API servers would be away at once.
fn settings_change_on_one_after_another(lab: &Kinstall) {
    let watch = watched(lab);
    let changed = format!("{INVENTORY}kube_apiserver_node_port_range=30000-32000\n");
    std::fs::write(lab.path("inventory.ini"), changed).unwrap();
    lab.ok(&["up"]);
    longest_gap_is_below(10_000, lab, watch);
    for name in ["cp1", "cp2", "cp3"] {
        let command = "tr '\\0' ' ' < /proc/$(pgrep -x kube-apiserver)/cmdline";
        let arguments = lab.ok(&["ssh", name, "--", command]);
        assert!(
            arguments.contains("--service-node-port-range=30000-32000"),
            "{name}: {arguments}"
        );
    }
    eventually("all of them are ready", 60, || {
        let pods = [
            "-n",
            "kube-system",
            "get",
            "pods",
            "-o",
            "wide",
            "--no-headers",
        ];
        let pods = kubectl(
            lab,
            "cp2",
            &[&pods[..], &["-l", "tier=control-plane"]].concat(),
        );
        pods.lines().count() == 12 && pods.lines().all(|pod| pod.contains(" 1/1 "))
    });
    // Back again when one of them leaves.
    std::fs::write(lab.path("inventory.ini"), INVENTORY).unwrap();
}

/// Begins to ask for the API on the worker.
pub fn watched(lab: &Kinstall) -> Child {
    watched_as(lab, "/etc/kubernetes/kubelet.conf")
}

/// The same with another kubeconfig on the worker.
pub fn watched_as(lab: &Kinstall, kubeconfig: &str) -> Child {
    let watch = WATCH.replace("CONFIG", kubeconfig);
    lab.command(&["ssh", "w1", "--", "sudo", "sh", "-c", &format!("'{watch}'")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn longest_gap_is_below(milliseconds: u64, lab: &Kinstall, watch: Child) {
    let watched = what_was_watched(lab, watch);
    let longest: u64 = watched.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(longest < milliseconds, "{watched}");
}

/// Ends it; returns what it has printed.
pub fn what_was_watched(lab: &Kinstall, watch: Child) -> String {
    lab.ok(&["ssh", "w1", "--", "sudo", "touch", "/run/watched"]);
    let watched = watch.wait_with_output().unwrap();
    let watched = String::from_utf8(watched.stdout).unwrap();
    eprintln!("failed requests, longest gap in ms: {watched}");
    watched
}

fn the_proxy_is_small(lab: &Kinstall) {
    let command = "grep VmRSS: /proc/$(systemctl show -P MainPID kinstall-api-proxy)/status";
    let memory = lab.ok(&["ssh", "w1", "--", command]);
    eprintln!("the proxy: {}", memory.trim());
    let kib: u64 = memory.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kib < 32 << 10, "{memory}");
}

pub fn kubectl(lab: &Kinstall, through: &str, arguments: &[&str]) -> String {
    lab.ok(&[&["ssh", through, "--", "sudo", "kubectl"], arguments].concat())
}

pub fn ready(lab: &Kinstall, through: &str) -> Vec<String> {
    let nodes = kubectl(lab, through, &["get", "nodes", "--no-headers"]);
    nodes
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let name = words.next()?;
            words
                .next()?
                .split(',')
                .any(|it| it == "Ready")
                .then(|| name.to_owned())
        })
        .collect()
}

/// The members of etcd that vote, by name.
pub fn voters(lab: &Kinstall, through: &str) -> Vec<String> {
    let members = members(lab, through).into_iter();
    let voters = members.filter(|(_, is_learner)| !is_learner);
    voters.map(|(name, _)| name).collect()
}

/// The members of etcd by name, and whether they are learners.
pub fn members(lab: &Kinstall, through: &str) -> Vec<(String, bool)> {
    let etcdctl = format!(
        "exec -n kube-system etcd-{through} -- etcdctl --cacert /etc/kubernetes/pki/etcd/ca.crt \
         --cert /etc/kubernetes/pki/etcd/server.crt --key /etc/kubernetes/pki/etcd/server.key \
         member list --write-out json"
    );
    let words: Vec<&str> = etcdctl.split_whitespace().collect();
    let list: serde_json::Value = serde_json::from_str(&kubectl(lab, through, &words)).unwrap();
    let members = list["members"].as_array().unwrap().iter();
    let mut found: Vec<(String, bool)> = members
        .map(|member| {
            let name = member["name"].as_str().unwrap_or_default().to_owned();
            (name, member["isLearner"] == true)
        })
        .collect();
    found.sort();
    found
}
