//! `kinstall image …` as a user runs it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use kinstall::resource::Sha256;

use super::make::{disk, raw};
use crate::bundle::server::{Answer, Server};

fn kinstall(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kinstall"));
    command
        .current_dir(folder)
        .env("KINSTALL_CACHE", folder.join("cache"))
        .env("NO_COLOR", "1")
        .arg("image");
    command
}

/// Returns exit code, stdout and stderr as one text, without what differs from run to run.
fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = kinstall(folder).args(arguments).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let text = format!(
        "$ kinstall image {}\n{stdout}{stderr}({})",
        arguments.join(" "),
        output.status.code().unwrap()
    );
    text.replace(&folder.canonicalize().unwrap().display().to_string(), "LAB")
}

#[test]
fn images_are_added_listed_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.raw"), raw(3)).unwrap();
    fs::write(
        folder.path().join("SUMS"),
        format!("{}  mine.raw\n", Sha256::of(&raw(3))),
    )
    .unwrap();
    let hash = Sha256::of(&raw(3)).to_string();
    let runs = [
        run(
            folder.path(),
            &[
                "add",
                "mine.raw",
                "--name",
                "lab",
                "--checksum-file",
                "SUMS",
            ],
        ),
        run(folder.path(), &["list"]),
        run(
            folder.path(),
            &["--output", "json", "add", "mine.raw", "--sha256", &hash],
        ),
        run(folder.path(), &["remove", &hash[..7]]),
        run(folder.path(), &["remove", "lab"]),
    ];
    insta::assert_snapshot!(runs.join("\n\n"));
    let rows: serde_json::Value = {
        let output = kinstall(folder.path())
            .args(["list", "--output", "json"])
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let debian = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["name"] == "debian-13")
        .unwrap();
    assert_eq!(debian["stored"], false);
}

#[test]
fn mistakes_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [
        run(folder.path(), &["add", "https://host/disk.img"]),
        run(folder.path(), &["add", "debain-13"]),
        run(folder.path(), &["add", "centos/7"]),
        run(folder.path(), &["add", "acme/box"]),
        run(folder.path(), &["add", "nothing.qcow2"]),
        run(
            folder.path(),
            &["add", "https://host/disk.img", "--sha256", &"a".repeat(40)],
        ),
        run(folder.path(), &["add", "ftp://host/disk.img"]),
        run(folder.path(), &["remove", "abc"]),
    ];
    insta::assert_snapshot!(runs.join("\n\n"));
    assert!(!folder.path().join("cache/images/downloads").exists());
}

#[test]
fn a_killed_download_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = disk(folder.path(), "qcow2", &[]);
    let (hash, half) = (Sha256::of(&bytes).to_string(), bytes.len() / 2);
    let server = Server::start(vec![
        Answer::Silent(bytes.clone(), half),
        Answer::Whole(bytes.clone()),
    ]);
    let url = format!("{}/disk.img", server.url);
    let mut child = kinstall(folder.path())
        .args(["add", &url, "--sha256", &hash])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let partial = folder
        .path()
        .join(format!("cache/images/downloads/{hash}.part"));
    while fs::metadata(&partial).map_or(0, |it| it.len()) < half as u64 {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let rows = run(folder.path(), &["list"]);
    assert!(!rows.contains(&hash[..12]), "{rows}");
    let second = run(folder.path(), &["add", &url, "--sha256", &hash]);
    assert!(second.ends_with("(0)"), "{second}");
    assert_eq!(
        server.requests(),
        ["/disk.img".to_owned(), format!("/disk.img bytes={half}-")]
    );
    let disk = folder
        .path()
        .join(format!("cache/images/{hash}/disk.qcow2"));
    assert_eq!(fs::read(disk).unwrap(), bytes);
    assert!(!partial.exists());
}

#[test]
fn two_programs_at_once_download_once() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = disk(folder.path(), "qcow2", &[]);
    let server = Server::start(vec![Answer::Whole(bytes.clone())]);
    let (url, hash) = (
        format!("{}/disk.img", server.url),
        Sha256::of(&bytes).to_string(),
    );
    let start = || {
        kinstall(folder.path())
            .args(["add", &url, "--sha256", &hash])
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let children = [start(), start(), start()];
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(server.requests(), ["/disk.img"]);
}
