//! Machines that are still starting.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kinstall::ssh::{KeyPair, Session, SshError, wait_for};

use crate::free_port::free_port;
use crate::sshd::namespace;
use crate::sshd::server::Sshd;

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_reached_as_soon_as_it_answers() {
    let sshd = Sshd::start();
    let port = free_port();
    let mut target = sshd.target();
    target.connection.port = Some(port);
    let known = &target.known_hosts;
    known
        .learn("127.0.0.1", port, &sshd.host_key.public)
        .unwrap();
    let late = tokio::spawn(forward_after(Duration::from_millis(700), port, sshd.port));
    let begun = Instant::now();

    let session = wait_for(&target, Duration::from_secs(10)).await.unwrap();

    assert!(begun.elapsed() >= Duration::from_millis(700));
    session.exec("true", b"").await.unwrap();
    late.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_at_the_deadline_with_the_last_cause() {
    let sshd = Sshd::start();
    let mut target = sshd.target();
    target.connection.port = Some(free_port());
    let begun = Instant::now();
    let error = wait_for(&target, Duration::from_millis(700))
        .await
        .err()
        .unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2));
    let text = error.diagnostic("node1").message;
    assert!(matches!(error, SshError::NotReady { .. }), "{error}");
    assert!(text.contains("refused"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_does_not_answer_is_named() {
    let sshd = Sshd::start();
    let mut target = sshd.target();
    target.connection.port = Some(free_port());
    let error = Session::connect(&target).await.err().unwrap();
    let diagnostic = error.diagnostic("node1");
    assert_eq!(
        diagnostic.message,
        format!(
            "node1: failed to connect to 127.0.0.1:{}: Connection refused (os error 111)",
            target.connection.port()
        )
    );
    assert!(diagnostic.hints[0].starts_with("check that the machine runs"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_port_does_not_hold_up_the_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let sshd = Sshd::start();
    let mut target = sshd.target();
    target.connection.port = Some(silent.local_addr().unwrap().port());
    let error = wait_for(&target, Duration::from_millis(500))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, SshError::NotReady { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_is_tried_once() {
    let sshd = Sshd::start();
    let mut target = sshd.target();
    target.identity = Some(KeyPair::generate("wrong").unwrap());
    let dialled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&dialled);
    target.dial = Some(Arc::new(move |address| {
        count.fetch_add(1, Ordering::Relaxed);
        TcpStream::connect(address)
    }));
    let error = wait_for(&target, Duration::from_secs(30))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, SshError::Refused(_)), "{error}");
    assert_eq!(dialled.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_booting_lets_users_in_later() {
    let sshd = namespace::start("UsePAM yes");
    let mut target = sshd.target();
    target.connection.user = Some("free".to_owned());
    // The text is systemd's.
    let text = "System is booting up. Unprivileged users are not permitted to log in yet. Please \
                come back later. For technical details, see pam_nologin(8).";
    std::fs::write(sshd.path("nologin"), text).unwrap();
    let error = Session::connect(&target).await.err().unwrap();
    assert!(
        matches!(&error, SshError::Refused(refusal) if refusal.is_booting()),
        "{error:?}"
    );
    let path = sshd.path("nologin");
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        std::fs::remove_file(path).unwrap();
    });
    wait_for(&target, Duration::from_secs(10)).await.unwrap();
}

/// Begins to listen after a while and leads all connections to another port.
async fn forward_after(pause: Duration, from: u16, to: u16) {
    tokio::time::sleep(pause).await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", from))
        .await
        .unwrap();
    loop {
        let (mut near, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let far = tokio::net::TcpStream::connect(("127.0.0.1", to)).await;
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far.unwrap()).await;
        });
    }
}
