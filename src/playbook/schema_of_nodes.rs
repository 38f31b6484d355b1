//! What a playbook may say of nodes as members of the cluster; part of [`super::schema`].

use serde::Deserialize;

use super::schema::Text;

/// No Node object of a machine that has not joined.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsentNode {
    pub name: Text,
    /// The machine's address: a Node that is ready elsewhere stays.
    pub address: Text,
}

/// Labels and taints of a Node object, which is never made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeObject {
    pub name: Text,
    /// JSON: an object of strings.
    pub labels: Text,
    /// JSON: a list of `key`, `value` and `effect`.
    pub taints: Text,
}

/// All pods of this node have addresses of the node's own range.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PodAddresses {
    /// Name of the pod network in the plugins' configuration.
    pub network: Text,
}

/// This node has its Node object, written `registration: {}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {}

/// Nothing of pods and of the cluster's network is left on this machine, written `remains: {}`. Its kubelet must be
/// stopped before.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remains {}

/// Another member of etcd than that of `host` leads, if there is one that can, written `etcd_leader_elsewhere: {}`. Only where a
/// member runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EtcdLeaderElsewhere {}

/// `host` has no member in etcd; one that is there is removed through the others, if they can bear it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EtcdMemberAbsent {
    /// A member that votes and answers stays: for what a cut-short join may have left.
    #[serde(default)]
    pub unless_healthy: bool,
    /// Only etcd has to be well: there may be no API server yet.
    #[serde(default)]
    pub etcd_only: bool,
    /// `/etc/kubernetes/admin.conf` by default.
    pub kubeconfig: Option<Text>,
}
