//! The node that resources are applied to.

use std::path::{Path, PathBuf};

/// Access to one node's files and programs, from the agent that runs on it.
///
/// Tests give it another root: the same code then works in a folder.
#[derive(Debug)]
pub struct Node {
    root: PathBuf,
}

impl Node {
    /// The node that this process runs on.
    pub fn this() -> Self {
        Self {
            root: PathBuf::from("/"),
        }
    }

    /// A folder that stands for a node's root.
    pub fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Returns where an absolute path of the node really is.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }
}
