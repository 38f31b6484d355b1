//! Built programs, started for a test and stopped with it.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running program; stopped when it goes.
pub struct Started {
    child: Child,
    log: PathBuf,
}

impl Started {
    /// Starts a built program; what it prints goes to a file in `folder`.
    pub fn new(name: &str, arguments: &[String], folder: &Path) -> Self {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).unwrap();
        let child = Command::new(program(name))
            .arg0(name)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Self { child, log }
    }

    /// Waits for a sign of life; shows the log where none comes.
    pub fn wait_until(&mut self, what: &str, is_ready: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_mins(2);
        while !is_ready() {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() || Instant::now() > end {
                let log = std::fs::read_to_string(&self.log).unwrap();
                panic!("{what} is not there ({ended:?}):\n{log}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Finds a built program in the folder or in one of its folders; Kubernetes' servers are all one
/// program, which goes by its name.
pub fn program(name: &str) -> PathBuf {
    let name = if name.starts_with("kube-") {
        "kube"
    } else {
        name
    };
    let folder = std::env::var("KINSTALL_TEST_PROGRAMS")
        .expect("KINSTALL_TEST_PROGRAMS names no folder with the built programs");
    let folder = Path::new(&folder);
    std::iter::once(folder.join(name))
        .chain(
            folder
                .read_dir()
                .unwrap()
                .map(|entry| entry.unwrap().path().join(name)),
        )
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("no `{name}` in {}", folder.display()))
}
