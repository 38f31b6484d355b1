//! The real VirtualBox, with a home and a network of a test's own, and QEMU to run its machines.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Installs VirtualBox for the tests, where that has not been done.
pub fn install() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/virtualbox/install");
    assert!(
        Command::new(script).status().unwrap().success(),
        "`{script}` failed"
    );
}

/// A VirtualBox that only this test sees. Its host-only networks are bridges in a network namespace of its own.
///
/// When dropped, whatever still runs is ended, by process number, and the folder and the namespace are gone.
pub struct VirtualBox {
    folder: TempDir,
    name: String,
    program: PathBuf,
}

impl VirtualBox {
    pub fn new() -> Self {
        install();
        let folder = tempfile::Builder::new()
            .prefix("kinstall-vb-")
            .tempdir()
            .unwrap();
        let name = folder
            .path()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let program = stand_in();
        for part in ["home", "machines", "state", "bin"] {
            fs::create_dir(folder.path().join(part)).unwrap();
        }
        std::os::unix::fs::symlink(&program, folder.path().join("bin/VBoxManage")).unwrap();
        let this = Self {
            folder,
            name,
            program,
        };
        done(
            &Command::new("ip")
                .args(["netns", "add", &this.name])
                .output()
                .unwrap(),
        );
        done(
            &this
                .command("ip")
                .args(["link", "set", "lo", "up"])
                .output()
                .unwrap(),
        );
        let machines = this.path("machines");
        done(&this.manage([
            "setproperty".as_ref(),
            "machinefolder".as_ref(),
            machines.as_os_str(),
        ]));
        this
    }

    /// Returns a path in this test's folder: `machines` is VirtualBox's machine folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns a command in the network namespace that sees this VirtualBox only; `VBoxManage` is on its PATH.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .args(["netns", "exec", &self.name])
            .arg(program)
            .env("VBOX_USER_HOME", self.path("home"))
            .env("VBOX_IPC_SOCKETID", &self.name)
            .env("KINSTALL_TEST_HOST_ONLY", "1")
            .env("KINSTALL_STAND_IN_STATE", self.path("state"))
            .env("PATH", format!("{}:{path}", self.path("bin").display()));
        command
    }

    /// Calls VBoxManage.
    pub fn manage<I: IntoIterator<Item: AsRef<OsStr>>>(&self, arguments: I) -> Output {
        self.command(&self.program)
            .args(arguments)
            .output()
            .unwrap()
    }

    /// Returns all that VirtualBox knows and has on disk.
    pub fn inventory(&self) -> String {
        let lists = ["vms", "hdds", "dvds", "hostonlyifs", "dhcpservers"];
        let mut text = String::new();
        for kind in lists {
            let output = self.manage(["list", kind]);
            let listed = String::from_utf8_lossy(&output.stdout).into_owned();
            text.extend(["-- ", kind, "\n", &listed]);
        }
        let extra = self.manage(["getextradata", "global", "enumerate"]);
        text.push_str(&String::from_utf8_lossy(&extra.stdout));
        let found = Command::new("find").arg(self.path("machines")).output();
        let found = found.unwrap().stdout;
        let mut paths: Vec<_> = str::from_utf8(&found).unwrap().lines().collect();
        paths.sort_unstable();
        text.push_str(&paths.join("\n"));
        text
    }

    /// Returns the processes that belong to this VirtualBox: the service, its helpers, machines.
    pub fn processes(&self) -> Vec<rustix::process::Pid> {
        let mine = format!("VBOX_IPC_SOCKETID={}", self.name);
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let number = entry.file_name().to_string_lossy().parse().unwrap_or(0);
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let is_mine = environment
                .split(|byte| *byte == 0)
                .any(|it| it == mine.as_bytes());
            found.extend(rustix::process::Pid::from_raw(number).filter(|_| is_mine));
        }
        found
    }
}

impl Drop for VirtualBox {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_what_machines_said();
        }
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline {
            let left = self.processes();
            if left.is_empty() {
                break;
            }
            for process in left {
                let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = Command::new("ip")
            .args(["netns", "delete", &self.name])
            .output();
    }
}

impl VirtualBox {
    fn show_what_machines_said(&self) {
        for file in fs::read_dir(self.path("state"))
            .into_iter()
            .flatten()
            .flatten()
        {
            if file.path().extension().is_some_and(|it| it == "log") {
                let said = fs::read_to_string(file.path()).unwrap_or_default();
                eprintln!("{}\n{said}", file.path().display());
            }
        }
    }
}

/// Builds the stand-in, which is an example so that it is no part of the product.
fn stand_in() -> PathBuf {
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--locked",
            "--example",
            "virtualbox-stand-in",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(status.unwrap().success(), "the stand-in didn't build");
    // A test binary is target/<profile>/deps/<name>.
    let test = std::env::current_exe().unwrap();
    let built = test
        .ancestors()
        .nth(2)
        .unwrap()
        .join("examples/virtualbox-stand-in");
    assert!(built.exists(), "no {}", built.display());
    built
}

fn done(output: &Output) {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
