//! Handlers that were notified and not yet run, kept on the disk: a restart that is owed stays owed.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::converge::draft::{self, Access};
use crate::converge::marker::STATE;
use crate::converge::{Node, ResourceError};
use crate::resource::{Resource, Sha256, UnitState};
use crate::wire::{Batch, Handler, Step};

/// A handler that is owed, as it is written down.
#[derive(Debug, Serialize, Deserialize)]
struct Owed {
    phase: String,
    handler: Handler,
}

/// The handlers that are to run at the end of a batch.
#[derive(Debug)]
pub struct Pending<'a> {
    batch: &'a Batch,
    folder: PathBuf,
    owed: Vec<Handler>,
    /// Whether what is owed is written down: only by a run that changes the node.
    durable: bool,
}

impl<'a> Pending<'a> {
    /// Begins with what an earlier run left for this phase or for handlers of this batch.
    pub fn load(batch: &'a Batch, node: &Node, durable: bool) -> Self {
        let folder = folder(node);
        let mut owed: Vec<Handler> = read_all(node)
            .into_iter()
            .filter(|owed| owed.phase == batch.phase || declared(batch, &owed.handler.id).is_some())
            .map(|owed| owed.handler)
            .collect();
        // What another version of kinstall wrote down may not be readable; the file's name says which handler it is.
        for handler in &batch.handlers {
            let is_known = owed.iter().any(|owed| owed.id == handler.id);
            if !is_known && path(&folder, &handler.id).exists() {
                owed.push(handler.clone());
            }
        }
        Self {
            batch,
            folder,
            owed,
            durable,
        }
    }

    /// Notes what a step owes; called before its change is made.
    pub fn notify(&mut self, step: &Step) -> Result<(), ResourceError> {
        for id in &step.notify {
            let handler = declared(self.batch, id).ok_or_else(|| {
                ResourceError::other(format!(
                    "`{}` notifies `{id}`, which is no handler",
                    step.id
                ))
            })?;
            if !self.owed.iter().any(|owed| owed.id == *id) {
                self.write(handler)?;
                self.owed.push(handler.clone());
            }
        }
        Ok(())
    }

    /// A unit that was just started needs no restart for what was changed before.
    pub fn forget_restarts_of(&mut self, unit: &str) -> Result<(), ResourceError> {
        let is_restart = |handler: &Handler| {
            matches!(&handler.resource, Resource::Unit(it)
                if it.name == unit && it.state == UnitState::Restarted)
        };
        let ids: Vec<String> = self
            .owed
            .iter()
            .filter(|handler| is_restart(handler))
            .map(|handler| handler.id.clone())
            .collect();
        ids.iter().try_for_each(|id| self.done(id))
    }

    /// Returns what is owed: in the batch's order, then what only an earlier run knew.
    pub fn in_order(&self) -> Vec<Handler> {
        let is_owed = |id: &str| self.owed.iter().any(|owed| owed.id == id);
        let here = self.batch.handlers.iter().filter(|it| is_owed(&it.id));
        let earlier = self
            .owed
            .iter()
            .filter(|it| declared(self.batch, &it.id).is_none());
        here.chain(earlier).cloned().collect()
    }

    /// Strikes a handler out.
    pub fn done(&mut self, id: &str) -> Result<(), ResourceError> {
        self.owed.retain(|owed| owed.id != id);
        if self.durable {
            // Where it isn't there it isn't owed.
            let _ = fs::remove_file(self.path(id));
        }
        Ok(())
    }

    fn write(&self, handler: &Handler) -> Result<(), ResourceError> {
        if !self.durable {
            return Ok(());
        }
        let owed = Owed {
            phase: self.batch.phase.clone(),
            handler: handler.clone(),
        };
        let text =
            serde_json::to_vec(&owed).map_err(|error| ResourceError::other(error.to_string()))?;
        let access = Access {
            mode: 0o600,
            user: None,
            group: None,
        };
        draft::write(&self.path(&handler.id), &text, access)
    }

    fn path(&self, id: &str) -> PathBuf {
        path(&self.folder, id)
    }
}

fn path(folder: &Path, id: &str) -> PathBuf {
    folder.join(Sha256::of(id.as_bytes()).to_string())
}

/// Returns the handlers that earlier runs left.
pub fn left(node: &Node) -> Vec<String> {
    read_all(node)
        .into_iter()
        .map(|owed| owed.handler.id)
        .collect()
}

fn declared<'a>(batch: &'a Batch, id: &str) -> Option<&'a Handler> {
    batch.handlers.iter().find(|handler| handler.id == id)
}

fn folder(node: &Node) -> PathBuf {
    node.path(STATE).join("pending")
}

fn read_all(node: &Node) -> Vec<Owed> {
    let mut owed: Vec<Owed> = folder(node)
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| serde_json::from_slice(&fs::read(entry.path()).ok()?).ok())
        .collect();
    owed.sort_by(|left, right| left.handler.id.cmp(&right.handler.id));
    owed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_that_release_0_1_0_wrote_down_is_read() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        fs::create_dir_all(folder(&node)).unwrap();
        let text = include_str!("../../tests/fixtures/0.1.0/pending-handler.json");
        fs::write(path(&folder(&node), "containerd/restart"), text).unwrap();
        assert_eq!(left(&node), ["containerd/restart"]);
    }
}
