//! The images that `tests/guest/build` makes, built when they are missing.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Returns a cloud image (qcow2) that cloud-init sets up.
pub fn cloud() -> PathBuf {
    build("cloud")
}

/// Returns a Vagrant box for VirtualBox: user `vagrant`, the key that all boxes have, no cloud-init.
pub fn vagrant_box() -> PathBuf {
    super::virtualbox::install();
    build("box")
}

fn build(flavour: &str) -> PathBuf {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guest/build");
    let output = Command::new(script)
        .arg(flavour)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "`{script} {flavour}` failed");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
}
