//! The key of service accounts gets a successor: tokens of both are accepted, until the old one is dropped.

use serde_json::Value;

use super::control_planes::kubectl;
use super::kinstall::{Kinstall, eventually};

/// A token that doesn't end, as clusters had them before.
const LEGACY: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: legacy
  annotations: { kubernetes.io/service-account.name: default }
type: kubernetes.io/service-account-token
";

/// On three control planes.
pub fn get_a_new_key(lab: &Kinstall) {
    lab.apply_on("cp1", LEGACY);
    eventually("it has a token", 60, || !legacy_token(lab).is_empty());
    let old = token(lab);
    let started = std::time::Instant::now();

    let rotate = ["certs", "rotate-sa-key", "--yes"];
    let mut rotation = lab.command(&rotate).spawn().unwrap();
    while step(lab) != "sign" {
        assert!(rotation.try_wait().unwrap().is_none(), "it ended");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    rotation.kill().unwrap();
    rotation.wait().unwrap();
    lab.ok(&["up"]);
    assert_eq!(step(lab), "sign");
    assert!(are_accepted(lab, &old));

    let rotated = lab.run(&rotate);
    rotated.expect_code(0);
    assert!(
        rotated.stderr().contains("default/legacy"),
        "{}",
        rotated.stderr()
    );
    let new = token(lab);
    assert_ne!(key(&old), key(&new));
    assert!(are_accepted(lab, &old) && are_accepted(lab, &new));
    let again = lab.run(&["up"]);
    again.expect_code(0);
    assert!(again.stderr().contains("0 changed"), "{}", again.stderr());
    // Its day has not passed.
    lab.ok(&rotate);
    assert_eq!(step(lab), "renew");

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
    let again = lab.run(&["up"]);
    again.expect_code(0);
    assert!(again.stderr().contains("0 changed"), "{}", again.stderr());
    eprintln!(
        "the key of service accounts: {} s",
        started.elapsed().as_secs()
    );
}

/// How far the rotation has come; empty where none is under way.
fn step(lab: &Kinstall) -> String {
    let secrets = std::fs::read(lab.path(".kinstall/secrets.json")).unwrap();
    let secrets: Value = serde_json::from_slice(&secrets).unwrap();
    let step = &secrets["service_accounts"]["rotation"]["step"];
    step.as_str().unwrap_or_default().to_owned()
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
