//! Runs the program as a user does, in a folder with an inventory of its own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use kinstall::bundle::Manifest;
use tempfile::TempDir;

/// A folder with an inventory, a bundle without parts, and a home without keys.
pub struct Project {
    folder: TempDir,
    /// What differs from run to run, and what stands for it in snapshots.
    names: Vec<(String, &'static str)>,
}

impl Project {
    /// Makes a project with an inventory of one host, which this line describes.
    pub fn of_host(line: &str) -> Self {
        Self::with_inventory(&format!(
            "[all]\n{line}\n[kube_control_plane]\nnode1\n[etcd]\nnode1\n[kube_node]\nnode1\n\
             [all:vars]\nkube_network_plugin=flannel\n"
        ))
    }

    /// Makes a project with an inventory.
    pub fn with_inventory(text: &str) -> Self {
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
            names: Vec::new(),
        };
        project.write("inventory.ini", text);
        fs::create_dir(project.path("home")).unwrap();
        let manifest: Manifest = serde_json::from_value(serde_json::json!({
            "format": 2, "kinstall": "0", "blobs": {}, "releases": {"1.37": {"architecture": "amd64",
            "components": {}, "programs": {}, "images": {}, "files": {}, "node_programs": []}},
        }))
        .unwrap();
        fs::create_dir(project.path("bundle")).unwrap();
        manifest
            .save(&project.path("bundle/manifest.json"))
            .unwrap();
        project
    }

    /// Puts a playbook without steps in the place of each built-in one: there is nothing to install.
    pub fn without_steps(self) -> Self {
        for (name, text) in playbooks_without_steps() {
            self.write(&format!("overrides/playbooks/{name}"), &text);
        }
        self
    }

    /// Shows a text as this name in snapshots.
    pub fn hiding(mut self, text: impl Into<String>, name: &'static str) -> Self {
        self.names.push((text.into(), name));
        self
    }

    /// Returns a path in the project's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Returns whether anything is kept beside the inventory.
    pub fn keeps_state(&self) -> bool {
        self.path(".kinstall").exists()
    }

    /// Prepares the program in this folder, with nothing of the user who runs the tests.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kinstall"));
        self.prepare(&mut command);
        if self.path("overrides").exists() {
            command.arg("--overrides").arg(self.path("overrides"));
        }
        command.args(arguments);
        command
    }

    /// Runs the program; returns how it ended and what it said. One that hangs is ended, with exit code 124.
    pub fn run(&self, arguments: &[&str]) -> String {
        let program = self.command(arguments);
        let mut limited = Command::new("timeout");
        limited.args(["--kill-after=10", "180"]);
        limited.arg(program.get_program()).args(program.get_args());
        self.prepare(&mut limited);
        self.text(&limited.output().unwrap())
    }

    /// Runs a command in place of the program itself.
    pub fn prepare(&self, command: &mut Command) {
        command
            .current_dir(self.folder.path())
            .env("HOME", self.path("home"))
            // Where the compressed agent is kept from test to test.
            .env("KINSTALL_CACHE", env!("CARGO_TARGET_TMPDIR"))
            .env("KINSTALL_BUNDLE", self.path("bundle"))
            .env_remove("SSH_AUTH_SOCK")
            .env_remove("KUBECONFIG")
            .stdin(Stdio::null());
    }

    /// Returns exit code, stdout and stderr, without what differs from run to run.
    pub fn text(&self, output: &Output) -> String {
        let mut text = format!("exit code {}\n", output.status.code().unwrap());
        for (name, bytes) in [("stdout", &output.stdout), ("stderr", &output.stderr)] {
            if !bytes.is_empty() {
                write!(text, "--- {name}\n{}", String::from_utf8_lossy(bytes)).unwrap();
            }
        }
        self.steady(&text)
    }

    /// Returns the logs of all runs.
    pub fn log(&self) -> String {
        let runs = fs::read_dir(self.path(".kinstall/runs")).unwrap();
        let paths = runs.map(|entry| entry.unwrap().path());
        let logs = paths.filter(|path| path.extension().is_some_and(|it| it == "log"));
        logs.map(|path| fs::read_to_string(path).unwrap()).collect()
    }

    fn steady(&self, text: &str) -> String {
        let folder = self.folder.path();
        let mut text = text
            .replace(&folder.canonicalize().unwrap().display().to_string(), "DIR")
            .replace(&folder.display().to_string(), "DIR");
        for (from, to) in &self.names {
            text = text.replace(from.as_str(), to);
        }
        text.lines()
            .map(without_seconds)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

/// Progress begins with the seconds since the start, and a recap ends with all of them.
fn without_seconds(line: &str) -> String {
    if line.starts_with("took ") {
        return "took 0.0 s".to_owned();
    }
    match line.split_once("s  ") {
        Some((seconds, rest)) if seconds.trim().parse::<f64>().is_ok() => {
            format!("   0.0s  {rest}")
        }
        _ => line.to_owned(),
    }
}

/// Returns the files below a folder, sorted.
pub fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap();
                found.push(name.display().to_string());
            }
        }
    }
    found.sort();
    found
}

/// Returns name and text of a playbook without steps for each one of `up`; those of other actions are in folders.
pub fn playbooks_without_steps() -> Vec<(String, String)> {
    let files = |folder: &str| {
        let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let own = files("playbooks").into_iter();
    let own = own.filter(|path| path.extension().is_some_and(|it| it == "yml"));
    let own = own.map(|path| (path.file_name().unwrap().to_owned(), path));
    let addons = files("addons").into_iter().filter(|path| path.is_dir());
    let addons = addons.map(|folder| {
        let mut name = folder.file_name().unwrap().to_owned();
        name.push(".yml");
        (name, folder.join("playbook.yml"))
    });
    own.chain(addons)
        .map(|(name, path)| {
            let text = fs::read_to_string(&path).unwrap();
            let heads = [
                "component:",
                "phase:",
                "upgrade_phase:",
                "authorities_phase:",
            ];
            let is_head = |line: &&str| heads.iter().any(|head| line.starts_with(head));
            let head: Vec<&str> = text.lines().filter(is_head).collect();
            let name = name.into_string().unwrap();
            (name, format!("{}\nsteps: []\n", head.join("\n")))
        })
        .collect()
}
