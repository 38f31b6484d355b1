//! Runs the program as a user would, with a lab of its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::guest::virtualbox::VirtualBox;

/// A folder with an inventory; its lab is taken down when the test ends.
pub struct Kinstall {
    directory: tempfile::TempDir,
    virtual_box: Option<VirtualBox>,
}

impl Kinstall {
    /// Copies `inventory/lab` to a folder of its own.
    pub fn with_the_lab_inventory() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventory/lab");
        copy(&source, directory.path());
        // The tests' workload runs this image; nodes have no way out to pull another.
        std::fs::write(
            directory.path().join("group_vars/all/tests.yml"),
            // The computer's firewall stays as it is; tests/it/container/egress.rs has a computer of its own.
            "preload_images: [agnhost]\nkinstall_egress: false\n",
        )
        .unwrap();
        Self {
            directory,
            virtual_box: None,
        }
    }

    /// Writes `inventory.ini` to a folder of its own.
    pub fn with_inventory(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("inventory.ini"), text).unwrap();
        Self {
            directory,
            virtual_box: None,
        }
    }

    /// From now on kinstall runs where it sees this VirtualBox only.
    pub fn run_in(&mut self, virtual_box: VirtualBox) {
        self.virtual_box = Some(virtual_box);
    }

    pub fn virtual_box(&self) -> Option<&VirtualBox> {
        self.virtual_box.as_ref()
    }

    /// Returns a path in the inventory's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `up` changes nothing, and `plan` shows nothing: all is as it should be.
    pub fn changes_nothing(&self) {
        let again = self.run(&["up"]);
        again.expect_code(0);
        assert!(again.stderr().contains("0 changed"), "{}", again.stderr());
        self.run(&["plan"]).expect_code(0);
    }

    /// Replaces text in a file of the inventory; the text must be there.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} does not contain {from:?}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Prepares a command of kinstall.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.outside(program());
        command.args(arguments);
        command
    }

    /// Prepares a command of another program, where kinstall runs.
    pub fn outside(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = match &self.virtual_box {
            Some(virtual_box) => virtual_box.command(program),
            None => Command::new(program),
        };
        command
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command and returns what came out of it.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        let output = self.command(arguments).output().unwrap();
        Finished {
            what: arguments.join(" "),
            output,
        }
    }

    /// Runs a command that must succeed; returns its stdout.
    pub fn ok(&self, arguments: &[&str]) -> String {
        self.run(arguments).expect_code(0)
    }

    /// Runs kubectl on the control plane; returns its stdout.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        self.ok(&[
            &["ssh", "controll-plane", "--", "sudo", "kubectl"],
            arguments,
        ]
        .concat())
    }

    /// Runs kubectl with `-o json`.
    pub fn objects(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.kubectl(&[arguments, &["-o", "json"]].concat())).unwrap()
    }

    /// Applies manifests through kubectl's stdin.
    pub fn apply(&self, manifests: &str) {
        self.apply_on("controll-plane", manifests);
    }

    /// Applies manifests through the stdin of kubectl on this host.
    pub fn apply_on(&self, host: &str, manifests: &str) {
        use std::io::Write as _;
        let arguments = ["ssh", host, "--", "sudo", "kubectl", "apply", "-f", "-"];
        let mut command = self.command(&arguments);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(manifests.as_bytes())
            .unwrap();
        assert!(
            child.wait_with_output().unwrap().status.success(),
            "kubectl apply failed"
        );
    }

    /// Identity of the lab on this computer, once it has machines.
    pub fn lab_id(&self) -> String {
        let state = std::fs::read(self.path(".kinstall/lab.json")).unwrap();
        let state: serde_json::Value = serde_json::from_slice(&state).unwrap();
        state["id"].as_str().unwrap().to_owned()
    }

    /// Runs a command inside the lab's network; returns its stdout if it succeeds.
    pub fn in_network(&self, command: &[&str]) -> Option<String> {
        let finished = self.run(&[&["net", "--"], command].concat());
        finished.output.status.success().then(|| finished.stdout())
    }
}

impl Drop for Kinstall {
    fn drop(&mut self) {
        let output = self.command(&["down", "--yes"]).output();
        let is_down = output.is_ok_and(|output| output.status.success());
        assert!(is_down || std::thread::panicking(), "kinstall down failed");
    }
}

/// A command that ended.
pub struct Finished {
    what: String,
    pub output: Output,
}

impl Finished {
    /// Checks the exit code; returns stdout.
    #[track_caller]
    pub fn expect_code(&self, code: i32) -> String {
        let (stdout, stderr) = (self.stdout(), self.stderr());
        assert_eq!(
            self.output.status.code(),
            Some(code),
            "kinstall {}\n--- stdout\n{stdout}\n--- stderr\n{stderr}",
            self.what
        );
        stdout
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }
}

/// A command that runs.
pub struct Started {
    child: std::process::Child,
    stderr: std::io::BufReader<std::process::ChildStderr>,
}

impl Started {
    /// Takes a child whose stdout and stderr are pipes.
    pub fn of(mut child: std::process::Child) -> Self {
        let stderr = std::io::BufReader::new(child.stderr.take().unwrap());
        Self { child, stderr }
    }

    /// Waits for a line with a text on stderr.
    pub fn wait_for(&mut self, text: &str) {
        use std::io::BufRead as _;
        let mut said = String::new();
        while !said.contains(text) {
            assert_ne!(self.stderr.read_line(&mut said).unwrap(), 0, "{said}");
        }
    }

    /// Ends it by Ctrl-C; returns stdout.
    pub fn interrupted(self) -> String {
        let mut kill = Command::new("kill");
        let status = kill.args(["-INT", &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
        self.stdout()
    }

    /// Waits for its end; returns stdout.
    pub fn stdout(self) -> String {
        // Whoever still writes to stderr must not be stopped by a full pipe.
        let mut stderr = self.stderr;
        let drained = std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        let output = self.child.wait_with_output().unwrap();
        let _ = drained.join();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Tries until it is true; fails with the description after `seconds`.
#[track_caller]
pub fn eventually(description: &str, seconds: u64, mut condition: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
    while !condition() {
        assert!(
            std::time::Instant::now() < deadline,
            "not within {seconds} s: {description}"
        );
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
}

/// The release build where `./test` made one: it is what users run, and it is the agent on the nodes.
pub fn program() -> PathBuf {
    std::env::var_os("KINSTALL_PROGRAM").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_kinstall")),
        PathBuf::from,
    )
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            if entry.file_name() != ".kinstall" {
                copy(&source, &target);
            }
        } else {
            std::fs::copy(source, target).unwrap();
        }
    }
}
