//! The key that encrypts Secrets gets a successor: every Secret is written anew with it, and is readable meanwhile.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::control_planes::kubectl;
use super::kinstall::Kinstall;

/// Writes a Secret through one API server and reads it through each, until a file is there; prints what failed.
const WATCH: &str = "\
export KUBECONFIG=/etc/kubernetes/admin.conf; number=0
while true; do for writer in 11 12 13; do
  number=$((number + 1))
  kubectl --server https://192.168.56.$writer:6443 annotate secret rotated --overwrite number=$number > /dev/null || echo write $writer
  for reader in 11 12 13; do kubectl --server https://192.168.56.$reader:6443 get secret rotated > /dev/null || echo read $reader; done
  if [ -e /run/rotated ]; then rm /run/rotated; exit; fi
done; done 2>&1";

/// After a backup was made as `lab.tar.age`; on three control planes.
pub fn gets_a_new_key(lab: &Kinstall) {
    let secret = [
        "create",
        "secret",
        "generic",
        "rotated",
        "--from-literal=password=hunter2",
    ];
    kubectl(lab, "cp1", &secret);
    assert_eq!(stored(lab), ["key1"]);
    let watch = lab
        .command(&[
            "ssh",
            "cp2",
            "--",
            "sudo",
            "sh",
            "-c",
            &format!("'{WATCH}'"),
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();

    // All API servers read it, and it has just become the one that writes.
    let started = Instant::now();
    let mut rotation = lab
        .command(&["encryption", "rotate", "--yes"])
        .spawn()
        .unwrap();
    while numbers(lab) != [2, 1] {
        assert!(rotation.try_wait().unwrap().is_none(), "it ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    rotation.kill().unwrap();
    rotation.wait().unwrap();
    lab.ok(&["up"]);
    assert_eq!(configured(lab), ["key2", "key1"]);
    assert_eq!(numbers(lab), [2, 1]);

    lab.ok(&["encryption", "rotate", "--yes"]);
    assert_eq!(stored(lab), ["key2"]);
    assert_eq!(configured(lab), ["key2"]);
    lab.changes_nothing();
    lab.ok(&["ssh", "cp2", "--", "sudo", "touch", "/run/rotated"]);
    let failed = watch.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&failed.stdout), "");
    eprintln!("rotated in {} s", started.elapsed().as_secs());
    the_data_of_before_comes_back(lab);
}

/// A backup of before a rotation has what the old key encrypted; the next rotation encrypts it with the new one.
fn the_data_of_before_comes_back(lab: &Kinstall) {
    let started = Instant::now();
    let passphrase = ["--passphrase-file", "passphrase"];
    let restore = ["etcd", "restore", "lab.tar.age", "--yes"];
    lab.ok(&[&restore[..], &passphrase].concat());
    assert!(stored(lab).contains(&"key1".to_owned()));
    kubectl(lab, "cp1", &["get", "secret", "kept"]);
    lab.ok(&["up"]);
    assert_eq!(configured(lab), ["key2", "key1"]);
    lab.ok(&["encryption", "rotate", "--yes"]);
    assert_eq!(stored(lab), ["key2"]);
    assert_eq!(configured(lab), ["key2"]);
    eprintln!("restored and rotated in {} s", started.elapsed().as_secs());
}

/// The active keys in the file of the cluster's secrets; the one that writes first.
fn numbers(lab: &Kinstall) -> Vec<u64> {
    let secrets = std::fs::read(lab.path(".kinstall/secrets.json")).unwrap();
    let secrets: Value = serde_json::from_slice(&secrets).unwrap();
    let active = secrets["encryption_key"]["active"].as_array();
    let numbers = active.into_iter().flatten();
    numbers.map(|key| key["number"].as_u64().unwrap()).collect()
}

/// The names of the keys that all control planes have, in their order.
fn configured(lab: &Kinstall) -> Vec<String> {
    let of = |host: &str| {
        let path = "/etc/kubernetes/encryption/providers.yaml";
        let file = lab.ok(&["ssh", host, "--", "sudo", "cat", path]);
        let names = file
            .lines()
            .filter_map(|it| it.trim().strip_prefix("- name: "));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let all = ["cp1", "cp2", "cp3"].map(of);
    assert!(all.iter().all(|it| *it == all[0]), "{all:?}");
    all[0].clone()
}

/// The names of the keys that the Secrets in etcd are encrypted with, each once; every Secret has one.
fn stored(lab: &Kinstall) -> Vec<String> {
    let etcdctl = "kubectl exec --namespace kube-system etcd-cp1 -- etcdctl --cacert /etc/kubernetes/pki/etcd/ca.crt \
                   --cert /etc/kubernetes/pki/etcd/server.crt --key /etc/kubernetes/pki/etcd/server.key \
                   get --prefix /registry/secrets/";
    let on_cp1 = |script: String| lab.ok(&["ssh", "cp1", "--", "sudo", "sh", "-c", &script]);
    let keys = on_cp1(format!("'{etcdctl} --keys-only | grep -c registry'"));
    let marks = "grep --text --only-matching k8s:enc:secretbox:v1:key[0-9]*:";
    let marks = on_cp1(format!("'{etcdctl} --print-value-only | {marks}'"));
    let names = marks
        .lines()
        .map(|it| it.split(':').nth(4).unwrap().to_owned());
    let mut names: Vec<String> = names.collect();
    assert_eq!(names.len().to_string(), keys.trim(), "{marks}");
    names.sort();
    names.dedup();
    names
}
