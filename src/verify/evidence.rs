//! What is known of a cluster when a check has failed.

use serde_json::Value;

use super::Pairs;

/// Everything that causes are looked for in.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    pub hosts: Vec<HostEvidence>,
    /// A List of nodes, pods, deployments, daemonsets and address pools of all namespaces.
    pub objects: Value,
    /// A List of the events in the checks' namespace.
    pub events: Value,
    /// Namespace of the checks.
    pub namespace: String,
    /// Whether the inventory wants LoadBalancer Services to get addresses.
    pub has_load_balancer: bool,
    /// What the pod network's pairs came to, if they were tried.
    pub pairs: Pairs,
}

/// A host of the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostEvidence {
    pub name: String,
    /// Why it can't be reached by SSH.
    pub unreachable: Option<String>,
    /// Services of the node that don't run: `kubelet`, `containerd`.
    pub stopped: Vec<String>,
}

impl Evidence {
    /// Returns the objects of a kind.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        let items = self.objects["items"].as_array().into_iter().flatten();
        items.filter(move |item| item["kind"] == kind)
    }

    /// Returns a pod of a DaemonSet or Deployment of a namespace, by the beginning of its name, on a node.
    pub fn pod_on<'a>(
        &'a self,
        node: &'a str,
        namespace: &'a str,
        prefix: &'a str,
    ) -> Option<&'a Value> {
        self.of_kind("Pod").find(move |pod| {
            pod["spec"]["nodeName"] == node
                && pod["metadata"]["namespace"] == namespace
                && text(&pod["metadata"]["name"]).starts_with(prefix)
        })
    }
}

/// Returns whether an object has a condition `Ready` that is true.
pub fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|it| it["type"] == "Ready" && it["status"] == "True")
}

/// Returns a text, empty where there is none.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
