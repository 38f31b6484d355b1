//! Symbolic links.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::error::FileContext;
use super::file_state::{FileState, Kind};
use super::{Converge, Node, ResourceError};
use crate::resource::{Action, Change, Symlink};

/// What is at the path now.
#[derive(Debug)]
pub enum Observed {
    Nothing,
    /// Where the link leads.
    Link(String),
    Other(Kind),
}

impl Converge for Symlink {
    type Observed = Observed;

    fn probe(&self, node: &Node) -> Result<Observed, ResourceError> {
        Ok(match FileState::of(&self.path, node)? {
            None => Observed::Nothing,
            Some(state) if state.kind == Kind::Symlink => {
                let path = node.path(&self.path);
                let target = fs::read_link(&path).doing("read the link", &path)?;
                Observed::Link(target.to_string_lossy().into_owned())
            }
            Some(state) => Observed::Other(state.kind),
        })
    }

    fn diff(&self, observed: &Observed) -> Vec<Change> {
        let to = Some(self.target.clone());
        match observed {
            Observed::Nothing => vec![Change::new(Action::Create, "link").values(None, to)],
            Observed::Link(target) if *target == self.target => Vec::new(),
            Observed::Link(target) => {
                vec![Change::new(Action::Update, "link").values(Some(target.clone()), to)]
            }
            Observed::Other(kind) => {
                let from = Some(kind.name().to_owned());
                vec![Change::new(Action::Update, "kind").values(from, to)]
            }
        }
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let path = node.path(&self.path);
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder).doing("create the folder", folder)?;
        if path.is_dir() && !path.is_symlink() {
            // Only an empty one goes; a full one is somebody's.
            fs::remove_dir(&path).doing("replace the folder", &path)?;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = folder.join(format!(".{name}.kinstall"));
        // Left by a run that was killed, or not there.
        let _ = fs::remove_file(&temporary);
        symlink(&self.target, &temporary).doing("create the link", &temporary)?;
        fs::rename(&temporary, &path)
            .inspect_err(|_| drop(fs::remove_file(&temporary)))
            .doing("replace", &path)
    }
}
