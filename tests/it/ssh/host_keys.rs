//! Which hosts are believed.

use kinstall::diagnostic::Kind;
use kinstall::ssh::{HostKeyError, KeyPair, KnownHosts, NewHostKey, Policy, Session, SshError};

use crate::sshd::server::Sshd;

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_key_stops_everything() {
    let sshd = Sshd::start();
    let target = sshd.target();
    let other = KeyPair::generate("other").unwrap();
    let (hosts, port) = (&target.known_hosts, sshd.port);
    hosts.learn("127.0.0.1", port, &other.public).unwrap();

    let error = Session::connect(&target).await.err().unwrap();

    let SshError::HostKey(HostKeyError::Changed { known, shown, .. }) = &error else {
        panic!("{error}");
    };
    let fingerprint = |key: &KeyPair| kinstall::ssh::keys::fingerprint(&key.public).unwrap();
    assert_eq!(*known, fingerprint(&other));
    assert_eq!(*shown, fingerprint(&sshd.host_key));
    let diagnostic = error.diagnostic("node1");
    assert_eq!(diagnostic.kind, Kind::Connection);
    let file = sshd.path("known_hosts").display().to_string();
    assert_eq!(
        diagnostic.message,
        format!(
            "node1: host key of [127.0.0.1]:{port} has changed: `{file}` line 1 says {known}, the \
             host showed {shown}"
        )
    );
    assert!(diagnostic.hints[0].contains("the machine was reinstalled"));
    assert!(diagnostic.hints[1].contains(&format!("ssh-keygen -R '[127.0.0.1]:{port}'")));
    assert!(!sshd.log().contains("Accepted"), "{}", sshd.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_host_is_refused_or_accepted_by_policy() {
    let sshd = Sshd::start();
    let mut target = sshd.target();
    let file = sshd.path("empty");
    let fingerprint = kinstall::ssh::keys::fingerprint(&sshd.host_key.public).unwrap();

    target.known_hosts = KnownHosts::new(&file, Policy::Strict);
    let error = Session::connect(&target).await.err().unwrap();
    assert!(
        matches!(&error, SshError::HostKey(HostKeyError::Unknown { shown, .. }) if *shown == fingerprint),
        "{error}"
    );
    assert!(!file.exists());

    target.known_hosts = KnownHosts::new(&file, Policy::AcceptNew);
    // The user must see it even if the login fails: the next contact finds a known host.
    let user = target.connection.user.replace("nobody-here".to_owned());
    Session::connect(&target).await.err().unwrap();
    let shown = NewHostKey {
        address: format!("[127.0.0.1]:{}", sshd.port),
        fingerprint,
    };
    assert_eq!(target.known_hosts.take_accepted(), [shown]);
    target.connection.user = user;
    Session::connect(&target).await.unwrap();
    assert_eq!(target.known_hosts.take_accepted(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_asked_for_the_kind_of_key_that_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("ecdsa");
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ecdsa", "-N", "", "-f"])
        .arg(&key)
        .status()
        .unwrap();
    assert!(made.success());
    let sshd = Sshd::with(&format!("HostKey {}", key.display()));
    let mut target = sshd.target();
    target.known_hosts = KnownHosts::new(sshd.path("other"), Policy::Strict);
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let port = sshd.port;
    target
        .known_hosts
        .learn("127.0.0.1", port, &public)
        .unwrap();
    // sshd has an ed25519 key too, which would come first otherwise.
    Session::connect(&target).await.unwrap();
}
