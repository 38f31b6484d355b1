//! Container images, put together from content-addressed parts and handed to containerd.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::error::FileContext;
use super::image_listing::{self, PINNED, Stored};
use super::program::Program;
use super::{Converge, Node, ResourceError};
use crate::resource::{Action, BlobRef, Change, Image};

/// Seconds that an import may take: the layers are unpacked as well.
const IMPORT_TIMEOUT: u32 = 900;
const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// containerd's answers, asked once for all images of a batch.
#[derive(Debug, Default)]
pub struct ImageStore {
    /// By name.
    images: Option<BTreeMap<String, Stored>>,
    /// Digests of the parts that containerd has.
    content: Option<BTreeSet<String>>,
}

impl ImageStore {
    /// Forgets the answers.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    fn find(&mut self, name: &str, node: &Node) -> Result<Option<Stored>, ResourceError> {
        if self.images.is_none() {
            self.images = Some(image_listing::images(node)?);
        }
        Ok(self.images.iter().find_map(|it| it.get(name).cloned()))
    }

    /// Returns the names that stand for the same content as another one: what containerd's CRI part adds to each
    /// image (its identifier and its digest), where no other name of the user's needs them; and itself.
    pub(super) fn names_with(
        &mut self,
        name: &str,
        node: &Node,
    ) -> Result<Vec<String>, ResourceError> {
        let Some(stored) = self.find(name, node)? else {
            return Ok(Vec::new());
        };
        let images = self.images.iter().flatten();
        let same = images.filter(|(_, other)| other.target == stored.target);
        let (others, mut names): (Vec<_>, Vec<_>) = same
            .map(|(other, _)| other.clone())
            .filter(|other| other != name)
            .partition(|other| !other.contains("sha256:"));
        if !others.is_empty() {
            names.clear();
        }
        names.push(name.to_owned());
        Ok(names)
    }

    fn has(&mut self, blob: BlobRef, node: &Node) -> Result<bool, ResourceError> {
        if self.content.is_none() {
            self.content = Some(image_listing::content(node)?);
        }
        let digest = digest(blob);
        Ok(self.content.iter().any(|it| it.contains(&digest)))
    }

    fn learn(&mut self, image: &Image) {
        if let Some(images) = &mut self.images {
            let stored = Stored {
                target: digest(image.manifest),
                is_pinned: true,
            };
            images.insert(image.name.clone(), stored);
        }
        if let Some(content) = &mut self.content {
            content.extend(image.parts().map(digest));
        }
    }
}

impl Converge for Image {
    type Observed = Option<Stored>;

    fn probe(&self, node: &Node) -> Result<Self::Observed, ResourceError> {
        node.images.borrow_mut().find(&self.name, node)
    }

    fn diff(&self, observed: &Self::Observed) -> Vec<Change> {
        let wanted = digest(self.manifest);
        match observed {
            Some(is) if is.target == wanted && is.is_pinned => Vec::new(),
            Some(is) if is.target == wanted => {
                let pinned = Some("pinned".to_owned());
                vec![Change::new(Action::Update, "label").values(None, pinned)]
            }
            Some(is) => {
                let target = Some(is.target.clone());
                vec![Change::new(Action::Update, "image").values(target, Some(wanted))]
            }
            None => vec![Change::new(Action::Create, "image").values(None, Some(wanted))],
        }
    }

    fn apply(&self, changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        if changes.iter().all(|change| change.subject == "label") {
            Program::new(["ctr", "-n", "k8s.io", "images", "label"])
                .argument(&self.name)
                .argument(PINNED)
                .output(node)?;
            node.images.get_mut().learn(self);
            return Ok(());
        }
        let mut files = Vec::new();
        for part in self.parts() {
            // Without its manifest in the tar the import has nothing to name.
            let is_manifest = part == self.manifest;
            let is_there = node.images.borrow_mut().has(part, node)?;
            if is_manifest || !is_there {
                files.push((part, node.blob(part)?));
            }
        }
        let brought: Vec<PathBuf> = files.iter().map(|(_, path)| path.clone()).collect();
        let manifest = node.blob(self.manifest)?;
        let index = self.index(&media_type(&manifest)?).to_string();
        Program::new(["ctr", "-n", "k8s.io", "images", "import", "--label"])
            .argument(PINNED)
            .argument("-")
            .timeout(IMPORT_TIMEOUT)
            .feed(move |stdin| write_layout(stdin, &index, &files))
            .output(node)?;
        node.images.get_mut().learn(self);
        // containerd has them now; another image with the same layer finds it there.
        for path in brought {
            fs::remove_file(&path).doing("remove", &path)?;
        }
        Ok(())
    }
}

impl Image {
    /// Manifest, configuration, and each layer once.
    fn parts(&self) -> impl Iterator<Item = BlobRef> {
        let mut parts = vec![self.manifest, self.config];
        for layer in &self.layers {
            if !parts.contains(layer) {
                parts.push(*layer);
            }
        }
        parts.into_iter()
    }

    fn index(&self, media_type: &str) -> serde_json::Value {
        let tag = self.name.rsplit(':').next().unwrap_or_default();
        json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [{
                "mediaType": media_type,
                "digest": digest(self.manifest),
                "size": self.manifest.size,
                "annotations": {
                    "io.containerd.image.name": self.name,
                    "org.opencontainers.image.ref.name": tag,
                },
            }],
        })
    }
}

fn digest(blob: BlobRef) -> String {
    format!("sha256:{}", blob.sha256)
}

/// Returns the type that a manifest says it has: images of docker's may have one of its own.
fn media_type(manifest: &Path) -> Result<String, ResourceError> {
    let bytes = fs::read(manifest).doing("read", manifest)?;
    let manifest: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let said = manifest["mediaType"].as_str();
    Ok(said.unwrap_or(MANIFEST_TYPE).to_owned())
}

/// Writes an OCI image layout; parts that containerd has may be missing from it.
fn write_layout(out: impl Write, index: &str, parts: &[(BlobRef, PathBuf)]) -> io::Result<()> {
    let mut tar = tar::Builder::new(out);
    let version = r#"{"imageLayoutVersion":"1.0.0"}"#;
    append(
        &mut tar,
        "oci-layout",
        version.len() as u64,
        version.as_bytes(),
    )?;
    append(&mut tar, "index.json", index.len() as u64, index.as_bytes())?;
    for (part, path) in parts {
        let name = format!("blobs/sha256/{}", part.sha256);
        append(&mut tar, &name, part.size, fs::File::open(path)?)?;
    }
    tar.finish()
}

fn append(
    tar: &mut tar::Builder<impl Write>,
    name: &str,
    size: u64,
    content: impl io::Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(size);
    header.set_mode(0o444);
    tar.append_data(&mut header, Path::new(name), content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Sha256;

    fn blob(text: &str) -> BlobRef {
        BlobRef {
            sha256: Sha256::of(text.as_bytes()),
            size: text.len() as u64,
        }
    }

    fn image() -> Image {
        Image {
            name: "kinstall.local/pause:3.10".into(),
            manifest: blob("manifest"),
            config: blob("config"),
            layers: vec![blob("base"), blob("program"), blob("base")],
        }
    }

    #[test]
    fn the_socket_of_a_dead_containerd_is_no_containerd() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        for folder in ["/usr/local/bin", "/run/containerd"] {
            fs::create_dir_all(node.path(folder)).unwrap();
        }
        fs::write(node.path("/usr/local/bin/ctr"), "").unwrap();
        let socket = node.path("/run/containerd/containerd.sock");
        drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
        assert!(socket.exists());
        assert_eq!(image().diff(&image().probe(&node).unwrap()).len(), 1);
    }

    #[test]
    fn the_listing_is_read() {
        let wanted = digest(blob("manifest"));
        let diff_with = |labels: &str| {
            let listing = format!(
                "REF                       TYPE DIGEST SIZE PLATFORMS LABELS\n\
                 kinstall.local/pause:3.10 {MANIFEST_TYPE} {wanted} 345.2 KiB linux/amd64 {labels}\n"
            );
            let image = image();
            image.diff(&image_listing::parse(&listing).get(&image.name).cloned())
        };
        let managed = "io.cri-containerd.image=managed";
        assert!(diff_with(&format!("{managed},{PINNED}")).is_empty());
        let changes = diff_with(managed);
        assert_eq!((changes.len(), changes[0].subject.as_str()), (1, "label"));
        let image = image();
        assert_eq!(image.diff(&None)[0].action, Action::Create);
        let other = Stored {
            target: "sha256:0".to_owned(),
            is_pinned: true,
        };
        assert_eq!(image.diff(&Some(other))[0].subject, "image");
    }

    #[test]
    fn the_layout_holds_each_part_once_and_names_the_image() {
        let folder = tempfile::tempdir().unwrap();
        let parts: Vec<_> = image()
            .parts()
            .zip(["manifest", "config", "base", "program"])
            .map(|(part, text)| {
                let path = folder.path().join(text);
                fs::write(&path, text).unwrap();
                (part, path)
            })
            .collect();
        assert_eq!(parts.len(), 4);
        let mut bytes = Vec::new();
        write_layout(
            &mut bytes,
            &image().index(MANIFEST_TYPE).to_string(),
            &parts,
        )
        .unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut entries = BTreeMap::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut text = String::new();
            io::Read::read_to_string(&mut entry, &mut text).unwrap();
            entries.insert(entry.path().unwrap().display().to_string(), text);
        }
        assert_eq!(entries.len(), 6);
        let program = format!("blobs/sha256/{}", Sha256::of(b"program"));
        assert_eq!(entries[&program], "program");
        assert!(entries["index.json"].contains("kinstall.local/pause:3.10"));
    }
}
