//! Why pods of a Deployment, of a DaemonSet or on a node aren't ready: the cluster's own words, one line a pod.

use serde_json::Value;

use super::kubernetes::{Answer, Client};
use super::rollout;

/// Pods that are explained; the others mostly have the same trouble.
const PODS: usize = 3;
/// Last lines of a container that ended.
const LINES: usize = 3;
/// The events that may have a reason, as a URL asks for them.
const WARNINGS: &str = "fieldSelector=type%3DWarning";

/// Explains an object of a namespace by what its pods, their events and their containers say.
pub fn explain(client: &Client, namespace: &str, object: &Value) -> Vec<String> {
    let pods = list(client, &rollout::pods(object));
    if !pods.is_empty() {
        return explain_pods(client, &pods);
    }
    let base = format!("/api/v1/namespaces/{namespace}");
    let events = list(client, &format!("{base}/events?{WARNINGS}&limit=500"));
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let event = events.iter().filter(|event| {
        let involved = event["involvedObject"]["name"].as_str().unwrap_or_default();
        involved.starts_with(name)
    });
    let event = newest(event).map(|event| format!("no pod was made: {event}"));
    event.into_iter().collect()
}

/// Explains why a node isn't ready by the pods on it, those first that the network of others may come from.
pub fn explain_node(client: &Client, name: &str) -> Vec<String> {
    let mut pods = list(
        client,
        &format!("/api/v1/pods?fieldSelector=spec.nodeName%3D{name}"),
    );
    pods.retain(|pod| pod["status"]["phase"] != "Succeeded");
    pods.sort_by_key(|pod| pod["spec"]["hostNetwork"] != true);
    explain_pods(client, &pods)
}

fn explain_pods(client: &Client, pods: &[Value]) -> Vec<String> {
    let mut lines = Vec::new();
    for pod in pods.iter().filter(|pod| !is_ready(pod)).take(PODS) {
        let text = |field: &str| pod["metadata"][field].as_str().unwrap_or_default();
        let (base, name) = (
            format!("/api/v1/namespaces/{}", text("namespace")),
            text("name"),
        );
        lines.push(describe(pod));
        let events = list(
            client,
            &format!("{base}/events?{WARNINGS}%2CinvolvedObject.name%3D{name}"),
        );
        lines.extend(newest(events.iter()).map(|event| format!("  event: {event}")));
        if let Some((container, is_previous)) = ended_container(pod) {
            let previous = if is_previous { "&previous=true" } else { "" };
            let path =
                format!("{base}/pods/{name}/log?container={container}&tailLines={LINES}{previous}");
            let said = client.get(&path).ok().filter(Answer::is_success);
            let said = said.and_then(|answer| answer.body.as_str().map(str::to_owned));
            lines.extend(
                said.iter()
                    .flat_map(|text| text.lines())
                    .map(|line| format!("  {container} said: {line}")),
            );
        }
    }
    lines
}

/// Nothing where the server can't say it: this only explains an error.
fn list(client: &Client, path: &str) -> Vec<Value> {
    match client.get(path) {
        Ok(answer) if answer.is_success() => {
            answer.body["items"].as_array().cloned().unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready").is_some_and(|it| it["status"] == "True")
}

fn condition<'a>(pod: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = pod["status"]["conditions"].as_array()?;
    conditions.iter().find(|it| it["type"] == kind)
}

fn statuses(pod: &Value) -> impl Iterator<Item = &Value> {
    ["initContainerStatuses", "containerStatuses"]
        .into_iter()
        .filter_map(|kind| pod["status"][kind].as_array())
        .flatten()
}

/// `pod traefik-64dh4 on w1: ImagePullBackOff: Back-off pulling image …`.
fn describe(pod: &Value) -> String {
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    let place = match pod["spec"]["nodeName"].as_str() {
        Some(node) => format!("pod {name} on {node}"),
        None => format!("pod {name}, on no node"),
    };
    let waiting = statuses(pod)
        .map(|status| &status["state"]["waiting"])
        .find(|waiting| waiting["reason"].is_string());
    let ended = statuses(pod)
        .map(|status| &status["state"]["terminated"])
        .find(|ended| ended["exitCode"].as_i64().is_some_and(|code| code != 0));
    let unscheduled = condition(pod, "PodScheduled").filter(|it| it["status"] == "False");
    let found = waiting.or(ended).or(unscheduled);
    let text = |value: &Value, field: &str| value[field].as_str().map(str::to_owned);
    if let Some(found) = found {
        let words = [text(found, "reason"), text(found, "message")];
        let words: Vec<String> = words.into_iter().flatten().collect();
        format!("{place}: {}", words.join(": "))
    } else {
        let phase = pod["status"]["phase"].as_str().unwrap_or("unknown");
        format!("{place}: {phase}, not ready")
    }
}

fn newest<'a>(events: impl Iterator<Item = &'a Value>) -> Option<String> {
    // Times in RFC 3339, all of one length, are in order as text.
    let time = |event: &Value| {
        ["lastTimestamp", "eventTime"]
            .iter()
            .find_map(|field| event[*field].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let event = events.max_by_key(|event| time(event))?;
    let text = |field: &str| event[field].as_str().unwrap_or_default().trim().to_owned();
    Some(format!("{}: {}", text("reason"), text("message")))
}

/// The container to listen to: one that ended and waits to be started again, or that doesn't get ready.
fn ended_container(pod: &Value) -> Option<(&str, bool)> {
    let status = statuses(pod).find(|status| {
        let failed = |state: &Value| {
            let code = state["terminated"]["exitCode"].as_i64();
            code.is_some_and(|code| code != 0)
        };
        failed(&status["state"]) || failed(&status["lastState"])
    })?;
    let is_previous = status["state"]["terminated"].is_null();
    Some((status["name"].as_str()?, is_previous))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_reason_that_keeps_a_pod_is_found() {
        let pod = |status: Value| json!({"metadata": {"name": "a"}, "spec": {"nodeName": "w1"}, "status": status});
        let waiting = pod(json!({"containerStatuses": [
            {"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off"}}},
        ]}));
        assert_eq!(
            describe(&waiting),
            "pod a on w1: ImagePullBackOff: Back-off"
        );
        let crashing = pod(json!({"containerStatuses": [{
            "name": "c",
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1}},
        }]}));
        assert_eq!(ended_container(&crashing), Some(("c", true)));
        assert_eq!(ended_container(&waiting), None);
        let unscheduled = json!({"metadata": {"name": "a"}, "status": {"conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"},
        ]}});
        assert_eq!(
            describe(&unscheduled),
            "pod a, on no node: Unschedulable: 0/1 nodes"
        );
    }

    #[test]
    fn the_newest_event_is_found() {
        let event = |time: &str, message: &str| json!({"lastTimestamp": time, "reason": "Failed", "message": message});
        let events = [
            event("2026-11-26T11:00:00Z", "failed to find plugin"),
            event("2026-11-26T10:00:00Z", "old"),
        ];
        assert_eq!(
            newest(events.iter()).unwrap(),
            "Failed: failed to find plugin"
        );
        assert_eq!(newest([].iter()), None);
    }
}
