//! What kinstall and a lab's supervisor say to each other: one JSON line each way per connection.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::super::lab_directory::LabDirectory;

/// A question to the supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Request {
    /// Which machines run?
    Running,
    /// Start these machines of the lab's record, where they don't run.
    Start(Vec<String>),
    /// Power these machines off.
    Halt(Vec<String>),
    /// Power all machines off, then end.
    Stop,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Response {
    /// Names of the machines that run, were started, or had to be left to be killed.
    Machines(Vec<String>),
    Failed(String),
}

/// Longer than a machine takes to power off.
const TIMEOUT: Duration = Duration::from_secs(90);

const SOCKET: &str = "control.sock";

/// Listens for requests; a socket that a dead supervisor left is replaced.
pub(super) fn listen(directory: &LabDirectory) -> io::Result<UnixListener> {
    with_short_path(directory, |path| {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        UnixListener::bind(path)
    })
}

/// Asks the supervisor; `None` when there is none, or when it ends before it answers.
pub(super) fn ask(directory: &LabDirectory, request: &Request) -> io::Result<Option<Response>> {
    let answer = with_short_path(directory, UnixStream::connect).and_then(|stream| {
        write_message(&stream, request)?;
        read_message(&stream)
    });
    match answer {
        Err(error) if is_nobody(&error) => Ok(None),
        other => other.map(Some),
    }
}

/// A process that is being killed still accepts connections until the kernel closes its socket.
fn is_nobody(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotFound, UnexpectedEof};
    matches!(
        error.kind(),
        NotFound | ConnectionRefused | ConnectionReset | BrokenPipe | UnexpectedEof
    )
}

pub(super) fn read_message<T: DeserializeOwned>(stream: &UnixStream) -> io::Result<T> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    let mut line = String::new();
    if BufReader::new(stream).read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_str(&line)?)
}

pub(super) fn write_message(mut stream: &UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// A socket's path may have 107 bytes only, so it is given relative to the open folder.
fn with_short_path<T>(
    directory: &LabDirectory,
    act: impl FnOnce(PathBuf) -> io::Result<T>,
) -> io::Result<T> {
    let folder = File::open(directory.path())?;
    act(PathBuf::from(format!(
        "/proc/self/fd/{}/{SOCKET}",
        folder.as_raw_fd()
    )))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// What a supervisor does with a connection.
    type Behaviour = fn(UnixListener);

    #[test]
    fn a_supervisor_that_ends_before_it_answers_is_none() {
        let cases: [(&str, Behaviour); 3] = [
            ("before it accepts", drop),
            ("before it reads", |listener| {
                drop(listener.accept().unwrap());
            }),
            ("before it answers", |listener| {
                let (stream, _) = listener.accept().unwrap();
                read_message::<Request>(&stream).unwrap();
            }),
        ];
        for (case, behaviour) in cases {
            let folder = tempfile::tempdir().unwrap();
            let directory = LabDirectory::at(folder.path());
            let listener = listen(&directory).unwrap();
            let supervisor = thread::spawn(move || {
                // The question is in the socket's queue by then.
                thread::sleep(Duration::from_millis(50));
                behaviour(listener);
            });
            let answer = ask(&directory, &Request::Running);
            assert_eq!(answer.unwrap(), None, "{case}");
            supervisor.join().unwrap();
        }
    }

    #[test]
    fn a_supervisor_that_answers_nonsense_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let directory = LabDirectory::at(folder.path());
        let listener = listen(&directory).unwrap();
        let supervisor = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            read_message::<Request>(&stream).unwrap();
            stream.write_all(b"nonsense\n").unwrap();
        });
        assert!(ask(&directory, &Request::Running).is_err());
        supervisor.join().unwrap();
    }
}
