//! What kinstall made on the node: a record for each thing that was not there before.
//!
//! A later `up` removes what its plan doesn't have any more, and it must never remove what is not kinstall's own. So there
//! is no record of what was found, whoever made it, nor of what can't be made again: a thing without a record stays.

use std::fs;

use serde::{Deserialize, Serialize};

use super::file_state::{FileState, Kind};
use super::marker::{Marker, STATE};
use super::{Node, ResourceError, kernel_module, sysctl};
use crate::resource::{Action, Change, Made, Resource, Sha256, Thing};

const FOLDER: &str = "made";
/// Keys, certificates and data: whatever else goes, they stay.
const IRREPLACEABLE: [&str; 7] = [
    "/etc/etcd/pki",
    "/etc/kubernetes/encryption",
    "/etc/kubernetes/pki",
    "/var/lib/etcd",
    "/var/lib/etcd-data",
    "/var/lib/kubelet",
    STATE,
];

/// One thing, as it is written down.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    thing: Thing,
    /// What tells it from what others make of it: digest, target, value; see [`content`].
    content: String,
}

/// What has become of a thing that kinstall made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It isn't there, or kinstall has not made it.
    Gone,
    AsMade,
    /// It isn't as kinstall made it.
    Changed,
}

/// Writes down what is about to be made; before the change, so that a run that is killed leaves nothing unknown. What
/// can't be written down stays on the node for good, which is no reason to fail.
pub fn note(resource: &Resource, changes: &[Change], node: &Node) {
    let Some((thing, content)) = made_by(resource, changes) else {
        return;
    };
    let marker = marker(&thing, node);
    let is_new = match &thing {
        Thing::File(_) | Thing::Symlink(_) | Thing::Directory(_) => {
            changes.iter().any(|it| it.action == Action::Create)
        }
        // These are in files of kinstall's own, or between its marks.
        Thing::Block { .. } | Thing::Sysctl(_) | Thing::KernelModule(_) => true,
    };
    if (is_new || marker.exists())
        && !is_irreplaceable(&thing)
        && let Ok(text) = serde_json::to_string(&Record { thing, content })
    {
        let _ = marker.jot(&text);
    }
}

/// Returns all that is still there, in a fixed order.
pub fn present(node: &Node) -> Vec<Made> {
    let mut present: Vec<Made> = records(node)
        .into_iter()
        .filter_map(|record| {
            let is_changed = match record.state(node) {
                State::Gone => return None,
                State::AsMade => false,
                State::Changed => true,
            };
            let thing = record.thing;
            Some(Made { thing, is_changed })
        })
        .collect();
    present.sort_by(|one, other| one.thing.cmp(&other.thing));
    present
}

/// Returns what has become of a thing.
pub fn state(thing: &Thing, node: &Node) -> State {
    let text = marker(thing, node).read();
    match text.and_then(|text| read(&text)) {
        Some(record) if record.thing == *thing => record.state(node),
        _ => State::Gone,
    }
}

/// Forgets a thing, which is nobody's or somebody else's from now on.
pub fn forget(thing: &Thing, node: &Node) -> Result<(), ResourceError> {
    marker(thing, node).remove()
}

/// Forgets what isn't there any more: what comes in its place is not kinstall's.
pub fn forget_gone(node: &Node) {
    for record in records(node) {
        if record.state(node) == State::Gone {
            // The next run tries again.
            let _ = forget(&record.thing, node);
        }
    }
}

/// Returns what a resource makes with these changes, and what tells it from what others make.
fn made_by(resource: &Resource, changes: &[Change]) -> Option<(Thing, String)> {
    let has = |subjects: &[&str]| {
        let mut changes = changes.iter();
        changes.any(|change| subjects.contains(&change.subject.as_str()))
    };
    Some(match resource {
        Resource::File(it) if has(&["content", "kind"]) => {
            let digest = it.content.sha256().to_string();
            (Thing::File(it.path.clone()), digest)
        }
        Resource::Download(it) if has(&["content"]) => {
            (Thing::File(it.path.clone()), it.sha256.to_string())
        }
        Resource::Symlink(it) => (Thing::Symlink(it.path.clone()), it.target.clone()),
        Resource::Directory(it) if has(&["directory"]) => {
            (Thing::Directory(it.path.clone()), String::new())
        }
        Resource::Block(it) if !it.content.is_empty() => {
            let (path, name) = (it.path.clone(), it.name.clone());
            let digest = Sha256::of(it.content.trim_end_matches('\n').as_bytes());
            (Thing::Block { path, name }, digest.to_string())
        }
        Resource::Sysctl(it) if has(&["value at boot"]) => {
            (Thing::Sysctl(it.key.clone()), sysctl::normal(&it.value))
        }
        Resource::KernelModule(it) if has(&["loaded at boot"]) => {
            (Thing::KernelModule(it.name.clone()), it.name.clone())
        }
        _ => return None,
    })
}

/// Returns what a thing is now, in the words of its record; `None` where there is none, nothing where something else is in
/// its place.
fn content(thing: &Thing, node: &Node) -> Result<Option<String>, ResourceError> {
    let kind = |path| FileState::of(path, node).map(|state| state.map(|state| state.kind));
    match thing {
        Thing::File(path) => match kind(path)? {
            Some(Kind::File) => Ok(Some(node.sha256(path)?.to_string())),
            other => Ok(other.map(|_| String::new())),
        },
        Thing::Symlink(path) => match kind(path)? {
            Some(Kind::Symlink) => {
                let target = fs::read_link(node.path(path)).unwrap_or_default();
                Ok(Some(target.to_string_lossy().into_owned()))
            }
            other => Ok(other.map(|_| String::new())),
        },
        Thing::Directory(path) => Ok(kind(path)?
            .filter(|kind| *kind == Kind::Directory)
            .map(|_| String::new())),
        Thing::Block { path, name } => {
            let text = super::block::content_of(name, &node.read_or_empty(path));
            Ok(text.map(|text| Sha256::of(text.as_bytes()).to_string()))
        }
        Thing::Sysctl(key) => Ok(sysctl::persisted(key, node)),
        Thing::KernelModule(name) => {
            let text = node.read_or_empty(&kernel_module::file(name));
            Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
        }
    }
}

impl Record {
    fn state(&self, node: &Node) -> State {
        match content(&self.thing, node) {
            Ok(Some(content)) if content == self.content => State::AsMade,
            Ok(None) => State::Gone,
            // What can't be read can't be known to be kinstall's.
            Ok(Some(_)) | Err(_) => State::Changed,
        }
    }
}

fn is_irreplaceable(thing: &Thing) -> bool {
    let path = thing.path().unwrap_or_default();
    IRREPLACEABLE.iter().any(|kept| {
        let below = path.strip_prefix(kept);
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn marker(thing: &Thing, node: &Node) -> Marker {
    Marker::new(node, FOLDER, &thing.key(), "")
}

/// A record that another kinstall wrote may not be readable: what it is about stays.
fn read(text: &str) -> Option<Record> {
    let record: Record = serde_json::from_str(text).ok()?;
    (!is_irreplaceable(&record.thing)).then_some(record)
}

fn records(node: &Node) -> Vec<Record> {
    let entries = fs::read_dir(node.path(&format!("{STATE}/{FOLDER}")));
    let entries = entries.into_iter().flatten().flatten();
    entries
        .filter_map(|entry| read(&fs::read_to_string(entry.path()).ok()?))
        .collect()
}

#[cfg(test)]
mod tests;
