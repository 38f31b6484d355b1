//! What a playbook may wait for; part of [`super::schema`].

use serde::Deserialize;

use super::schema::Text;
use crate::resource::ControlPlaneChangeKind;

/// A TCP port accepts connections, at one of these addresses; spaces are between them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tcp {
    pub address: Text,
    pub port: Text,
}

/// A GET answers 200; `ca` is a PEM file on the node.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Https {
    pub url: Text,
    pub ca: Text,
}

/// A Node object is Ready; this host's by default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeReady {
    pub name: Option<Text>,
    /// `/etc/kubernetes/admin.conf` by default.
    pub kubeconfig: Option<Text>,
}

/// A Deployment or DaemonSet has all its pods updated and available.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolledOut {
    /// `deployment` or `daemonset`.
    pub kind: Text,
    pub namespace: Text,
    pub name: Text,
    /// `/etc/kubernetes/admin.conf` by default.
    pub kubeconfig: Option<Text>,
}

/// Another API server than this host's is ready, if the cluster has another one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnotherApiServer {
    /// `/etc/kubernetes/admin.conf` by default.
    pub kubeconfig: Option<Text>,
}

/// The gate before every change of the control plane: every component and etcd member is well, no member is
/// half joined, and the members that will be have a healthy majority. `host` is the one that changes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlPlaneBears {
    pub change: ControlPlaneChangeKind,
    /// Only etcd has to be well: there may be no API server yet.
    #[serde(default)]
    pub etcd_only: bool,
    /// `/etc/kubernetes/admin.conf` by default.
    pub kubeconfig: Option<Text>,
}
