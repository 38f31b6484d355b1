//! All authorities get successors: what both have signed is accepted, until the old ones go.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::control_planes::{INVENTORY, ready, voters, watched_as, what_was_watched};
use super::kinstall::{Kinstall, eventually};
use super::secrets;

const ROTATE: [&str; 3] = ["certs", "rotate-ca", "--yes"];

#[test]
#[ignore = "needs root and a bundle: `./test lifecycle`"]
fn all_authorities_of_three_control_planes_get_successors() {
    let lab = &Kinstall::with_inventory(INVENTORY);
    lab.ok(&["up"]);
    let before = secrets::read(lab);
    let old = admin(lab);
    put_on_worker(lab, "old", &old);
    let started = Instant::now();
    let watch = watched_as(lab, "/run/old.conf");

    // Killed while the second control plane starts its programs again; `up` in between undoes nothing.
    killed_when(lab, &ROTATE, || {
        active(lab) == [&[1, 2][..]; 3]
            && on(lab, "cp2", "ls /run | grep -c ^kinstall-authorities") != "0"
    });
    lab.ok(&["up"]);
    lab.changes_nothing();
    assert_eq!(active(lab), [&[1, 2][..]; 3]);
    // Killed when the first one shows a new certificate and the others an old one; the same command goes on.
    killed_when(lab, &ROTATE, || {
        active(lab) == [&[2, 1][..]; 3]
            && on(
                lab,
                "cp1",
                "grep -c BEGIN /etc/kubernetes/pki/apiserver.crt",
            ) == "2"
    });
    assert_eq!(active(lab), [&[2, 1][..]; 3]);
    let rotated = lab.run(&ROTATE);
    rotated.expect_code(0);
    assert!(
        rotated.stderr().contains("drops the old ones"),
        "{}",
        rotated.stderr()
    );
    assert_eq!(active(lab), [&[2, 1][..]; 3]);
    all_is_well(lab);
    let new = admin(lab);
    put_on_worker(lab, "new", &new);
    assert_ne!(old, new);
    assert_eq!([accepts(lab, "old"), accepts(lab, "new")], [true, true]);
    let watched_by_old = what_was_watched(lab, watch);

    // Its day has not passed.
    lab.run(&ROTATE).expect_code(0);
    assert_eq!(active(lab), [&[2, 1][..]; 3]);

    let watch = watched_as(lab, "/run/new.conf");
    let finish = [&ROTATE[..], &["--finish"]].concat();
    killed_when(lab, &finish, || active(lab) == [&[2][..]; 3]);
    lab.ok(&["up"]);
    lab.changes_nothing();
    lab.ok(&ROTATE);
    assert_eq!(active(lab), [&[2][..]; 3]);
    all_is_well(lab);
    nobody_knows_the_old_one(lab);
    assert_eq!([accepts(lab, "old"), accepts(lab, "new")], [false, true]);
    // What runs in the cluster sees new objects.
    lab.ok(&["verify"]);
    eprintln!("all authorities: {} s", started.elapsed().as_secs());
    for watched in [watched_by_old, what_was_watched(lab, watch)] {
        assert!(watched.starts_with("0 "), "{watched}");
    }
    secrets::an_older_copy_is_refused(
        lab,
        &before,
        &ROTATE,
        "certificates are of an authority of the cluster",
    );
}

/// A rotation is killed when it has come to something.
fn killed_when(lab: &Kinstall, rotate: &[&str], has_come_to_it: impl Fn() -> bool) {
    let mut rotation = lab.command(rotate).spawn().unwrap();
    while !has_come_to_it() {
        assert!(rotation.try_wait().unwrap().is_none(), "it ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    rotation.kill().unwrap();
    rotation.wait().unwrap();
}

/// What a command that may fail prints on a host.
fn on(lab: &Kinstall, host: &str, command: &str) -> String {
    let command = format!("'{command} || true'");
    let printed = lab.ok(&["ssh", host, "--", "sudo", "sh", "-c", &command]);
    printed.trim().to_owned()
}

fn all_is_well(lab: &Kinstall) {
    eventually("all nodes are ready", 120, || {
        ready(lab, "cp1") == ["cp1", "cp2", "cp3", "w1"]
    });
    assert_eq!(voters(lab, "cp1"), ["cp1", "cp2", "cp3"]);
    lab.changes_nothing();
}

/// No file has more than the one authority that signs.
fn nobody_knows_the_old_one(lab: &Kinstall) {
    for host in ["cp1", "cp2", "cp3", "w1"] {
        let counts = "cd /etc/kubernetes; for file in *.conf; do sed -n \"s/.*certificate-authority-data: //p\" $file | base64 -d | \
                      grep -c BEGIN; done; grep -c BEGIN pki/ca.crt";
        let counts = on(lab, host, counts);
        assert!(counts.split_whitespace().all(|it| it == "1"), "{counts}");
    }
}

/// The numbers of the authorities that are accepted, by kind; the one that signs first.
fn active(lab: &Kinstall) -> [Vec<u64>; 3] {
    let secrets: Value = serde_json::from_slice(&secrets::read(lab)).unwrap();
    ["cluster", "front_proxy", "etcd"].map(|kind| {
        let active = secrets[format!("{kind}_authority")]["active"].as_array();
        let numbers = active.into_iter().flatten();
        numbers.map(|it| it["number"].as_u64().unwrap()).collect()
    })
}

/// The administrator's kubeconfig of the first control plane.
fn admin(lab: &Kinstall) -> String {
    lab.ok(&[
        "ssh",
        "cp1",
        "--",
        "sudo",
        "cat",
        "/etc/kubernetes/admin.conf",
    ])
}

fn put_on_worker(lab: &Kinstall, name: &str, kubeconfig: &str) {
    let data = STANDARD.encode(kubeconfig);
    let command = format!("'echo {data} | base64 -d > /run/{name}.conf'");
    lab.ok(&["ssh", "w1", "--", "sudo", "sh", "-c", &command]);
}

/// Whether API servers take who has this kubeconfig, whatever they show themselves; it is asked of each.
fn accepts(lab: &Kinstall, name: &str) -> bool {
    let answers = [11, 12, 13].map(|host| {
        let command = format!(
            "'grep -v certificate-authority-data /run/{name}.conf > /run/any.conf; kubectl --kubeconfig /run/any.conf --server \
             https://192.168.56.{host}:6443 --insecure-skip-tls-verify get nodes > /dev/null 2>&1 && echo yes || echo no'"
        );
        lab.ok(&["ssh", "w1", "--", "sudo", "sh", "-c", &command]).trim().to_owned()
    });
    assert!(answers.iter().all(|it| *it == answers[0]), "{answers:?}");
    answers[0] == "yes"
}
