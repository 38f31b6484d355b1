//! The key of service accounts gets a successor: tokens of both are accepted, until the old one is dropped.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::control_planes::{INVENTORY, kubectl, watched, what_was_watched};
use super::kinstall::{Kinstall, eventually};
use super::secrets;

/// A token that doesn't end, as clusters had them before.
const LEGACY: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: legacy
  annotations: { kubernetes.io/service-account.name: default }
type: kubernetes.io/service-account-token
";

const ROTATE: [&str; 3] = ["certs", "rotate-sa-key", "--yes"];

#[test]
#[ignore = "needs root and a bundle: `./test lifecycle`"]
fn service_accounts_of_three_control_planes_get_a_new_key() {
    let lab = &Kinstall::with_inventory(INVENTORY);
    lab.ok(&["up"]);
    lab.apply_on("cp1", LEGACY);
    eventually("it has a token", 60, || !legacy_token(lab).is_empty());
    let old = token(lab);
    let before = secrets::read(lab);
    let started = Instant::now();
    let watch = watched(lab);

    // All API servers accept the new key, and it has just become the one that signs.
    let mut rotation = lab.command(&ROTATE).spawn().unwrap();
    while active(lab) != [2, 1] {
        assert!(rotation.try_wait().unwrap().is_none(), "it ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    rotation.kill().unwrap();
    rotation.wait().unwrap();
    lab.ok(&["up"]);
    assert_eq!(active(lab), [2, 1]);
    assert!(are_accepted(lab, &old));

    let rotated = lab.run(&ROTATE);
    rotated.expect_code(0);
    let said = rotated.stderr();
    assert!(said.contains("default/legacy"), "{said}");
    let new = token(lab);
    assert_ne!(key(&old), key(&new));
    assert!(are_accepted(lab, &old) && are_accepted(lab, &new));
    lab.changes_nothing();
    // Its day has not passed.
    let again = lab.run(&ROTATE);
    again.expect_code(0);
    assert!(again.stderr().contains("default/legacy"), "{said}");
    assert_eq!(active(lab), [2, 1]);

    // What a day does: pods have tokens of the new key.
    let all = [
        "delete",
        "pods",
        "--all-namespaces",
        "--selector",
        "'tier!=control-plane'",
    ];
    kubectl(lab, "cp1", &all);
    lab.ok(&["certs", "rotate-sa-key", "--finish", "--yes"]);
    assert!(!are_accepted(lab, &old) && are_accepted(lab, &new));
    lab.changes_nothing();
    eprintln!(
        "the key of service accounts: {} s",
        started.elapsed().as_secs()
    );
    let watched = what_was_watched(lab, watch);
    assert!(watched.starts_with("0 "), "{watched}");
    secrets::an_older_copy_is_refused(
        lab,
        &before,
        &ROTATE,
        "tokens of service accounts have a key",
    );
    assert!(are_accepted(lab, &new));
}

/// The keys that are accepted, in the file of the cluster's secrets; the one that signs first.
fn active(lab: &Kinstall) -> Vec<u64> {
    let secrets: Value = serde_json::from_slice(&secrets::read(lab)).unwrap();
    let active = secrets["service_accounts"]["active"].as_array();
    let numbers = active.into_iter().flatten();
    numbers.map(|key| key["number"].as_u64().unwrap()).collect()
}

fn token(lab: &Kinstall) -> String {
    kubectl(lab, "cp1", &["create", "token", "default"])
        .trim()
        .to_owned()
}

fn legacy_token(lab: &Kinstall) -> String {
    kubectl(
        lab,
        "cp1",
        &["get", "secret", "legacy", "-o", "jsonpath={.data.token}"],
    )
}

/// The header of a token, which names its key.
fn key(token: &str) -> &str {
    token.split('.').next().unwrap()
}

/// Whether all API servers take the token; they must agree.
fn are_accepted(lab: &Kinstall, token: &str) -> bool {
    let answers = [11, 12, 13].map(|host| {
        let url = format!("https://192.168.56.{host}:6443/apis");
        let header = format!("Authorization: Bearer {token}");
        let command = ["curl", "--silent", "--insecure", "--output", "/dev/null"];
        let options = ["--write-out", "%{http_code}", "--header", &header, &url];
        lab.in_network(&[&command[..], &options].concat()).unwrap()
    });
    assert!(answers.iter().all(|it| *it == answers[0]), "{answers:?}");
    assert!(["200", "401"].contains(&answers[0].as_str()), "{answers:?}");
    answers[0] == "200"
}
