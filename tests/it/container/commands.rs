//! The commands that drive machines, on real ones without a cluster.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::program::playbooks_without_steps;

const INVENTORY: &str = "[all]
cp ansible_host=192.168.56.11 ip=192.168.56.11
n1 ansible_host=192.168.56.21 ip=192.168.56.21
n2 ansible_host=192.168.56.22 ip=192.168.56.22
[kube_control_plane]
cp
[etcd]
cp
[kube_node]
n1
n2
[all:vars]
kinstall_provider=container
kinstall_egress=false
machine_memory=1024
";

/// A folder with an inventory; its lab is torn down when the test ends.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("inventory.ini", INVENTORY);
        folder.write(
            "bundle/manifest.json",
            r#"{"format": 2, "kinstall": "0", "blobs": {}, "releases": {"1.37": {"architecture": "amd64",
            "components": {}, "programs": {}, "images": {}, "files": {}, "node_programs": []}}}"#,
        );
        // Only the machines are of interest.
        for (name, text) in playbooks_without_steps() {
            folder.write(&format!("overrides/playbooks/{name}"), &text);
        }
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_kinstall"))
            .current_dir(self.0.path())
            .env("KINSTALL_BUNDLE", self.path("bundle"))
            .env("KINSTALL_CACHE", env!("CARGO_TARGET_TMPDIR"))
            .args(["--overrides", "overrides"])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs a command that must end like this; returns stdout and stderr.
    #[track_caller]
    fn ends(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{text}");
        text
    }

    /// Returns each machine's state, in the inventory's order.
    fn states(&self) -> Vec<String> {
        let output = self.run(&["status", "--output", "json"]);
        let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let hosts = status["hosts"].as_array().unwrap().iter();
        hosts
            .map(|it| it["machine"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Runs a command on a host with the ordinary ssh client and the configuration of `ssh-config`.
    fn ssh(&self, host: &str, command: &str) -> String {
        let config = self.run(&["ssh-config"]).stdout;
        fs::write(self.path("config"), config).unwrap();
        let output = Command::new("ssh")
            .arg("-F")
            .arg(self.path("config"))
            .args(["-o", "BatchMode=yes", host, command])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&text).trim().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = self.run(&["down", "--yes", "--hosts-file", "hosts"]);
    }
}

#[test]
#[ignore = "needs root: `./test container`"]
fn machines_are_switched_named_reached_and_removed() {
    let lab = Folder::new();
    lab.ends(0, &["up"]);
    assert_eq!(lab.states(), ["running", "running", "running"]);

    let text = lab.ends(0, &["halt", "n1", "--output", "json"]);
    assert_eq!(
        text,
        "{\"machine\":{\"host\":\"n1\",\"state\":\"halted\"}}\n"
    );
    assert_eq!(lab.states(), ["running", "stopped", "running"]);
    assert!(lab.ends(0, &["start"]).contains("n1  accepts logins\n"));
    assert_eq!(lab.states(), ["running", "running", "running"]);
    assert!(lab.ends(0, &["restart", "n2"]).contains("n2  started\n"));
    assert!(lab.ends(4, &["suspend"]).contains("can't be suspended"));
    lab.ends(0, &["console", "n1"]);

    assert_eq!(lab.ssh("n2", "hostname; sudo -n id -un"), "n2\nroot");

    lab.write("hosts", "127.0.0.1 localhost\n");
    lab.ends(0, &["hosts", "--write", "--hosts-file", "hosts"]);

    assert!(
        lab.ends(4, &["down", "--yes", "cp"])
            .contains("no control plane")
    );
    assert!(
        lab.ends(130, &["down", "n1"])
            .contains("nothing was removed")
    );
    let text = lab.ends(0, &["down", "--yes", "n1"]);
    assert!(text.contains("`kinstall node remove n1`"), "{text}");
    assert_eq!(lab.states(), ["running", "absent", "running"]);
    assert!(
        lab.ends(4, &["halt", "n1"])
            .contains("`kinstall up` makes it")
    );

    // The inventory doesn't have it any more: it goes if the user says so.
    let without = INVENTORY.replace("n2 ansible_host=192.168.56.22 ip=192.168.56.22\n", "");
    lab.write("inventory.ini", &without.replace("\nn2\n", "\n"));
    assert!(lab.ends(2, &["plan"]).contains("- machine (remove"));
    let text = lab.ends(0, &["up"]);
    assert!(text.contains("n2 stays"), "{text}");
    let text = lab.ends(0, &["up", "--yes"]);
    assert!(text.contains("machine removed"), "{text}");
    assert_eq!(lab.states(), ["running", "running"]);
    lab.ends(0, &["plan"]);

    let text = lab.ends(0, &["down", "--yes", "--hosts-file", "hosts"]);
    assert!(
        text.contains("Removed the lab's names from hosts"),
        "{text}"
    );
    let hosts = fs::read_to_string(lab.path("hosts")).unwrap();
    assert_eq!(hosts, "127.0.0.1 localhost\n");
    assert!(!lab.path(".kinstall").exists());
}
