//! Conditions that the node reaches by itself.

use serde::{Deserialize, Serialize};

use super::ControlPlaneChange;

/// A condition that the node reaches by itself, polled on the node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    pub condition: Condition,
    /// Seconds.
    pub timeout: u32,
}

/// What [`Wait`] waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// A TCP port accepts connections, at one of these addresses; spaces are between them.
    Tcp { address: String, port: u16 },
    /// A GET answers 200; `ca` is a PEM file on the node.
    Https { url: String, ca: String },
    /// A unix socket accepts connections.
    UnixSocket(String),
    /// A path exists.
    Path(String),
    /// The Node object is Ready (with the manifests' kubeconfig).
    NodeReady { kubeconfig: String, name: String },
    /// These static pods run as their manifests say, by name.
    StaticPodsRun(Vec<String>),
    /// Another API server than this host's is ready, if the cluster has another one.
    AnotherApiServer { kubeconfig: String, host: String },
    /// The control plane can bear a change: all its components and etcd members are well, and enough of
    /// them will be.
    ControlPlaneBears {
        /// Without one, only etcd is looked at.
        kubeconfig: Option<String>,
        change: ControlPlaneChange,
    },
    /// A Deployment or DaemonSet has all its pods updated and available.
    RolledOut {
        kubeconfig: String,
        kind: String,
        namespace: String,
        name: String,
        /// Nodes that are known not to answer: their pods aren't waited for.
        without: Vec<String>,
    },
}

impl Condition {
    /// Returns the condition in words: `node2 is ready`.
    pub fn title(&self) -> String {
        match self {
            Condition::Tcp { address, port } => {
                let addresses = address.split_whitespace();
                let addresses: Vec<String> = addresses.map(|it| format!("{it}:{port}")).collect();
                format!("{} accepts connections", addresses.join(" or "))
            }
            Condition::Https { url, .. } => format!("{url} answers"),
            Condition::UnixSocket(path) => format!("{path} accepts connections"),
            Condition::Path(path) => format!("{path} exists"),
            Condition::NodeReady { name, .. } => format!("node {name} is ready"),
            Condition::StaticPodsRun(names) => {
                format!("{} run as their manifests say", names.join(", "))
            }
            Condition::AnotherApiServer { host, .. } => {
                format!("another API server than that of {host} is ready")
            }
            Condition::ControlPlaneBears { change, kubeconfig } => {
                let what = match kubeconfig {
                    Some(_) => "the control plane",
                    None => "etcd",
                };
                format!("{what} is well enough, before {change}")
            }
            Condition::RolledOut {
                kind,
                namespace,
                name,
                ..
            } => format!("{kind} {namespace}/{name} is rolled out"),
        }
    }
}
