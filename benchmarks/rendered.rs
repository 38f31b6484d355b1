//! What kinstall would put on the nodes, as a folder that a script can copy from.
//!
//! ```text
//! ssh_config              how the machines are reached
//! control-plane, workers  names of the machines
//! NODE/files/…            programs, configuration, certificates: as they lie on the node
//! NODE/hosts              lines for its /etc/hosts
//! NODE/images.tar         its images, for `ctr images import`
//! manifests/1-kinds.yaml  namespaces and kinds; then the objects, and what concerns the nodes
//! ```

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use kinstall::bundle::Bundle;
use kinstall::plan::Plan;
use kinstall::resource::{BlobRef, Content, Image, Manifest, Resource};
use serde_json::{Value, json};

use crate::Result;

/// Writes a plan's content below a folder.
pub fn write(plan: &Plan, bundle: &Bundle, folder: &Path) -> Result<()> {
    let writer = Writer { bundle, folder };
    for phase in &plan.phases {
        for (host, batch) in &phase.batches {
            fs::create_dir_all(folder.join(host))?;
            let mut images = Vec::new();
            for step in &batch.steps {
                match &step.resource {
                    Resource::Image(image) => images.push(image),
                    Resource::Manifests(manifests) => {
                        writer.manifests(&phase.name, &manifests.objects)?;
                    }
                    resource => writer.resource(host, resource)?,
                }
            }
            if !images.is_empty() {
                writer.images(host, &images)?;
            }
        }
    }
    Ok(())
}

struct Writer<'a> {
    bundle: &'a Bundle,
    folder: &'a Path,
}

impl Writer<'_> {
    /// Writes what is a file on the node; the rest is for the script to do.
    fn resource(&self, host: &str, resource: &Resource) -> Result<()> {
        let node = self.folder.join(host);
        let place = |path: &str| node.join("files").join(path.trim_start_matches('/'));
        match resource {
            Resource::File(file) => self.file(&place(&file.path), &file.content, file.mode),
            Resource::Directory(directory) => {
                let path = place(&directory.path);
                fs::create_dir_all(&path)?;
                Ok(fs::set_permissions(
                    path,
                    Permissions::from_mode(directory.mode),
                )?)
            }
            Resource::Symlink(link) => {
                let path = place(&link.path);
                fs::create_dir_all(path.parent().unwrap_or(&node))?;
                Ok(symlink(&link.target, path)?)
            }
            Resource::Block(block) => Ok(fs::write(node.join("hosts"), &block.content)?),
            Resource::Command(command) => command
                .inputs
                .iter()
                .try_for_each(|input| self.file(&place(&input.path), &input.content, 0o600)),
            _ => Ok(()),
        }
    }

    fn file(&self, path: &Path, content: &Content, mode: u32) -> Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(self.folder))?;
        let mut file = File::create(path)?;
        match content {
            Content::Blob(blob) => drop(io::copy(&mut self.blob(*blob)?, &mut file)?),
            text => file.write_all(text.text().unwrap_or_default().as_bytes())?,
        }
        Ok(fs::set_permissions(path, Permissions::from_mode(mode))?)
    }

    fn blob(&self, blob: BlobRef) -> Result<impl io::Read> {
        let stored = self.bundle.blob(blob.sha256);
        let stored = stored.map_err(|error| error.message)?;
        Ok(zstd::Decoder::new(stored.compressed()?)?)
    }

    /// Writes an OCI layout with all images of a node, and each of their parts once.
    fn images(&self, host: &str, images: &[&Image]) -> Result<()> {
        let mut tar = tar::Builder::new(File::create(self.folder.join(host).join("images.tar"))?);
        let mut append = |name: &str, size: u64, content: &mut dyn io::Read| {
            let mut header = tar::Header::new_ustar();
            header.set_size(size);
            header.set_mode(0o444);
            tar.append_data(&mut header, name, content)
        };
        let manifests: Vec<Value> = images.iter().map(|image| entry(image)).collect();
        let index = json!({ "schemaVersion": 2, "manifests": manifests }).to_string();
        let version = r#"{"imageLayoutVersion":"1.0.0"}"#;
        for (name, text) in [("oci-layout", version), ("index.json", &index)] {
            append(name, text.len() as u64, &mut text.as_bytes())?;
        }
        let mut written = Vec::new();
        for image in images {
            for part in [&image.manifest, &image.config]
                .into_iter()
                .chain(&image.layers)
            {
                if !written.contains(part) {
                    let name = format!("blobs/sha256/{}", part.sha256);
                    append(&name, part.size, &mut self.blob(*part)?)?;
                    written.push(*part);
                }
            }
        }
        Ok(tar.finish()?)
    }

    /// Adds objects to the file of those that are applied together.
    fn manifests(&self, phase: &str, objects: &[Manifest]) -> Result<()> {
        fs::create_dir_all(self.folder.join("manifests"))?;
        for object in objects.iter().map(|it| it.text.expose()) {
            let kind: Value = serde_json::from_str(object)?;
            let file = match kind["kind"].as_str() {
                Some("Namespace" | "CustomResourceDefinition") => "1-kinds.yaml",
                _ if phase == "verify" => "3-nodes.yaml",
                _ => "2-objects.yaml",
            };
            let path = self.folder.join("manifests").join(file);
            let mut file = File::options().create(true).append(true).open(path)?;
            writeln!(file, "---\n{object}")?;
        }
        Ok(())
    }
}

fn entry(image: &Image) -> Value {
    json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": format!("sha256:{}", image.manifest.sha256),
        "size": image.manifest.size,
        "annotations": { "io.containerd.image.name": image.name },
    })
}
