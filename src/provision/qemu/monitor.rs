//! QEMU's machine protocol (QMP): one question at a time to a machine that runs.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tracing::debug;

/// QEMU serves one user at a time: another kinstall may be saving a snapshot.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(2);
/// How long reading or writing a machine's memory may take.
const JOB_TIMEOUT: Duration = Duration::from_mins(15);
/// Name of the job of that; there is one at a time.
const JOB: &str = "kinstall";

/// A connection to a machine's QEMU.
pub(super) struct Monitor {
    stream: BufReader<UnixStream>,
}

/// What a machine's processors do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunState {
    Running,
    /// They stand still.
    Paused,
}

impl Monitor {
    /// Connects; `None` where no QEMU listens.
    pub(super) fn connect(folder: &Path) -> io::Result<Option<Self>> {
        let open = match File::open(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        // A socket's path may have 107 bytes only, so it is given relative to the open folder.
        let path = format!("/proc/self/fd/{}/monitor.sock", open.as_raw_fd());
        let stream = match UnixStream::connect(path) {
            Err(error) if is_nobody(&error) => return Ok(None),
            other => other?,
        };
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        let mut monitor = Self {
            stream: BufReader::new(stream),
        };
        let greeting = monitor.message();
        match greeting.and_then(|_| monitor.execute("qmp_capabilities", &json!({}))) {
            // It ended in this moment.
            Err(error) if is_end(&error) => Ok(None),
            other => other.map(|_| Some(monitor)),
        }
    }

    pub(super) fn state(&mut self) -> io::Result<RunState> {
        let answer = self.execute("query-status", &json!({}))?;
        Ok(match answer["status"].as_str() {
            Some("running") => RunState::Running,
            _ => RunState::Paused,
        })
    }

    /// Lets the machine stand still.
    pub(super) fn stop(&mut self) -> io::Result<()> {
        self.execute("stop", &json!({})).map(drop)
    }

    /// Lets the machine go on.
    pub(super) fn go_on(&mut self) -> io::Result<()> {
        self.execute("cont", &json!({})).map(drop)
    }

    /// Presses the power button.
    pub(super) fn power_down(&mut self) -> io::Result<()> {
        self.execute("system_powerdown", &json!({})).map(drop)
    }

    /// Switches the machine off; what it wrote to its disks is kept.
    pub(super) fn quit(&mut self) -> io::Result<()> {
        match self.execute("quit", &json!({})) {
            Err(error) if !is_end(&error) => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn save(&mut self, tag: &str, disks: usize) -> io::Result<()> {
        let arguments = json!({"tag": tag, "vmstate": "disk0", "devices": nodes(disks)});
        self.job("snapshot-save", arguments)
    }

    /// The machine stands still afterwards if it did before.
    pub(super) fn load(&mut self, tag: &str, disks: usize) -> io::Result<()> {
        let arguments = json!({"tag": tag, "vmstate": "disk0", "devices": nodes(disks)});
        self.job("snapshot-load", arguments)
    }

    pub(super) fn delete(&mut self, tag: &str, disks: usize) -> io::Result<()> {
        self.job(
            "snapshot-delete",
            json!({"tag": tag, "devices": nodes(disks)}),
        )
    }

    /// Runs a command of the monitor for people; what it says is an error.
    pub(super) fn command(&mut self, line: &str) -> io::Result<()> {
        let answer = self.execute("human-monitor-command", &json!({"command-line": line}))?;
        match answer.as_str().map(str::trim) {
            None | Some("") => Ok(()),
            Some(text) => Err(io::Error::other(text.to_owned())),
        }
    }

    fn job(&mut self, command: &str, mut arguments: Value) -> io::Result<()> {
        // While it works on the memory, QEMU answers nothing.
        self.stream.get_ref().set_read_timeout(Some(JOB_TIMEOUT))?;
        // A kinstall that was killed left its job behind; how that ended is nobody's business any more.
        let _ = self.end_of_job()?;
        arguments["job-id"] = json!(JOB);
        self.execute(command, &arguments)?;
        let ended = self.end_of_job()?;
        self.stream
            .get_ref()
            .set_read_timeout(Some(ANSWER_TIMEOUT))?;
        match ended {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(io::Error::other(error)),
            None => Err(io::Error::other(format!("{command} is gone"))),
        }
    }

    /// Waits for the end of the job and tells how it ended; `None` where there is no job.
    fn end_of_job(&mut self) -> io::Result<Option<Result<(), String>>> {
        let deadline = Instant::now() + JOB_TIMEOUT;
        loop {
            let jobs = self.execute("query-jobs", &json!({}))?;
            let mut jobs = jobs.as_array().into_iter().flatten();
            let Some(job) = jobs.find(|job| job["id"] == JOB) else {
                return Ok(None);
            };
            if job["status"] == "concluded" {
                self.execute("job-dismiss", &json!({"id": JOB}))?;
                let error = job["error"].as_str().map(str::to_owned);
                return Ok(Some(error.map_or(Ok(()), Err)));
            }
            if Instant::now() > deadline {
                return Err(io::Error::other("its work on the memory doesn't end"));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn execute(&mut self, command: &str, arguments: &Value) -> io::Result<Value> {
        let start = Instant::now();
        let result = self.request(command, arguments);
        debug!(
            command,
            %arguments,
            milliseconds = start.elapsed().as_millis(),
            failure = result.as_ref().err().map(tracing::field::display),
            "QEMU's monitor"
        );
        result
    }

    fn request(&mut self, command: &str, arguments: &Value) -> io::Result<Value> {
        let mut line = json!({"execute": command, "arguments": arguments}).to_string();
        line.push('\n');
        self.stream.get_mut().write_all(line.as_bytes())?;
        loop {
            let mut message = self.message()?;
            if let Some(value) = message.get_mut("return") {
                return Ok(value.take());
            }
            if let Some(error) = message.get("error") {
                let detail = error["desc"].as_str().unwrap_or("it refuses");
                return Err(io::Error::other(detail.to_owned()));
            }
        }
    }

    fn message(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        match self.stream.read_line(&mut line) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "QEMU doesn't answer",
                ));
            }
            other => other?,
        };
        Ok(serde_json::from_str(&line)?)
    }
}

fn nodes(disks: usize) -> Vec<String> {
    (0..disks).map(|index| format!("disk{index}")).collect()
}

fn is_nobody(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, NotFound};
    matches!(error.kind(), NotFound | ConnectionRefused)
}

fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | BrokenPipe)
}
