//! Hosts behind other hosts.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use kinstall::diagnostic::Kind;
use kinstall::ssh::{Session, SshError, Target};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::free_port::free_port;
use crate::sshd::server::Sshd;

#[tokio::test(flavor = "multi_thread")]
async fn two_hops_are_opened_once_and_shared() {
    let (first, second, node) = (Sshd::start(), Sshd::start(), Sshd::start());
    let dialled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&dialled);
    let mut target = behind(&[&first, &second], &node);
    target.dial = Some(Arc::new(move |address| {
        count.fetch_add(1, Ordering::Relaxed);
        TcpStream::connect(address)
    }));
    let (one, two) = tokio::join!(Session::connect(&target), Session::connect(&target));
    let (one, two) = (one.unwrap(), two.unwrap());

    for session in [&one, &two] {
        let command = "echo $SSH_CONNECTION";
        let finished = session.exec(command, b"").await.unwrap();
        let seen = String::from_utf8(finished.stdout).unwrap();
        assert!(
            seen.ends_with(&format!("127.0.0.1 {}\n", node.port)),
            "{seen}"
        );
    }
    assert_eq!(dialled.load(Ordering::Relaxed), 1);
    let logins = |sshd: &Sshd| sshd.log().matches("Accepted publickey").count();
    assert_eq!((logins(&first), logins(&second), logins(&node)), (1, 1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_way_names_the_hop() {
    let (jump, node) = (Sshd::start(), Sshd::start());
    let mut target = behind(&[&jump], &node);
    target.connection.port = Some(free_port());
    let known = &target.known_hosts;
    known
        .learn("127.0.0.1", target.connection.port(), &node.host_key.public)
        .unwrap();
    let error = Session::connect(&target).await.err().unwrap();
    assert!(matches!(&error, SshError::Tunnel { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains(&format!("127.0.0.1:{}", jump.port))
    );

    let mut target = behind(&[&jump], &node);
    target.connection.jump.as_mut().unwrap()[0].port = Some(free_port());
    let error = Session::connect(&target).await.err().unwrap();
    assert!(matches!(&error, SshError::Jump { .. }), "{error}");
    let diagnostic = error.diagnostic("node1");
    assert_eq!(diagnostic.kind, Kind::Connection);
    assert!(
        diagnostic.message.contains("jump host"),
        "{}",
        diagnostic.message
    );
    assert!(
        diagnostic.message.contains("refused"),
        "{}",
        diagnostic.message
    );
}

fn behind(hops: &[&Sshd], node: &Sshd) -> Target {
    let mut target = node.target();
    for hop in hops {
        let known = &target.known_hosts;
        known
            .learn("127.0.0.1", hop.port, &hop.host_key.public)
            .unwrap();
    }
    target.connection.jump = Some(hops.iter().map(|hop| hop.jump_host()).collect());
    target
}

/// What comes back fills the connection to the jump host while the session in it waits to write.
#[tokio::test(flavor = "multi_thread")]
async fn much_data_passes_a_jump_host_both_ways_at_once() {
    let (jump, node) = (Sshd::start(), Sshd::start());
    let target = behind(&[&jump], &node);
    let sent: Vec<u8> = (0..=u8::MAX).cycle().take(16 << 20).collect();
    let session = Session::connect(&target).await.unwrap();
    let mut commands = JoinSet::new();
    for _ in 0..4 {
        let (session, sent) = (session.clone(), sent.clone());
        commands.spawn(async move {
            let finished = session.exec("cat", &sent).await.unwrap();
            assert!(finished.stdout == sent);
        });
    }
    let all = timeout(Duration::from_mins(1), commands.join_all());
    all.await.expect("nothing moves any more");
}
