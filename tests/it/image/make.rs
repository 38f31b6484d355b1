//! Makes disks, boxes and stores for the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use kinstall::diagnostic::Diagnostic;
use kinstall::download::Patience;
use kinstall::image::{Catalog, Image, ImageError, ImageReference, ImageStore, Progress};
use kinstall::resource::Sha256;

/// Long enough for a server on loopback, short enough for one that is meant to fail.
const QUICK: Patience = Patience {
    stall: Duration::from_millis(500),
    attempts: 3,
    pause: Duration::from_millis(1),
};

/// A catalog of one image, `lab-1`, which takes the place of the box `old/lab`.
pub fn catalog(urls: &[String], digest: &str) -> Catalog {
    let file = serde_json::json!({ "urls": urls, "digest": digest });
    let catalog = serde_json::json!({
        "format": 1,
        "default": "lab-1",
        "images": { "lab-1": {
            "title": "Lab 1", "version": "1", "user": "worker",
            "files": { "amd64": file, "arm64": file },
            "current": { "url": "https://host/new-{architecture}.img", "digests": "https://host/SHA256SUMS" },
            "successor_of": ["old/lab"],
        } },
        "no_image": [],
    });
    // JSON is YAML.
    Catalog::parse(&catalog.to_string()).unwrap()
}

/// A store in a folder of its own, with all that it told.
pub struct Lab {
    pub folder: tempfile::TempDir,
    pub store: ImageStore,
    pub news: Mutex<Vec<String>>,
}

impl Lab {
    pub fn new() -> Self {
        Self::with_catalog(catalog(&[], &Sha256::of(b"nothing").to_string()))
    }

    pub fn with_catalog(catalog: Catalog) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("images");
        Self {
            store: ImageStore::with_catalog(directory, catalog).with_patience(QUICK),
            folder,
            news: Mutex::default(),
        }
    }

    /// Returns the same store under another catalog.
    pub fn upgraded(&self, catalog: Catalog) -> ImageStore {
        ImageStore::with_catalog(self.path("images"), catalog).with_patience(QUICK)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    pub fn reference(&self, text: &str) -> ImageReference {
        ImageReference::parse(text, self.folder.path()).unwrap()
    }

    /// Fetches what `machine_image: TEXT` names.
    pub fn fetch(&self, text: &str) -> Result<Image, ImageError> {
        self.store
            .fetch(&self.reference(text), &|_, it| self.note(it))
    }

    pub fn add(&self, text: &str, name: &str) -> Result<Image, ImageError> {
        let reference = self.reference(text);
        self.store
            .add(&reference, Some(name), &|_, it| self.note(it))
    }

    pub fn remove(&self, name: &str) -> Result<Image, ImageError> {
        self.store.remove(name, &|_, it| self.note(it))
    }

    fn note(&self, progress: Progress<'_>) {
        let text = match progress {
            Progress::Downloading { .. } => return,
            other => format!("{other:?}"),
        };
        self.news.lock().unwrap().push(text);
    }

    /// Returns what was told since the last call, without how far downloads are.
    pub fn told(&self) -> Vec<String> {
        std::mem::take(&mut self.news.lock().unwrap())
    }

    /// Returns what lies in the store's folder, but for the lock.
    pub fn left(&self) -> Vec<String> {
        let mut left = Vec::new();
        let mut folders = vec![self.path("images")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)
                .into_iter()
                .flatten()
                .map(Result::unwrap)
            {
                match entry.path() {
                    path if path.is_dir() => folders.push(path),
                    path => left.push(
                        path.strip_prefix(self.path("images"))
                            .unwrap()
                            .display()
                            .to_string(),
                    ),
                }
            }
        }
        left.retain(|name| name != "lock");
        left.sort();
        left
    }

    /// Returns an error as the user sees it, without what differs from run to run.
    pub fn message(&self, error: ImageError) -> String {
        let diagnostic = Diagnostic::from(error);
        let hints = diagnostic
            .hints
            .iter()
            .map(|hint| format!("\nhint: {hint}"));
        let text = format!(
            "{} ({}){}",
            diagnostic.message,
            diagnostic.kind.name(),
            hints.collect::<String>()
        );
        text.replace(&self.folder.path().display().to_string(), "LAB")
    }
}

/// A raw disk of so many MiB that looks as if it could boot, with content that doesn't repeat.
pub fn raw(mebibytes: usize) -> Vec<u8> {
    let mut bytes = vec![0; mebibytes << 20];
    for (number, chunk) in bytes.chunks_mut(32).take(8192).enumerate() {
        let hash = Sha256::of(&number.to_le_bytes()).to_string();
        chunk.copy_from_slice(&hash.as_bytes()[..32]);
    }
    bytes[510..512].copy_from_slice(b"\x55\xaa");
    bytes
}

/// Converts a disk; the options are those of `qemu-img convert -o`.
pub fn convert(from: &Path, format: &str, options: &[&str]) -> PathBuf {
    let to = from.with_extension(format!("{format}-{}", options.join("-").replace('=', "-")));
    let mut command = Command::new("qemu-img");
    command.args(["convert", "-O", format]);
    for option in options {
        command.args(["-o", option]);
    }
    let status = command.arg(from).arg(&to).status();
    assert!(
        status.is_ok_and(|it| it.success()),
        "qemu-img is needed: ./setup tests installs it"
    );
    to
}

/// Returns the bytes of a disk in a format.
pub fn disk(folder: &Path, format: &str, options: &[&str]) -> Vec<u8> {
    let path = folder.join("made.raw");
    fs::write(&path, raw(4)).unwrap();
    fs::read(convert(&path, format, options)).unwrap()
}

/// Returns a tar archive; each entry is a name, which may be one that no tool would write, and its
/// content.
pub fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in entries {
        builder
            .append(
                &header(name, tar::EntryType::Regular, content.len()),
                *content,
            )
            .unwrap();
    }
    builder.into_inner().unwrap()
}

pub fn header(name: &str, kind: tar::EntryType, size: usize) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_mode(0o644);
    header.set_cksum();
    header
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns an appliance's description with these disks.
pub fn ovf(disks: &[&str]) -> String {
    use std::fmt::Write as _;
    let (mut files, mut list) = (String::new(), String::new());
    for (number, disk) in disks.iter().enumerate() {
        let _ = write!(files, r#"<File ovf:id="file{number}" ovf:href="{disk}"/>"#);
        let _ = write!(
            list,
            r#"<Disk ovf:diskId="disk{number}" ovf:fileRef="file{number}"/>"#
        );
    }
    let namespaces = r#"xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1""#;
    format!(
        "<?xml version=\"1.0\"?>\n<Envelope {namespaces}><References>{files}</References>\
         <DiskSection>{list}</DiskSection></Envelope>"
    )
}
