//! What a playbook may wait for; part of [`super::schema`].

use serde::Deserialize;

use super::schema::Text;

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
