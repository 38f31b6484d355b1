//! `kill -9` of kinstall in the middle of an install: the next `up` ends in the same cluster.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::cluster;
use super::kinstall::Kinstall;

/// The steps of the control plane at whose start kinstall is killed, in the order of an install: every `up` goes on
/// where the one before stopped, so the nine points spread from the first files to the last add-ons. The other hosts
/// are at whatever they are at then. What precedes `init` must leave time for the kill: the agent ends an `init`
/// that has begun, and then nobody starts it again.
const KILLED_AT: [&str; 9] = [
    "programs//usr/local/bin/kube",
    "containerd/service",
    "images/kube-proxy",
    "images/etcd",
    "kubelet/settings",
    "control-plane/init",
    "kube-proxy/objects",
    "metallb/objects",
    "ingress/objects",
];

#[test]
#[ignore = "needs root and a bundle: `./test clusters`"]
fn an_install_killed_at_nine_points_ends_in_the_same_cluster() {
    let lab = Kinstall::with_the_lab_inventory();
    for step in KILLED_AT {
        up_until_killed(&lab, step);
    }
    lab.ok(&["up"]);
    cluster::works(&lab);
    lab.run(&["plan"]).expect_code(0);
}

/// Starts `up` and kills it when a step starts on the control plane.
fn up_until_killed(lab: &Kinstall, step: &str) {
    let mut child = lab
        .command(&["up", "--output", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let started = lines.any(|line| starts(&line.unwrap(), step));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(started, "{step} was never started");
}

/// Reads a line of JSON output.
fn starts(line: &str, step: &str) -> bool {
    let event: Value = serde_json::from_str(line).unwrap_or_default();
    let told = &event["agent"]["event"]["Step"];
    event["agent"]["host"] == "controll-plane" && told["id"] == step && told["state"] == "Started"
}
