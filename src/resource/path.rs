//! Things at a path.

use serde::{Deserialize, Serialize};

use super::{BlobRef, Content, Sha256};

/// A path that must not exist; folders go with their contents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    pub path: String,
}

/// A tar archive (plain, gzip or zstd) unpacked into a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    pub source: BlobRef,
    /// Folder that receives the entries.
    pub path: String,
    /// Leading path components to drop.
    pub strip: u32,
}

/// Marked lines inside a file that belongs to somebody else (`/etc/hosts`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub path: String,
    /// Stands in the begin and end marks: `# BEGIN kinstall NAME`.
    pub name: String,
    /// The lines, without the marks; empty removes the block.
    pub content: String,
}

/// A folder; parents are made as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    pub path: String,
    pub mode: u32,
    /// Name or number; `None` leaves an existing folder's owner.
    pub owner: Option<String>,
    pub group: Option<String>,
}

/// A file that the node itself downloads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Download {
    pub url: String,
    pub sha256: Sha256,
    pub path: String,
    pub mode: u32,
}

/// A whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub path: String,
    pub content: Content,
    pub mode: u32,
    /// Name or number; `None` leaves an existing file's owner.
    pub owner: Option<String>,
    pub group: Option<String>,
    /// Command that must accept the new content before it takes its place; `%s` stands for its path.
    pub validate: Option<Vec<String>>,
}

/// A symbolic link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Symlink {
    pub path: String,
    pub target: String,
}
