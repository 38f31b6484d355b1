//! What a backup of a cluster says of itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::resource::Sha256;

/// Version of the archive's layout.
pub const FORMAT: u32 = 1;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub format: u32,
    /// Version of the kinstall that made it.
    pub kinstall: String,
    pub cluster: String,
    pub control_planes: Vec<String>,
    /// The control plane whose data it has.
    pub node: String,
    pub snapshot: Snapshot,
}

/// etcd's data, as `kinstall-etcd-snapshot` tells of it on the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    pub created: Timestamp,
    /// Versions, without a leading `v`.
    pub kubernetes: String,
    pub etcd: String,
    pub revision: u64,
    pub keys: u64,
    /// Bytes.
    pub size: u64,
    pub sha256: Sha256,
}
