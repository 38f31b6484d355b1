//! What the agent remembers on a node: small files under `/var/lib/kinstall`, and in `/run`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::draft::{self, Access};
use super::error::FileContext;
use super::{Node, ResourceError};
use crate::resource::Sha256;

/// Folder of everything that kinstall remembers on a node.
pub const STATE: &str = "/var/lib/kinstall";

/// One remembered thing: there or not there, with some text in it.
#[derive(Debug)]
pub struct Marker(PathBuf);

impl Marker {
    /// The marker of `key` in a folder below [`STATE`].
    pub fn new(node: &Node, folder: &str, key: &str, suffix: &str) -> Self {
        let name = Sha256::of(key.as_bytes());
        Self(node.path(&format!("{STATE}/{folder}/{name}{suffix}")))
    }

    /// One that is forgotten when the machine starts again: to look at a node may leave it, and changes nothing there.
    pub fn until_restart(node: &Node, name: &str) -> Self {
        Self(node.path(&format!("/run/kinstall/{name}")))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn exists(&self) -> bool {
        self.0.exists()
    }

    /// Reads the marker's text; `None` where it isn't there.
    pub fn read(&self) -> Option<String> {
        fs::read_to_string(&self.0).ok()
    }

    /// Makes the marker; it is on the disk when this returns.
    pub fn write(&self, text: &str) -> Result<(), ResourceError> {
        let access = Access {
            mode: 0o600,
            user: None,
            group: None,
        };
        draft::write(&self.0, text.as_bytes(), access)
    }

    /// Makes the marker without waiting for the disk: for what may be lost.
    pub fn jot(&self, text: &str) -> Result<(), ResourceError> {
        let folder = self.0.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder).doing("create the folder", folder)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options.open(&self.0);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .doing("write", &self.0)
    }

    /// Removes the marker.
    pub fn remove(&self) -> Result<(), ResourceError> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result.doing("remove", &self.0),
        }
    }
}
