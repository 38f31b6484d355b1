//! What runs in the cluster: controllers and pods.

use serde::Serialize;
use serde_json::Value;

use super::object::{elements, items, name, namespace, text};

#[derive(Debug, Serialize)]
pub struct Workloads {
    pub controllers: Vec<Controller>,
    pub pods: Vec<Pod>,
}

/// A Deployment, DaemonSet or StatefulSet.
#[derive(Debug, Serialize)]
pub struct Controller {
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub ready: u64,
    pub wanted: u64,
    pub images: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Pod {
    pub namespace: String,
    pub name: String,
    pub node: String,
    /// As kubectl calls it: `Running`, `ImagePullBackOff`.
    pub state: String,
    /// It does what it should, or is done.
    pub good: bool,
    pub ready: usize,
    pub wanted: usize,
    pub restarts: u64,
    /// RFC 3339.
    pub created: String,
    /// Those that have logs, in order.
    pub containers: Vec<String>,
}

impl Workloads {
    /// Reads a list of controllers and pods.
    pub fn of(objects: &Value) -> Self {
        let mut pods: Vec<Pod> = items(objects)
            .filter(|it| it["kind"] == "Pod")
            .map(Pod::of)
            .collect();
        // What needs a look comes first; the list is sorted otherwise.
        pods.sort_by_key(|pod| pod.good);
        Self {
            controllers: items(objects)
                .filter(|it| it["kind"] != "Pod")
                .map(Controller::of)
                .collect(),
            pods,
        }
    }
}

impl Controller {
    fn of(object: &Value) -> Self {
        let status = &object["status"];
        let (ready, wanted) = if object["kind"] == "DaemonSet" {
            (&status["numberReady"], &status["desiredNumberScheduled"])
        } else {
            (&status["readyReplicas"], &object["spec"]["replicas"])
        };
        let containers = &object["spec"]["template"]["spec"]["containers"];
        Self {
            kind: text(&object["kind"]),
            namespace: namespace(object),
            name: name(object),
            ready: ready.as_u64().unwrap_or(0),
            wanted: wanted.as_u64().unwrap_or(0),
            images: elements(containers).map(|it| text(&it["image"])).collect(),
        }
    }
}

impl Pod {
    fn of(pod: &Value) -> Self {
        let (spec, status) = (&pod["spec"], &pod["status"]);
        let reports = || elements(&status["containerStatuses"]);
        let containers = elements(&spec["containers"]).chain(elements(&spec["initContainers"]));
        let containers: Vec<String> = containers.map(name_of_container).collect();
        let wanted = elements(&spec["containers"]).count();
        let ready = reports().filter(|it| it["ready"] == true).count();
        let state = state(pod);
        Self {
            namespace: namespace(pod),
            name: name(pod),
            node: text(&spec["nodeName"]),
            good: state == "Succeeded" || (state == "Running" && ready == wanted),
            state,
            ready,
            wanted,
            restarts: reports().filter_map(|it| it["restartCount"].as_u64()).sum(),
            created: text(&pod["metadata"]["creationTimestamp"]),
            containers,
        }
    }
}

fn name_of_container(container: &Value) -> String {
    text(&container["name"])
}

/// The most that is said about a pod: why a container waits or has ended, else its phase.
fn state(pod: &Value) -> String {
    if pod["metadata"]["deletionTimestamp"].is_string() {
        return "Terminating".to_owned();
    }
    let status = &pod["status"];
    if let Some(reason) = status["reason"].as_str() {
        return reason.to_owned();
    }
    let phase = text(&status["phase"]);
    if phase == "Succeeded" {
        return phase;
    }
    let containers = elements(&status["initContainerStatuses"]);
    let mut reasons = containers
        .chain(elements(&status["containerStatuses"]))
        .flat_map(|it| [&it["state"]["waiting"], &it["state"]["terminated"]])
        .filter_map(|it| it["reason"].as_str())
        // Of containers that ran before the others.
        .filter(|it| *it != "Completed" && *it != "PodInitializing");
    reasons.next().map_or(phase, str::to_owned)
}
