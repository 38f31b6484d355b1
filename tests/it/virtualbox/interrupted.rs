//! Ctrl-C while VBoxManage is at work.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use kinstall::bundle::Manifest;
use rustix::process::{Pid, Signal, kill_process};

use super::lab::TestLab;

const INVENTORY: &str = "[all]
node1 ansible_host=192.168.56.11
[all:vars]
kinstall_provider=virtualbox
machine_image=./image.qcow2
machine_memory=64
[kube_control_plane]
node1
[etcd]
node1
[kube_node]
node1
";

/// How long a clone takes here.
const CLONE: Duration = Duration::from_secs(20);

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn ctrl_c_does_not_wait_for_vboxmanage_and_down_cleans_up() {
    let test = TestLab::new("ctrl-c", 0);
    let before = test.inventory();
    let root = test.root();
    let slow = root.join("slow");
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = clonevm ]; then touch {root}/clones; sleep {}; touch {root}/cloned; fi\nexec {root}/VBoxManage \"$@\"\n",
        CLONE.as_secs(),
        root = root.display()
    );
    fs::write(&slow, script).unwrap();
    fs::set_permissions(&slow, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(root.join("inventory.ini"), INVENTORY).unwrap();
    // What is installed plays no part: it doesn't come to that.
    let manifest: Manifest = serde_json::from_value(serde_json::json!({
        "format": 2, "kinstall": "0", "blobs": {}, "releases": {"1.37": {"architecture": "amd64",
            "components": {}, "programs": {}, "images": {}, "files": {}, "node_programs": []}},
    }))
    .unwrap();
    fs::create_dir(root.join("bundle")).unwrap();
    manifest.save(&root.join("bundle/manifest.json")).unwrap();
    let kinstall = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kinstall"));
        command
            .args(arguments)
            .current_dir(root)
            .env("HOME", root)
            .env("XDG_DATA_HOME", root.join("data"))
            .env("KINSTALL_CACHE", root.join("cache"))
            .env("KINSTALL_BUNDLE", root.join("bundle"))
            .env("KINSTALL_VBOXMANAGE", &slow)
            .stdin(Stdio::null());
        command
    };
    let mut up = kinstall(&["up"]).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while !root.join("clones").exists() {
        assert!(Instant::now() < deadline, "no clone");
        assert!(up.try_wait().unwrap().is_none(), "it ended before");
        thread::sleep(Duration::from_millis(10));
    }
    kill_process(Pid::from_child(&up), Signal::INT).unwrap();
    assert_eq!(up.wait().unwrap().code(), Some(130));
    assert!(!root.join("cloned").exists(), "it waited");
    assert!(kinstall(&["down", "--yes"]).status().unwrap().success());
    while !root.join("cloned").exists() {
        thread::sleep(Duration::from_millis(100));
    }
    // What the call then does fails, as what it clones is gone.
    thread::sleep(Duration::from_secs(2));
    assert_eq!(test.inventory(), before);
    assert!(!root.join(".kinstall").exists());
}
