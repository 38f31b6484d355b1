//! Runs VBoxManage: the one place that knows its ways.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tracing::debug;

use super::failure::{self, Failure};
use super::paths;
use super::uuid::Uuid;

/// Two of several hundred calls were seen to take ten seconds.
const PATIENCE: Duration = Duration::from_mins(2);
/// For calls that copy disks or write memory.
const LONG_PATIENCE: Duration = Duration::from_hours(1);
/// How long a lock of another process is waited for.
const LOCK_PATIENCE: Duration = Duration::from_secs(20);
/// How often a question is asked again whose failure isn't known: what is going on at a machine makes VirtualBox
/// fail in many words.
const REPEATS: u32 = 4;
/// What is said of a machine whose file can't be read.
pub const UNREADABLE: &str = "functionality is limited";
/// In English, as messages are compared with those that are known; and in UTF-8: in the plain `C`, VBoxManage cuts
/// what it lists at the first other letter, and still exits with 0.
const LOCALE: &str = if cfg!(target_os = "macos") {
    "en_US.UTF-8"
} else {
    "C.UTF-8"
};

/// VBoxManage, as a program.
#[derive(Debug)]
pub struct Manage {
    program: PathBuf,
    /// One call at a time changes a machine: more would fail at its lock.
    queues: Mutex<HashMap<Uuid, Arc<Mutex<()>>>>,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    #[error("failed to start `{program}`")]
    Start { program: PathBuf, source: io::Error },
    #[error("`VBoxManage {command}` was not done after {seconds} s")]
    Slow { command: String, seconds: u64 },
    #[error("`VBoxManage {command}` failed: {failure}")]
    Failed { command: String, failure: Failure },
}

impl ManageError {
    /// Returns whether VirtualBox doesn't know the object.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Failed { failure, .. } if failure.code() == Some("VBOX_E_OBJECT_NOT_FOUND"))
    }

    /// Returns whether the same call may succeed a moment later; `repeats` are left for failures that aren't known.
    fn is_worth_a_repeat(&self, repeats: &mut u32) -> bool {
        let Self::Failed { failure, .. } = self else {
            return false;
        };
        if failure.is_passing() {
            return true;
        }
        let is_answer = self.is_not_found() || self.says(UNREADABLE);
        let is_left = *repeats > 0 && !is_answer;
        *repeats = repeats.saturating_sub(1);
        is_left
    }

    /// Returns whether VBoxManage wrote this.
    pub fn says(&self, words: &str) -> bool {
        matches!(self, Self::Failed { failure, .. } if failure.text().contains(words))
    }
}

impl Manage {
    pub fn new(program: PathBuf) -> Self {
        Self {
            program,
            queues: Mutex::default(),
        }
    }

    /// Takes what KINSTALL_VBOXMANAGE names, else VirtualBox's own program where it is found.
    pub fn find() -> Self {
        let named = std::env::var_os("KINSTALL_VBOXMANAGE").map(PathBuf::from);
        let found = || paths::find_program(|name| std::env::var_os(name), std::path::Path::is_file);
        // Its absence is told when it is called.
        Self::new(named.or_else(found).unwrap_or_else(|| "VBoxManage".into()))
    }

    /// Returns what a call writes to its stdout.
    pub fn call(&self, arguments: &[impl AsRef<OsStr>]) -> Result<String, ManageError> {
        self.retry(arguments, PATIENCE)
    }

    /// Does the same with a call that may take long.
    pub fn call_long(&self, arguments: &[impl AsRef<OsStr>]) -> Result<String, ManageError> {
        self.retry(arguments, LONG_PATIENCE)
    }

    /// Makes a call that changes a machine, after those that are at it.
    pub fn change(
        &self,
        machine: Uuid,
        arguments: &[impl AsRef<OsStr>],
    ) -> Result<String, ManageError> {
        let queue = Arc::clone(lock(&self.queues).entry(machine).or_default());
        let _turn = lock(&queue);
        self.retry(arguments, LONG_PATIENCE)
    }

    fn retry(
        &self,
        arguments: &[impl AsRef<OsStr>],
        patience: Duration,
    ) -> Result<String, ManageError> {
        let deadline = Instant::now() + LOCK_PATIENCE;
        let mut pause = Duration::from_millis(100);
        let mut repeats = if is_question(arguments) { REPEATS } else { 0 };
        loop {
            let start = Instant::now();
            let result = self.once(arguments, patience);
            debug!(
                arguments = %words(arguments),
                milliseconds = start.elapsed().as_millis(),
                failure = result.as_ref().err().map(tracing::field::display),
                "VBoxManage"
            );
            match result {
                Err(error @ ManageError::Failed { .. })
                    if error.is_worth_a_repeat(&mut repeats) && Instant::now() < deadline =>
                {
                    thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
                result => return result,
            }
        }
    }

    fn once(
        &self,
        arguments: &[impl AsRef<OsStr>],
        patience: Duration,
    ) -> Result<String, ManageError> {
        let command = words(arguments);
        let start = |source| ManageError::Start {
            program: self.program.clone(),
            source,
        };
        let mut program = Command::new(&self.program);
        // Ctrl-C is kinstall's: it would leave a call half done.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut program, 0);
        let mut child = program
            .args(arguments)
            .env("LANG", LOCALE)
            .env("LC_ALL", LOCALE)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(start)?;
        let stdout = collect(child.stdout.take());
        let stderr = collect(child.stderr.take());
        let Some(status) = wait(&mut child, patience).map_err(start)? else {
            return Err(ManageError::Slow {
                command,
                seconds: patience.as_secs(),
            });
        };
        let stdout = stdout.join().unwrap_or_default();
        let stderr = stderr.join().unwrap_or_default();
        if status.success() {
            return Ok(stdout);
        }
        Err(ManageError::Failed {
            command,
            failure: failure::Failure::read(status.code(), &stdout, &stderr),
        })
    }
}

fn words(arguments: &[impl AsRef<OsStr>]) -> String {
    let words = arguments.iter().map(|it| it.as_ref().to_string_lossy());
    words.collect::<Vec<_>>().join(" ")
}

/// Returns whether a call only asks.
fn is_question(arguments: &[impl AsRef<OsStr>]) -> bool {
    let command = arguments.first().and_then(|it| it.as_ref().to_str());
    matches!(command, Some("list" | "showvminfo" | "getextradata"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before a broken pipe is all that there is to read.
        let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
    })
}

/// Waits for the end of a call; `None` where it took too long and was killed.
fn wait(child: &mut Child, patience: Duration) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + patience;
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}
