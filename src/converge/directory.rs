//! Folders.

use std::fs;
use std::io;

use super::error::FileContext;
use super::file_state::{self, FileState, Kind};
use super::{Converge, Node, ResourceError};
use crate::resource::{Action, Change, Directory};

impl Converge for Directory {
    /// What the path leads to, through a link as well.
    type Observed = Option<FileState>;

    fn probe(&self, node: &Node) -> Result<Self::Observed, ResourceError> {
        match FileState::behind(&self.path, node)? {
            // A link that leads nowhere is in the way.
            None => FileState::of(&self.path, node),
            found => Ok(found),
        }
    }

    fn diff(&self, observed: &Self::Observed) -> Vec<Change> {
        match observed {
            None => vec![Change::new(Action::Create, "directory")],
            Some(state) if state.kind != Kind::Directory => {
                let from = Some(state.kind.name().to_owned());
                let to = Some(Kind::Directory.name().to_owned());
                vec![Change::new(Action::Update, "kind").values(from, to)]
            }
            Some(state) => {
                state.access_changes(self.mode, self.owner.as_deref(), self.group.as_deref())
            }
        }
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let path = node.path(&self.path);
        match fs::create_dir_all(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(ResourceError::other(format!(
                    "`{}` is there and is not a folder; move it away",
                    self.path
                )));
            }
            result => result.doing("create the folder", &path)?,
        }
        let access = file_state::access(
            &self.path,
            self.mode,
            self.owner.as_deref(),
            self.group.as_deref(),
            node,
        )?;
        file_state::set_access(&path, access)
    }
}
