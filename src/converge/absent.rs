//! Paths that must not exist.

use std::fs;
use std::path::{Component, Path};

use super::error::FileContext;
use super::file_state::{FileState, Kind};
use super::{Converge, Node, ResourceError};
use crate::resource::{Absent, Action, Change};

impl Converge for Absent {
    type Observed = Option<FileState>;

    fn probe(&self, node: &Node) -> Result<Self::Observed, ResourceError> {
        FileState::of(&self.path, node)
    }

    fn diff(&self, observed: &Self::Observed) -> Vec<Change> {
        observed
            .iter()
            .map(|state| Change::new(Action::Remove, state.kind.name()))
            .collect()
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let depth = Path::new(&self.path)
            .components()
            .filter(|component| matches!(component, Component::Normal(_)))
            .count();
        let climbs = self.path.split('/').any(|part| part == "..");
        if depth == 0 || climbs {
            return Err(ResourceError::other(format!(
                "refused to remove `{}`",
                self.path
            )));
        }
        let path = node.path(&self.path);
        let is_directory = matches!(
            FileState::of(&self.path, node)?,
            Some(state) if state.kind == Kind::Directory
        );
        if is_directory {
            fs::remove_dir_all(&path).doing("remove the folder", &path)
        } else {
            fs::remove_file(&path).doing("remove", &path)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_never_removed() {
        let root = tempfile::tempdir().unwrap();
        let mut node = Node::at(root.path());
        for path in ["/", "", "//", "/x/..", "/."] {
            let absent = Absent { path: path.into() };
            assert!(absent.apply(&[], &mut node).is_err(), "{path}");
        }
        assert!(root.path().exists());
    }
}
