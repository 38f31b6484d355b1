//! What is about to happen to a cluster's control plane.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A change of the control plane, for the gate that every such change passes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlPlaneChange {
    pub kind: ControlPlaneChangeKind,
    /// Name of the host that it concerns.
    pub host: String,
    /// Its address, by which its etcd member is known.
    pub address: String,
}

/// What the host does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlPlaneChangeKind {
    /// Becomes a control plane with an etcd member.
    Join,
    /// Stops to be one, dead or alive.
    Leave,
    /// Stops for a while, and comes back the same.
    Restart,
}

/// No etcd member of this host: one that is there is removed through the other members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcdMemberAbsent {
    pub host: String,
    pub address: String,
    /// A member that votes and answers stays.
    pub unless_healthy: bool,
    /// Kubeconfig on the node that carries this out; without one, only etcd is looked at.
    pub kubeconfig: Option<String>,
}

/// Another member of etcd than this host's leads, if there is one that can: for what stops this one for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EtcdLeaderElsewhere {
    pub host: String,
    pub address: String,
}

impl fmt::Display for ControlPlaneChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        match self.kind {
            ControlPlaneChangeKind::Join => write!(formatter, "{host} joins"),
            ControlPlaneChangeKind::Leave => write!(formatter, "{host} leaves"),
            ControlPlaneChangeKind::Restart => write!(formatter, "{host} restarts"),
        }
    }
}
