//! Images in a real containerd: put together, imported, recognised; shared layers travel once.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use kinstall::converge::{Cancel, Link, Node, ResourceError};
use kinstall::resource::{BlobRef, Image, Resource, Sha256};
use serde_json::json;

use super::containerd::Containerd;
use super::started::program;

/// A bundle in memory that notes what was asked for.
#[derive(Default)]
struct Bundle {
    parts: Vec<(BlobRef, Vec<u8>)>,
    asked: Mutex<Vec<Sha256>>,
}

impl Bundle {
    fn add(&mut self, content: Vec<u8>) -> BlobRef {
        let blob = BlobRef {
            sha256: Sha256::of(&content),
            size: content.len() as u64,
        };
        self.parts.push((blob, content));
        blob
    }

    /// Makes a layer with one file; returns it with the digest of its uncompressed bytes.
    fn layer(&mut self, name: &str, content: &[u8]) -> (BlobRef, Sha256) {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        builder.append_data(&mut header, name, content).unwrap();
        let tar = builder.into_inner().unwrap();
        let digest = Sha256::of(&tar);
        (
            self.add(zstd::encode_all(tar.as_slice(), 3).unwrap()),
            digest,
        )
    }

    fn image(&mut self, name: &str, layers: &[(BlobRef, Sha256)]) -> Resource {
        let ids: Vec<_> = layers
            .iter()
            .map(|(_, id)| format!("sha256:{id}"))
            .collect();
        let config = json!({"architecture": "amd64", "os": "linux", "config": {"Entrypoint": ["/x"]},
            "rootfs": {"type": "layers", "diff_ids": ids}, "comment": name});
        let config = self.add(config.to_string().into_bytes());
        let described = |media: &str, blob: BlobRef| json!({"mediaType": media, "digest": format!("sha256:{}", blob.sha256), "size": blob.size});
        let manifest = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": described("application/vnd.oci.image.config.v1+json", config),
            "layers": layers.iter()
                .map(|(blob, _)| described("application/vnd.oci.image.layer.v1.tar+zstd", *blob))
                .collect::<Vec<_>>(),
        });
        let manifest = self.add(manifest.to_string().into_bytes());
        Resource::Image(Image {
            name: name.to_owned(),
            manifest,
            config,
            layers: layers.iter().map(|(blob, _)| *blob).collect(),
        })
    }
}

impl Link for Bundle {
    fn output(&self, _step: &str, _line: &str) {}

    fn progress(&self, _step: &str, _done: u64, _total: u64) {}

    fn fetch(&self, _step: &str, blob: BlobRef, destination: &Path) -> Result<(), ResourceError> {
        self.asked.lock().unwrap().push(blob.sha256);
        let found = self.parts.iter().find(|(part, _)| *part == blob).unwrap();
        fs::write(destination, &found.1).unwrap();
        Ok(())
    }
}

#[test]
#[ignore = "needs built programs: `./test programs`"]
fn images_are_imported_once_and_share_their_layers() {
    let root = tempfile::tempdir().unwrap();
    let containerd = Containerd::start(root.path());
    let mut bundle = Bundle::default();
    let base = bundle.layer("base", &vec![7; 200_000]);
    let one = bundle.layer("one", b"1");
    let two = bundle.layer("two", b"2");
    let images = [
        bundle.image("kinstall.local/one:v1", &[base, one]),
        bundle.image("kinstall.local/two:v1", &[base, two]),
    ];
    let bundle = Arc::new(bundle);
    // The node's own `ctr` finds this test's containerd.
    install_wrapper(&root.path().join("usr/local/bin/ctr"), &containerd);
    let mut node = Node::at(root.path()).with_link(bundle.clone(), Cancel::default());

    node.begin_batch(images.iter());
    for image in &images {
        let changes = image.check(&node).unwrap();
        assert_eq!(changes.len(), 1);
        image.apply(&changes, &mut node).unwrap();
        assert_eq!(image.check(&node).unwrap(), []);
    }
    // containerd says so too, not only what was remembered; and the content is whole and unpacked.
    node.begin_batch(images.iter());
    for image in &images {
        assert_eq!(image.check(&node).unwrap(), []);
    }
    let listed = containerd.ctr(&["images", "check", "--snapshotter=native"]);
    let complete = listed
        .lines()
        .filter(|line| line.contains("complete (3/3)"));
    assert_eq!(
        complete
            .filter(|line| line.trim_end().ends_with("true"))
            .count(),
        2,
        "{listed}"
    );
    let asked = bundle.asked.lock().unwrap();
    assert_eq!(asked.iter().filter(|it| **it == base.0.sha256).count(), 1);
    // Two manifests, two configurations, three layers.
    assert_eq!(asked.len(), 7);
}

fn install_wrapper(path: &Path, containerd: &Containerd) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = fs::File::create(path).unwrap();
    writeln!(
        file,
        "#!/bin/sh\nCONTAINERD_SNAPSHOTTER=native exec {} --address {} \"$@\"",
        program("ctr").display(),
        containerd.socket.display()
    )
    .unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
