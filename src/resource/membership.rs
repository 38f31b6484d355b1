//! A node's place in its cluster.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the inventory says of a node, on the Node object that its kubelet made. Only what the inventory says, or
/// once said, is changed; the object itself is never made here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeObject {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    /// Further taints belong to controllers and to the user.
    pub taints: Vec<NodeTaint>,
    /// Kubeconfig on the node that asks.
    pub kubeconfig: String,
}

/// A taint, as Kubernetes has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeTaint {
    pub key: String,
    /// Always sent, also when it is empty: the wire format has no names of fields to leave one out by.
    #[serde(default)]
    pub value: String,
    pub effect: String,
}

/// No Node object of a machine that has not joined: one that is there was left by an earlier machine of this name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsentNode {
    pub name: String,
    /// The machine's address: a Node that is ready elsewhere isn't its own.
    pub address: String,
    pub kubeconfig: String,
}

/// The node has its Node object: a kubelet makes it when it starts, and never again after that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    pub name: String,
    /// The kubelet's own kubeconfig.
    pub kubeconfig: String,
}

/// Pods have addresses of the range that the cluster has given to the node, which changes with its Node object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodAddresses {
    /// The node's name.
    pub name: String,
    /// Name of the pod network in the plugins' configuration.
    pub network: String,
    /// The kubelet's own kubeconfig.
    pub kubeconfig: String,
}

#[cfg(test)]
mod tests {
    use super::{NodeObject, NodeTaint};

    #[test]
    fn a_taint_without_a_value_arrives_at_the_node() {
        let taint = NodeTaint {
            key: "node-role.kubernetes.io/control-plane".to_owned(),
            value: String::new(),
            effect: "NoSchedule".to_owned(),
        };
        let node = NodeObject {
            name: "cp1".to_owned(),
            labels: [].into(),
            taints: vec![taint.clone()],
            kubeconfig: "/etc/kubernetes/admin.conf".to_owned(),
        };
        let sent = postcard::to_allocvec(&node).unwrap();
        assert_eq!(postcard::from_bytes::<NodeObject>(&sent).unwrap(), node);
        // The API server leaves an empty value out.
        let stored = r#"{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}"#;
        assert_eq!(serde_json::from_str::<NodeTaint>(stored).unwrap(), taint);
    }
}
