//! Commands on this computer itself, for hosts with `ansible_connection: local`.
//!
//! They are started by a shell, as sshd does it: so becoming root, bootstrapping the agent and its frames are
//! the same as on any other host.

use std::io;
use std::process::Stdio;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{Mutex, mpsc};

use super::error::SshError;
use super::process::{Exit, Piece};

/// Pieces of output that wait to be read; more makes the command wait.
const QUEUE: usize = 16;

/// Bytes of a piece.
const PIECE: usize = 64 << 10;

/// What a local command says.
pub(super) enum Word {
    Piece(Piece),
    Ended(io::Result<Exit>),
}

/// A local command's standard input; closed when it is `None`.
pub(super) type Stdin = Arc<Mutex<Option<ChildStdin>>>;

/// Starts a line of shell; all that it says, and how it ends, comes over the channel.
pub(super) fn start(command: &str) -> Result<(mpsc::Receiver<Word>, Stdin), SshError> {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Ctrl-C is for kinstall, which tells the agent of it.
    #[cfg(unix)]
    shell.process_group(0);
    let mut child = shell.spawn().map_err(|source| SshError::Local {
        action: "start a shell",
        source,
    })?;
    let stdin = Arc::new(Mutex::new(child.stdin.take()));
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(listen(child, sender));
    Ok((receiver, stdin))
}

/// Gives the user a shell of their own on this computer.
pub(super) async fn shell() -> Result<Exit, SshError> {
    let program = std::env::var_os("SHELL").unwrap_or_else(|| "sh".into());
    let ended = Command::new(program).status().await;
    ended.map(exit).map_err(|source| SshError::Local {
        action: "start a shell",
        source,
    })
}

async fn listen(mut child: Child, sender: mpsc::Sender<Word>) {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    tokio::join!(
        pass_on(stdout, &sender, Piece::Stdout),
        pass_on(stderr, &sender, Piece::Stderr),
    );
    let ended = child.wait().await.map(exit);
    // If nothing listens any more, the command's end is of no interest.
    let _ = sender.send(Word::Ended(ended)).await;
}

async fn pass_on(
    stream: Option<impl AsyncRead + Unpin>,
    sender: &mpsc::Sender<Word>,
    piece: impl Fn(Vec<u8>) -> Piece,
) {
    let Some(mut stream) = stream else {
        return;
    };
    let mut buffer = vec![0; PIECE];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        let word = Word::Piece(piece(buffer[..count].to_vec()));
        if sender.send(word).await.is_err() {
            return;
        }
    }
}

fn exit(status: std::process::ExitStatus) -> Exit {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Exit::Code(128 + u32::try_from(signal).unwrap_or(0));
    }
    let code = status.code().unwrap_or(1);
    Exit::Code(u32::try_from(code).unwrap_or(u32::MAX))
}
