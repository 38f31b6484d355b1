//! A file system that is really full: 1 MiB, in a mount namespace of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use kinstall::converge::{Node, ResourceError};
use kinstall::resource::{Archive, BlobRef, Content, File, Resource, Sha256};

const FOLDER: &str = "KINSTALL_TEST_SMALL_FILE_SYSTEM";

/// Runs itself again in the namespace; `unshare` needs root.
#[test]
#[ignore = "needs root: `./test programs`"]
fn a_full_disk_is_named_and_no_temporary_file_stays() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return fill(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c"])
        .arg("mount -t tmpfs -o size=1m none \"$1\" && exec \"$2\" --ignored --exact \"$3\"")
        .arg("sh")
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .arg("programs::disk::a_full_disk_is_named_and_no_temporary_file_stays")
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

fn fill(root: &Path) {
    let mut node = Node::at(root);
    let file = Resource::File(File {
        path: "/etc/large".into(),
        content: Content::Text("x".repeat(3 << 20)),
        mode: 0o644,
        owner: None,
        group: None,
        validate: None,
    });
    let changes = file.check(&node).unwrap();
    let error = file.apply(&changes, &mut node).unwrap_err();
    let ResourceError::NoSpace { mount, missing, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(Path::new(mount), root);
    assert!((1 << 20..=3 << 20).contains(&missing.unwrap()), "{error}");
    assert_eq!(root.join("etc").read_dir().unwrap().count(), 0);

    // The compressed archive fits, what is in it doesn't.
    let resource = Resource::Archive(Archive {
        source: store(root, &archive_of(5)),
        path: "/opt".into(),
        strip: 0,
    });
    let changes = resource.check(&node).unwrap();
    let error = resource.apply(&changes, &mut node).unwrap_err();
    assert!(matches!(error, ResourceError::NoSpace { .. }), "{error}");
    assert!(!root.join("opt").exists());
}

/// Makes an archive of `mebibytes` of zeros, small when compressed.
fn archive_of(mebibytes: usize) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for number in 0..mebibytes {
        let mut header = tar::Header::new_gnu();
        header.set_size(1 << 20);
        header.set_mode(0o644);
        let content = vec![0; 1 << 20];
        builder
            .append_data(&mut header, number.to_string(), content.as_slice())
            .unwrap();
    }
    zstd::encode_all(builder.into_inner().unwrap().as_slice(), 3).unwrap()
}

fn store(root: &Path, content: &[u8]) -> BlobRef {
    let sha256 = Sha256::of(content);
    let folder = root.join("var/lib/kinstall/blobs");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(sha256.to_string()), content).unwrap();
    BlobRef {
        sha256,
        size: content.len() as u64,
    }
}
