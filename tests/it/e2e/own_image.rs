//! An image that a test makes, as `docker save` writes it.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::Stdio;

use kinstall::bundle::{Bundle, bundle_directory};
use kinstall::resource::Sha256;
use serde_json::json;

use super::kinstall::{Kinstall, eventually};

const NAME: &str = "my/app:dev";

/// Loads it, runs it, loads it again, and takes it away.
pub fn is_loaded_and_runs(lab: &Kinstall) {
    let archive = archive();
    let loaded = load(lab, &archive);
    assert!(loaded.contains("\"upload\""), "{loaded}");
    lab.kubectl(&["run", "app", &format!("--image={NAME}")]);
    eventually("the loaded image runs", 60, || {
        let pod = lab.objects(&["get", "pod", "app"]);
        pod["status"]["phase"] == "Running"
    });
    let again = load(lab, &archive);
    assert!(!again.contains("\"upload\""), "{again}");
    let listed = lab.ok(&["load", "--list"]);
    let line = listed
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with(NAME))
        .unwrap();
    assert!(
        line.ends_with("node1, node2, node3, controll-plane"),
        "{line}"
    );
    lab.kubectl(&["delete", "pod", "app", "--grace-period=1"]);
    lab.ok(&["load", "--remove", NAME]);
    let listed = lab.ok(&["load", "--list"]);
    assert!(!listed.contains(NAME), "{listed}");
    let left = lab.ok(&[
        "ssh", "node1", "--", "sudo", "ctr", "-n", "k8s.io", "images", "ls",
    ]);
    let digest = format!("sha256:{}", Sha256::of(config().to_string().as_bytes()));
    assert!(!left.contains(&digest), "{left}");
}

/// Pipes the archive into `load`; returns the events.
fn load(lab: &Kinstall, archive: &[u8]) -> String {
    let mut child = lab
        .command(&["load", "-", "--output", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(archive).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn archive() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    append(&mut archive, "config.json", config().to_string().as_bytes());
    append(&mut archive, "layer.tar", &layer());
    let manifest =
        json!([{ "Config": "config.json", "RepoTags": [NAME], "Layers": ["layer.tar"] }]);
    append(
        &mut archive,
        "manifest.json",
        manifest.to_string().as_bytes(),
    );
    archive.into_inner().unwrap()
}

pub fn config() -> serde_json::Value {
    json!({
        "architecture": "amd64",
        "os": "linux",
        "config": { "Entrypoint": ["/app"] },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", Sha256::of(&layer()))] },
    })
}

/// A small static program: the bundle's pause, which waits until it is told to end.
pub fn layer() -> Vec<u8> {
    let folder = std::env::var_os("KINSTALL_BUNDLE").map(PathBuf::from);
    let bundle = Bundle::open(&folder.or_else(bundle_directory).unwrap()).unwrap();
    let pause = &bundle.release(None).unwrap().programs["pause/pause"];
    let stored = bundle.blob(pause.blob.sha256).unwrap();
    let mut program = Vec::new();
    zstd::Decoder::new(stored.file)
        .unwrap()
        .read_to_end(&mut program)
        .unwrap();
    let mut layer = tar::Builder::new(Vec::new());
    append(&mut layer, "app", &program);
    layer.into_inner().unwrap()
}

fn append(archive: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o755);
    archive.append_data(&mut header, name, content).unwrap();
}
