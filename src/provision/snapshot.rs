//! Snapshots: a named state of one machine, or of all of a lab at once.

use std::collections::BTreeMap;

use serde::Serialize;

/// A snapshot, by its name: the machines that have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    pub name: String,
    pub machines: Vec<SnapshotOfMachine>,
}

impl Snapshot {
    /// Puts together the parts of machines, each with the name of its snapshot; oldest first.
    pub fn of(parts: impl IntoIterator<Item = (String, SnapshotOfMachine)>) -> Vec<Self> {
        let mut found: BTreeMap<String, Vec<SnapshotOfMachine>> = BTreeMap::new();
        for (name, part) in parts {
            found.entry(name).or_default().push(part);
        }
        let snapshots = found
            .into_iter()
            .map(|(name, machines)| Self { name, machines });
        let mut snapshots: Vec<Self> = snapshots.collect();
        snapshots.sort_by_key(|it| it.machines.iter().filter_map(|it| it.taken.clone()).min());
        snapshots
    }
}

/// A machine's part in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SnapshotOfMachine {
    pub machine: String,
    /// Whether its memory was kept: restored, it goes on where it was.
    pub live: bool,
    /// RFC 3339, where the provider keeps it.
    pub taken: Option<String>,
}
