//! What a rollback of an upgrade brings back, and what it costs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::backup::Snapshot;
use crate::plan::upgrade::ReleaseVersions;

/// What an upgrade writes beside the data that etcd had before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeforeUpgrade {
    pub snapshot: Snapshot,
    /// Names of the keys that Secrets may be encrypted with.
    pub encryption: Vec<String>,
}

/// A backup that an upgrade took before anything changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundBackup {
    /// Name of the control plane that has it.
    pub host: String,
    pub file: String,
    pub told: BeforeUpgrade,
}

/// Where a rollback leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// What all nodes run then.
    pub versions: ReleaseVersions,
    pub backup: FoundBackup,
    /// What each node runs that is newer.
    pub moved: BTreeMap<String, Vec<String>>,
    /// It was interrupted.
    pub goes_on: bool,
}
