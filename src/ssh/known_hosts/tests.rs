use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use russh::keys::PublicKey;

use super::{HostKeyError, KnownHosts, NewHostKey, Policy, Verdict};
use crate::ssh::keys::KeyPair;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

fn key() -> PublicKey {
    KEY.parse().unwrap()
}

fn other_key() -> PublicKey {
    KeyPair::generate("other").unwrap().public.parse().unwrap()
}

fn strict(file: &Path) -> KnownHosts {
    KnownHosts::new(file, Policy::Strict)
}

#[test]
fn learned_keys_are_known_in_the_format_of_openssh() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lab/known_hosts");
    let hosts = strict(&file);
    hosts
        .learn("192.168.56.21", 22, &format!("{KEY} node1"))
        .unwrap();
    hosts.learn("127.0.0.1", 2222, KEY).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        text,
        format!("192.168.56.21 {KEY}\n[127.0.0.1]:2222 {KEY}\n")
    );
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        hosts.verify("192.168.56.21", 22, &key()).unwrap(),
        Verdict::Known
    );
    assert_eq!(
        hosts.verify("127.0.0.1", 2222, &key()).unwrap(),
        Verdict::Known
    );
    assert!(matches!(
        hosts.verify("127.0.0.1", 22, &key()),
        Err(HostKeyError::Unknown { .. })
    ));

    hosts.forget("192.168.56.21", 22).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, format!("[127.0.0.1]:2222 {KEY}\n"));
}

#[test]
fn learning_replaces_the_old_key_and_keeps_comments() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    std::fs::write(&file, format!("# mine\nnode1 {KEY}\nnode2 {KEY}")).unwrap();
    let new = other_key();
    strict(&file)
        .learn("node1", 22, &new.to_openssh().unwrap())
        .unwrap();
    assert_eq!(
        strict(&file).verify("node1", 22, &new).unwrap(),
        Verdict::Known
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with(&format!("# mine\nnode2 {KEY}\nnode1 ssh-ed25519 ")));
}

#[test]
fn a_changed_key_names_file_line_and_both_fingerprints() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    std::fs::write(&file, format!("# first\n\nnode2 {KEY}\nnode1 {KEY}\n")).unwrap();
    // Not even the policy for new hosts lets it pass.
    let error = KnownHosts::new(&file, Policy::AcceptNew)
        .verify("node1", 22, &other_key())
        .unwrap_err();
    let HostKeyError::Changed {
        line, known, shown, ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(*line, 4);
    assert_eq!(known, "SHA256:T7SvZ2cslqpPj6nKzitCBHHlpVF3r3MvLwmFL0fk0IE");
    assert!(shown.starts_with("SHA256:") && shown != known);
    assert!(error.to_string().contains("line 4"));
}

#[test]
fn a_new_host_is_accepted_once_and_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = KnownHosts::new(folder.path().join("known_hosts"), Policy::AcceptNew);
    assert_eq!(
        hosts.verify("node1", 22, &key()).unwrap(),
        Verdict::Accepted
    );
    assert_eq!(hosts.verify("node1", 22, &key()).unwrap(), Verdict::Known);
    let shown = NewHostKey {
        address: "node1".to_owned(),
        fingerprint: "SHA256:T7SvZ2cslqpPj6nKzitCBHHlpVF3r3MvLwmFL0fk0IE".to_owned(),
    };
    assert_eq!(hosts.take_accepted(), [shown]);
    assert_eq!(hosts.take_accepted(), []);
    assert!(hosts.verify("node1", 22, &other_key()).is_err());
}

#[test]
fn the_users_file_is_believed_and_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    // Made by `ssh-keygen -H` from `[10.0.0.9]:2222`.
    let hashed = format!("|1|MA3+93rfHJwj4W/g9yVay9A2i5k=|cq7elE6iq7QwdG6ny7jfT8vYLuw= {KEY}\n");
    std::fs::write(&users, &hashed).unwrap();
    let own = folder.path().join("own");
    let hosts = strict(&own).trusting(&users);
    assert_eq!(
        hosts.verify("10.0.0.9", 2222, &key()).unwrap(),
        Verdict::Known
    );
    assert!(matches!(
        hosts.verify("10.0.0.9", 2222, &other_key()),
        Err(HostKeyError::Changed { file, line: 1, .. }) if file == users
    ));
    assert!(!own.exists());
    assert_eq!(std::fs::read_to_string(&users).unwrap(), hashed);
}

#[test]
fn patterns_and_markers_have_their_meaning() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    let text = format!("*.example.com,!bad.example.com,10.0.0.? {KEY} comment\n");
    std::fs::write(&file, text).unwrap();
    let hosts = strict(&file);
    let knows = |host| hosts.verify(host, 22, &key()).is_ok();
    assert!(knows("node1.EXAMPLE.com") && knows("10.0.0.7"));
    assert!(!knows("bad.example.com") && !knows("10.0.0.17") && !knows("example.com"));

    std::fs::write(&file, format!("@revoked * {KEY}\nnode1 {KEY}\n")).unwrap();
    assert!(matches!(
        hosts.verify("node1", 22, &key()),
        Err(HostKeyError::Revoked { line: 1, .. })
    ));
    std::fs::write(&file, format!("@cert-authority * {KEY}\n")).unwrap();
    assert!(matches!(
        hosts.verify("node1", 22, &key()),
        Err(HostKeyError::Unknown { .. })
    ));
}

#[test]
fn parallel_first_contacts_lose_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = KnownHosts::new(folder.path().join("known_hosts"), Policy::AcceptNew);
    std::thread::scope(|scope| {
        for number in 0..16 {
            let hosts = hosts.clone();
            scope.spawn(move || hosts.verify(&format!("node{number}"), 22, &key()).unwrap());
        }
    });
    for number in 0..16 {
        let verdict = hosts.verify(&format!("node{number}"), 22, &key()).unwrap();
        assert_eq!(verdict, Verdict::Known);
    }
}

#[test]
fn an_unreadable_file_is_an_error_not_an_unknown_host() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = KnownHosts::new(folder.path(), Policy::AcceptNew);
    assert!(matches!(
        hosts.verify("node1", 22, &key()),
        Err(HostKeyError::File { action: "read", .. })
    ));
}
