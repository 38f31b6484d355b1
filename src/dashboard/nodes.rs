//! Nodes, and how much of them is taken.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::object::{elements, items, name, text};
use super::quantity;

const ROLE: &str = "node-role.kubernetes.io/";

/// Conditions that are good when they are false.
const PRESSURES: [&str; 4] = [
    "MemoryPressure",
    "DiskPressure",
    "PIDPressure",
    "NetworkUnavailable",
];

/// All nodes of the cluster.
#[derive(Debug, Serialize)]
pub struct Nodes {
    pub nodes: Vec<Node>,
    /// Why it isn't known what is in use.
    pub without_usage: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Node {
    pub name: String,
    pub roles: Vec<String>,
    pub ready: bool,
    pub schedulable: bool,
    pub pressures: Vec<String>,
    pub taints: Vec<String>,
    /// In cores.
    pub cpu: Capacity,
    /// In bytes.
    pub memory: Capacity,
    pub pods: Capacity,
}

/// What pods can have of a node, and what they have.
#[derive(Debug, Default, Serialize)]
pub struct Capacity {
    pub allocatable: f64,
    pub requested: f64,
    /// As measured; `None` where nobody measures.
    pub used: Option<f64>,
}

impl Nodes {
    /// Puts nodes and pods together with what metrics-server measured, or with why it didn't.
    pub fn of(objects: &Value, usage: Result<&Value, String>) -> Self {
        let mut requests: BTreeMap<String, Requests> = BTreeMap::new();
        for pod in items(objects).filter(|it| it["kind"] == "Pod" && occupies(it)) {
            let of_node = requests.entry(text(&pod["spec"]["nodeName"])).or_default();
            of_node.cpu += requested(&pod["spec"], "cpu");
            of_node.memory += requested(&pod["spec"], "memory");
            of_node.pods += 1.0;
        }
        let (measured, without_usage) = match usage {
            Ok(list) => (list, None),
            Err(reason) => (&Value::Null, Some(reason)),
        };
        let nodes = items(objects).filter(|it| it["kind"] == "Node");
        let nodes = nodes.map(|node| {
            let name = name(node);
            let usage = items(measured).find(|it| it["metadata"]["name"] == name);
            let requests = requests.remove(&name).unwrap_or_default();
            Node::of(node, &requests, usage)
        });
        Self {
            nodes: nodes.collect(),
            without_usage,
        }
    }
}

#[derive(Default)]
struct Requests {
    cpu: f64,
    memory: f64,
    pods: f64,
}

impl Node {
    fn of(node: &Value, requests: &Requests, usage: Option<&Value>) -> Self {
        let is_true = |wanted: &str| {
            elements(&node["status"]["conditions"])
                .any(|it| it["type"] == wanted && it["status"] == "True")
        };
        let labels = node["metadata"]["labels"].as_object();
        let labels = labels.into_iter().flat_map(|it| it.keys());
        let capacity = |resource: &str, requested: f64| Capacity {
            allocatable: quantity::of(&node["status"]["allocatable"][resource]),
            requested,
            used: usage.map(|it| quantity::of(&it["usage"][resource])),
        };
        Self {
            name: name(node),
            roles: labels
                .filter_map(|it| it.strip_prefix(ROLE).map(str::to_owned))
                .collect(),
            ready: is_true("Ready"),
            schedulable: node["spec"]["unschedulable"] != true,
            pressures: PRESSURES
                .into_iter()
                .filter(|it| is_true(it))
                .map(str::to_owned)
                .collect(),
            taints: elements(&node["spec"]["taints"])
                .map(|it| format!("{}:{}", text(&it["key"]), text(&it["effect"])))
                .collect(),
            cpu: capacity("cpu", requests.cpu),
            memory: capacity("memory", requests.memory),
            pods: Capacity {
                used: None,
                ..capacity("pods", requests.pods)
            },
        }
    }
}

/// A pod that has ended takes nothing any more.
fn occupies(pod: &Value) -> bool {
    !matches!(
        pod["status"]["phase"].as_str(),
        Some("Succeeded" | "Failed")
    )
}

/// What the scheduler counts for a pod: its containers together, or the largest that runs before them.
fn requested(pod: &Value, resource: &str) -> f64 {
    let of = |container: &Value| quantity::of(&container["resources"]["requests"][resource]);
    let mut together: f64 = elements(&pod["containers"]).map(of).sum();
    let mut largest: f64 = 0.0;
    let mut beside = 0.0;
    for container in elements(&pod["initContainers"]) {
        if container["restartPolicy"] == "Always" {
            beside += of(container);
            largest = largest.max(beside);
        } else {
            largest = largest.max(beside + of(container));
        }
    }
    together += beside;
    together.max(largest) + quantity::of(&pod["overhead"][resource])
}
