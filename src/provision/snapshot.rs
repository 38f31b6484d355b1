//! Snapshots: a named state of one machine, or of all of a lab at once.

use serde::Serialize;

/// A snapshot, by its name: the machines that have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    pub name: String,
    pub machines: Vec<SnapshotOfMachine>,
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
