//! Whether a Deployment or a DaemonSet has all its pods, as they should be and available.

use serde_json::Value;

/// Pods that aren't waited for: they are on nodes that don't answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Excused {
    /// They may be what is there still, although another one is wanted.
    outdated: i64,
    unavailable: i64,
}

impl Excused {
    /// Counts those of a list of pods that are on these nodes.
    pub fn of(pods: &Value, nodes: &[String]) -> Self {
        let mut excused = Self::default();
        for pod in pods["items"].as_array().into_iter().flatten() {
            let is_there = |node: &str| nodes.iter().any(|it| it == node);
            if pod["spec"]["nodeName"].as_str().is_some_and(is_there) {
                excused.outdated += 1;
                excused.unavailable += i64::from(!is_ready(pod));
            }
        }
        excused
    }
}

/// Returns where the server lists the pods of a Deployment or DaemonSet; empty where it selects none.
pub fn pods(object: &Value) -> String {
    let labels = object["spec"]["selector"]["matchLabels"].as_object();
    let labels: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}%3D{}", value.as_str().unwrap_or_default()))
        .collect();
    match object["metadata"]["namespace"].as_str() {
        Some(namespace) if !labels.is_empty() => {
            let selector = labels.join("%2C").replace('/', "%2F");
            format!("/api/v1/namespaces/{namespace}/pods?labelSelector={selector}")
        }
        _ => String::new(),
    }
}

/// Asks the same of both kinds, whose fields have other names; the error says what is missing.
pub fn judge(object: &Value, excused: &Excused) -> Result<(), String> {
    let status = &object["status"];
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    if number(&status["observedGeneration"]) < number(&object["metadata"]["generation"]) {
        return Err("its controller has not seen the change yet".to_owned());
    }
    let (wanted, total, updated, available) = if object["kind"] == "DaemonSet" {
        (
            number(&status["desiredNumberScheduled"]),
            number(&status["currentNumberScheduled"]),
            number(&status["updatedNumberScheduled"]),
            number(&status["numberAvailable"]),
        )
    } else {
        (
            object["spec"]["replicas"].as_i64().unwrap_or(1),
            number(&status["replicas"]),
            number(&status["updatedReplicas"]),
            number(&status["availableReplicas"]),
        )
    };
    let is_updated = updated + excused.outdated >= wanted;
    let is_available = available + excused.unavailable >= wanted;
    if !is_updated || !is_available || total > wanted + excused.outdated {
        return Err(format!(
            "{updated} of {wanted} pods updated, {available} available"
        ));
    }
    Ok(())
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|it| it["type"] == "Ready" && it["status"] == "True")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Excused, judge, pods};

    const NONE: Excused = Excused {
        outdated: 0,
        unavailable: 0,
    };

    fn deployment(updated: u32, available: u32, total: u32) -> Value {
        json!({
            "kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2},
            "status": {"observedGeneration": 2, "replicas": total,
                "updatedReplicas": updated, "availableReplicas": available},
        })
    }

    fn daemons(updated: u32, available: u32) -> Value {
        json!({"kind": "DaemonSet", "metadata": {"generation": 1}, "status": {
            "observedGeneration": 1, "desiredNumberScheduled": 3, "currentNumberScheduled": 3,
            "updatedNumberScheduled": updated, "numberAvailable": available}})
    }

    #[test]
    fn all_pods_must_be_new_and_available_and_no_old_one_left() {
        assert_eq!(judge(&deployment(2, 2, 2), &NONE), Ok(()));
        assert!(judge(&deployment(2, 1, 2), &NONE).is_err());
        assert!(judge(&deployment(2, 2, 3), &NONE).is_err());
        let mut old = deployment(2, 2, 2);
        old["metadata"]["generation"] = json!(3);
        assert!(judge(&old, &NONE).is_err());
        assert_eq!(judge(&daemons(3, 3), &NONE), Ok(()));
        assert!(judge(&daemons(2, 3), &NONE).is_err());
    }

    #[test]
    fn pods_on_nodes_that_do_not_answer_are_excused_and_no_others() {
        let pod = |node: &str, ready: &str| {
            json!({"spec": {"nodeName": node},
                "status": {"conditions": [{"type": "Ready", "status": ready}]}})
        };
        let on = |pods: &[Value]| Excused::of(&json!({ "items": pods }), &["off".to_owned()]);
        let gone = on(&[pod("off", "False"), pod("n1", "True"), pod("n2", "True")]);
        assert_eq!(judge(&daemons(3, 2), &gone), Ok(()));
        assert_eq!(judge(&daemons(2, 2), &gone), Ok(()));
        assert!(judge(&daemons(2, 1), &gone).is_err());
        // It still counts as available: the one that is missing is on a node that answers.
        let just_gone = on(&[pod("off", "True"), pod("n1", "False"), pod("n2", "True")]);
        assert!(judge(&daemons(3, 2), &just_gone).is_err());
        assert_eq!(judge(&deployment(2, 1, 2), &gone), Ok(()));
        assert!(judge(&deployment(2, 0, 2), &gone).is_err());
    }

    #[test]
    fn pods_are_found_by_the_selector() {
        let object = json!({"metadata": {"namespace": "a"},
            "spec": {"selector": {"matchLabels": {"k8s.io/app": "x", "y": "z"}}}});
        assert_eq!(
            pods(&object),
            "/api/v1/namespaces/a/pods?labelSelector=k8s.io%2Fapp%3Dx%2Cy%3Dz"
        );
        assert_eq!(pods(&json!({})), "");
    }
}
