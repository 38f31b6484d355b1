//! Commands, their streams and how they end.

use std::io::Cursor;

use kinstall::ssh::{Exit, Piece, Process, Session, Size, SshError, Streams};

use crate::sshd::server::Sshd;

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_come_back() {
    let sshd = Sshd::start();
    let session = Session::connect(&sshd.target()).await.unwrap();
    for code in [0, 1, 7, 255] {
        let finished = session.exec(&format!("exit {code}"), b"").await.unwrap();
        assert_eq!(finished.exit, Exit::Code(code));
    }
    let killed = session.exec("kill -TERM $$", b"").await.unwrap();
    assert_eq!(killed.exit, Exit::Signal("TERM".to_owned()));
    assert_eq!(killed.exit.code(), 143);
}

#[tokio::test(flavor = "multi_thread")]
async fn big_outputs_stay_apart() {
    let sshd = Sshd::start();
    let session = Session::connect(&sshd.target()).await.unwrap();
    let command = "head -c 1048576 /dev/zero | tr '\\0' o & \
                   head -c 1048576 /dev/zero | tr '\\0' e >&2; wait; exit 3";
    let finished = session.exec(command, b"").await.unwrap();
    assert_eq!(finished.exit, Exit::Code(3));
    assert_eq!(finished.stdout, vec![b'o'; 1 << 20]);
    assert_eq!(finished.stderr, vec![b'e'; 1 << 20]);
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_arrives_whole_and_comes_back() {
    let sshd = Sshd::start();
    let session = Session::connect(&sshd.target()).await.unwrap();
    // More than any window, so that both directions must flow at once.
    let input: Vec<u8> = (0..6_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let finished = session.exec("cat", &input).await.unwrap();
    assert!(finished.stdout == input, "{} bytes", finished.stdout.len());
    // A command that doesn't read must not hang.
    let finished = session.exec("exit 4", &input).await.unwrap();
    assert_eq!(finished.exit, Exit::Code(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attached_command_has_the_users_streams() {
    let sshd = Sshd::start();
    let session = Session::connect(&sshd.target()).await.unwrap();
    let (mut output, mut error) = (Vec::new(), Vec::new());
    let streams = Streams {
        input: Cursor::new(b"typed".to_vec()),
        output: &mut output,
        error: &mut error,
    };
    let exit = session
        .attach("cat; echo wrong >&2; exit 9", streams)
        .await
        .unwrap();
    assert_eq!(exit, Exit::Code(9));
    assert_eq!(output, b"typed");
    assert_eq!(error, b"wrong\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shell_has_a_terminal_that_can_be_resized() {
    let sshd = Sshd::start();
    let session = Session::connect(&sshd.target()).await.unwrap();
    let size = |columns, rows| Size { columns, rows };
    let shell = session.start_shell(Some(("xterm", size(101, 41)))).await;
    let Process { mut output, input } = shell.unwrap();
    let mut seen = String::new();
    input.write(b"stty size; echo $TERM\n").await.unwrap();
    until(&mut output, &mut seen, "41 101\r\nxterm\r\n").await;
    input.resize(size(70, 30)).await.unwrap();
    input.write(b"stty size; exit 7\n").await.unwrap();
    until(&mut output, &mut seen, "30 70\r\n").await;
    while output.next().await.unwrap().is_some() {}
    assert_eq!(output.exit().unwrap(), Exit::Code(7));
}

async fn until(output: &mut kinstall::ssh::Output, seen: &mut String, text: &str) {
    while !seen.contains(text) {
        let Some(Piece::Stdout(bytes)) = output.next().await.unwrap() else {
            panic!("the shell ended: {seen}");
        };
        seen.push_str(&String::from_utf8_lossy(&bytes));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_run_side_by_side_on_one_connection() {
    let sshd = Sshd::start();
    let session = Session::connect(&sshd.target()).await.unwrap();
    let (first, second) = tokio::join!(session.exec("sleep 0.3", b""), session.exec("id -u", b""));
    assert_eq!(first.unwrap().exit, Exit::Code(0));
    assert_eq!(second.unwrap().exit, Exit::Code(0));
    // MaxSessions is ten: what has ended must not count.
    for _ in 0..12 {
        session.exec("true", b"").await.unwrap();
    }
    // Nor what was given up.
    for _ in 0..12 {
        drop(session.start("cat").await.unwrap());
        session.exec("true", b"").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_told_from_an_exit() {
    let sshd = Sshd::start();
    let session = Session::connect(&sshd.target()).await.unwrap();
    // The shell's parent is the connection's own sshd.
    let error = session
        .exec("kill -9 $PPID; sleep 5", b"")
        .await
        .err()
        .unwrap();
    assert!(matches!(error, SshError::Lost { .. }), "{error}");
    assert!(session.is_closed());
    let error = session.exec("true", b"").await.err().unwrap();
    assert!(matches!(error, SshError::Lost { .. }), "{error}");
}
