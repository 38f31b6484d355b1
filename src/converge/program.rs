//! Programs that run on the node: in a process group of their own, watched, their output told line by line.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::pipes::{Pipes, Source};
use super::tail::Tail;
use super::{Node, ResourceError};
use crate::resource::command_line::{quoted, redact};

/// How long a program has between the request to stop and the end.
const GRACE: Duration = Duration::from_secs(10);
/// How often a silent program is looked at.
const TICK: Duration = Duration::from_millis(50);
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The environment variable by which all that an agent starts is known: its process id.
pub const OF_AGENT: &str = "KINSTALL_AGENT";
/// How a proxy is named in the environment, in small or in capital letters.
const PROXIES: [&str; 5] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "all_proxy",
    "no_proxy",
];

/// A program to run.
pub struct Program {
    argv: Vec<String>,
    environment: Vec<(String, String)>,
    timeout: Duration,
    critical: bool,
    through_proxy: bool,
    feed: Option<Feed>,
    /// Both outputs go through one pipe, so that their lines keep their order.
    merged: bool,
}

/// Writes a program's input.
type Feed = Box<dyn FnOnce(ChildStdin) -> io::Result<()> + Send>;

/// What a program did.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: String,
    /// Last lines, for an error.
    tail: Vec<String>,
}

impl Program {
    /// A program by its arguments, the first of which is the program.
    pub fn new<T: Into<String>>(argv: impl IntoIterator<Item = T>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            timeout: Duration::from_mins(1),
            critical: false,
            through_proxy: false,
            feed: None,
            merged: false,
        }
    }

    /// Adds environment variables.
    #[must_use]
    pub fn environment(mut self, variables: &[(String, String)]) -> Self {
        self.environment.extend_from_slice(variables);
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.argv.push(argument.to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments(mut self, arguments: &[String]) -> Self {
        self.argv.extend_from_slice(arguments);
        self
    }

    /// Sets the seconds after which the program is stopped; 60 by default.
    #[must_use]
    pub fn timeout(mut self, seconds: u32) -> Self {
        self.timeout = Duration::from_secs(seconds.into());
        self
    }

    /// A critical program is not stopped when the controller goes away.
    #[must_use]
    pub fn critical(mut self, critical: bool) -> Self {
        self.critical = critical;
        self
    }

    /// The program fetches from the network, so it is told of the proxy that the node's environment
    /// names. All others talk to the node and to the cluster, where a proxy is only in the way.
    #[must_use]
    pub fn through_proxy(mut self) -> Self {
        self.through_proxy = true;
        self
    }

    /// Gives the program an input.
    #[must_use]
    pub fn feed(
        mut self,
        feed: impl FnOnce(ChildStdin) -> io::Result<()> + Send + 'static,
    ) -> Self {
        self.feed = Some(Box::new(feed));
        self
    }

    /// Runs the program in silence and returns what it wrote, however it ended.
    pub fn capture(self, node: &Node) -> Result<Finished, ResourceError> {
        let mut stdout = String::new();
        let mut finished = self.watch(node, |source, line| {
            if source == Source::Stdout {
                stdout.push_str(line);
                stdout.push('\n');
            }
        })?;
        finished.stdout = stdout;
        Ok(finished)
    }

    /// Runs the program in silence; anything but success is an error.
    pub fn output(self, node: &Node) -> Result<String, ResourceError> {
        let command = self.command();
        self.capture(node)?.success(command)
    }

    /// Runs the program and tells its output; anything but success is an error.
    pub fn run(mut self, node: &Node) -> Result<(), ResourceError> {
        let command = self.command();
        self.merged = true;
        self.watch(node, |_, line| node.tell(line))?
            .success(command)
            .map(drop)
    }

    fn command(&self) -> String {
        quoted(&self.argv)
    }

    fn watch(
        mut self,
        node: &Node,
        mut on_line: impl FnMut(Source, &str),
    ) -> Result<Finished, ResourceError> {
        if !self.critical {
            node.cancel().check_now()?;
        }
        let (mut child, mut pipes) = self.spawn(node)?;
        let feeding = self
            .feed
            .take()
            .zip(child.stdin.take())
            .map(|(feed, stdin)| thread::spawn(move || feed(stdin)));
        let mut tail = Tail::default();
        let mut take = |source: Source, line: String| {
            let line = redact(&line);
            on_line(source, &line);
            // Where the two are apart, the reason of a failure is on the standard error.
            if source != Source::Stdout {
                tail.push(&line);
            }
        };
        let deadline = Instant::now() + self.timeout;
        let status = loop {
            if let Some(status) = self.poll(&mut child)? {
                break status;
            }
            if !self.critical && node.cancel().is_now() {
                stop(&mut child);
                return Err(ResourceError::Interrupted);
            }
            if Instant::now() > deadline {
                stop(&mut child);
                pipes.finish(&mut take);
                return Err(ResourceError::Timeout {
                    command: self.command(),
                    seconds: self.timeout.as_secs(),
                    output: tail.into_lines(),
                });
            }
            pipes.wait(TICK).map_err(|source| self.failed(source))?;
            pipes.read(&mut take);
        };
        pipes.finish(&mut take);
        if let Some(Ok(Err(error))) = feeding.map(thread::JoinHandle::join)
            && status.success()
        {
            return Err(ResourceError::File {
                action: "write the input of",
                path: self.command(),
                source: error,
            });
        }
        Ok(Finished {
            status,
            stdout: String::new(),
            tail: tail.into_lines(),
        })
    }

    fn spawn(&self, node: &Node) -> Result<(Child, Pipes), ResourceError> {
        let failed = |source| self.failed(source);
        let (program, arguments) = self
            .argv
            .split_first()
            .ok_or_else(|| failed(io::Error::other("there is no program")))?;
        let mut command = Command::new(program);
        // What a login brings along (proxies above all) is not meant for the cluster's own programs.
        command
            .args(arguments)
            .env_clear()
            .env("PATH", search_path(node))
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", "/root")
            .envs(self.proxies())
            .env(OF_AGENT, std::process::id().to_string())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(node.path("/"))
            .process_group(0);
        if self.feed.is_some() {
            command.stdin(Stdio::piped());
        } else {
            command.stdin(Stdio::null());
        }
        let mut pipes = Pipes::default();
        if self.merged {
            let (reader, writer) = io::pipe().map_err(failed)?;
            let second = writer.try_clone().map_err(failed)?;
            let child = command.stdout(writer).stderr(second).spawn();
            pipes.add(Source::Both, reader).map_err(failed)?;
            return Ok((child.map_err(failed)?, pipes));
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        if let Some(pipe) = child.stdout.take() {
            pipes.add(Source::Stdout, pipe).map_err(failed)?;
        }
        if let Some(pipe) = child.stderr.take() {
            pipes.add(Source::Stderr, pipe).map_err(failed)?;
        }
        Ok((child, pipes))
    }

    fn proxies(&self) -> Vec<(String, String)> {
        if !self.through_proxy {
            return Vec::new();
        }
        std::env::vars()
            .filter(|(name, _)| PROXIES.contains(&name.to_lowercase().as_str()))
            .collect()
    }

    fn poll(&self, child: &mut Child) -> Result<Option<ExitStatus>, ResourceError> {
        child.try_wait().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> ResourceError {
        ResourceError::Start {
            program: self.argv.first().cloned().unwrap_or_default(),
            source,
        }
    }
}

impl Finished {
    /// Returns what the program wrote to its standard output, if it ended well.
    pub fn success(self, command: String) -> Result<String, ResourceError> {
        if self.status.success() {
            return Ok(self.stdout);
        }
        Err(ResourceError::Command {
            command,
            status: describe(self.status),
            output: self.tail,
        })
    }
}

/// Tells whether a program of this name is in the node's search path.
pub fn exists(program: &str, node: &Node) -> bool {
    if program.contains('/') {
        return node.path(program).exists();
    }
    PATH.split(':')
        .any(|folder| node.path(folder).join(Path::new(program)).exists())
}

/// A root that isn't `/` has its own programs in front of the machine's.
fn search_path(node: &Node) -> String {
    format!("{}:{PATH}", node.path("/usr/local/bin").display())
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// Asks the whole process group to end, then makes it.
fn stop(child: &mut Child) {
    let group = Pid::from_child(child);
    // A group that is gone already is what is wanted.
    let _ = kill_process_group(group, Signal::TERM);
    let end = Instant::now() + GRACE;
    while Instant::now() < end && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(TICK);
    }
    let _ = kill_process_group(group, Signal::KILL);
    let _ = child.wait();
}

#[cfg(test)]
mod tests;
