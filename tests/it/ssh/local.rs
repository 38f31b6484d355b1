//! Hosts that are this computer, and hosts whose name nothing knows.

use std::time::Duration;

use kinstall::model::Method;
use kinstall::ssh::{Exit, Piece, Process, Session, SshError, Target};
use tokio::time::timeout;

use crate::sshd::server::Sshd;

/// Returns a target that no SSH leads to.
fn here(sshd: &Sshd) -> Target {
    let mut target = sshd.target();
    target.connection.method = Method::Local;
    target.connection.host = String::from("nowhere.invalid");
    target
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_run_here_without_ssh() {
    let sshd = Sshd::start();
    let session = Session::connect(&here(&sshd)).await.unwrap();
    assert!(session.is_local() && session.by_lab_key() && !session.is_closed());
    let finished = session
        .exec("cat; echo away >&2; exit 7", b"hello")
        .await
        .unwrap();
    assert_eq!(finished.exit, Exit::Code(7));
    assert_eq!(finished.stdout, b"hello");
    assert_eq!(finished.stderr, b"away\n");
    let killed = session.exec("kill -TERM $$", b"").await.unwrap();
    assert_eq!(killed.exit.code(), 143);
    let root = session.exec_as_root("id -u").await.unwrap();
    assert_eq!(root.stdout, b"0\n");
    assert_eq!(sshd.log().matches("Accepted").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_command_whose_streams_are_dropped_sees_their_end() {
    let sshd = Sshd::start();
    let session = Session::connect(&here(&sshd)).await.unwrap();
    let mark = sshd.path("ended");
    let command = format!("echo begun; cat > /dev/null; touch '{}'", mark.display());
    let Process { mut output, input } = session.start(&command).await.unwrap();
    let first = output.next().await.unwrap();
    assert_eq!(first, Some(Piece::Stdout(b"begun\n".to_vec())));
    drop((output, input));
    let ended = async {
        while !mark.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), ended).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nothing_knows_gives_way_to_the_address() {
    let sshd = Sshd::start();
    let mut target = sshd.target();
    target.connection.host = String::from("node1.invalid");
    let error = Session::connect(&target).await.err().unwrap();
    assert!(matches!(error, SshError::Resolve { .. }), "{error}");

    target.connection.fallback = Some([127, 0, 0, 1].into());
    let session = Session::connect(&target).await.unwrap();
    assert_eq!(session.target().connection.host, "127.0.0.1");

    // A name that is known is the one that counts.
    target.connection.host = String::from("127.0.0.1");
    target.connection.fallback = Some([192, 0, 2, 1].into());
    Session::connect(&target).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_jump_host_the_address_is_tried_after_the_name() {
    let (gate, inner) = (Sshd::start(), Sshd::start());
    let mut target = inner.target();
    target
        .known_hosts
        .learn("127.0.0.1", gate.port, &gate.host_key.public)
        .unwrap();
    target.connection.host = String::from("node1.invalid");
    target.connection.fallback = Some([127, 0, 0, 1].into());
    target.connection.jump = Some(vec![gate.jump_host()]);
    Session::connect(&target).await.unwrap();
}
