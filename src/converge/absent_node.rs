//! Node objects of machines that are no more: they keep new machines of the same name from joining.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Converge, Node, ResourceError};
use crate::resource::{AbsentNode, Action, Change};

/// How long a machine that is gone counts as ready, and somewhat more: Kubernetes gives up on it after 50 s.
const PATIENCE: Duration = Duration::from_secs(90);
const INTERVAL: Duration = Duration::from_secs(1);

/// The Node object that is there.
#[derive(Debug)]
pub struct Found {
    is_ready: bool,
    addresses: Vec<String>,
}

impl Converge for AbsentNode {
    /// A server that doesn't answer has no objects yet.
    type Observed = Option<Found>;

    fn probe(&self, node: &Node) -> Result<Option<Found>, ResourceError> {
        if !node.path(&self.kubeconfig).exists() {
            return Ok(None);
        }
        let answer = node.kubernetes(&self.kubeconfig)?.get(&self.path());
        Ok(answer
            .ok()
            .filter(super::kubernetes::Answer::is_success)
            .map(|answer| found(&answer.body)))
    }

    fn diff(&self, found: &Option<Found>) -> Vec<Change> {
        let Some(found) = found else {
            return Vec::new();
        };
        let state = if found.is_ready { "ready" } else { "not ready" };
        let from = format!("{state}, of an earlier machine");
        vec![Change::new(Action::Remove, format!("Node {}", self.name)).values(Some(from), None)]
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let end = Instant::now() + PATIENCE;
        while let Some(found) = self.probe(node)? {
            // A machine that isn't this one may be alive: its node is not ours to remove.
            if !found.is_ready || found.addresses.contains(&self.address) {
                let answer = node.kubernetes(&self.kubeconfig)?.delete(&self.path())?;
                if answer.is_success() || answer.status == 404 {
                    return Ok(());
                }
                return Err(answer.refused(format!("delete Node {}", self.name)));
            }
            if Instant::now() > end {
                return Err(ResourceError::other(format!(
                    "the cluster has a ready node {} at {}, and this machine at {} has not joined: two machines have \
                     one name",
                    self.name,
                    found.addresses.join(", "),
                    self.address
                )));
            }
            node.cancel().sleep(INTERVAL)?;
        }
        Ok(())
    }
}

impl AbsentNode {
    fn path(&self) -> String {
        format!("/api/v1/nodes/{}", self.name)
    }
}

fn found(object: &Value) -> Found {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    Found {
        is_ready: list(&object["status"]["conditions"])
            .iter()
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True"),
        addresses: list(&object["status"]["addresses"])
            .iter()
            .filter(|address| address["type"] == "InternalIP")
            .filter_map(|address| Some(address["address"].as_str()?.to_owned()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn readiness_and_addresses_are_read() {
        let node = |status| {
            found(&json!({"status": {
                "conditions": [{"type": "Ready", "status": status}],
                "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}, {"type": "Hostname", "address": "w1"}],
            }}))
        };
        assert!(node("True").is_ready && !node("Unknown").is_ready);
        assert_eq!(node("True").addresses, ["192.0.2.1"]);
        let absent = AbsentNode {
            name: "w1".into(),
            address: "192.0.2.1".into(),
            kubeconfig: "/admin.conf".into(),
        };
        assert_eq!(absent.diff(&Some(node("True")))[0].subject, "Node w1");
        assert!(absent.diff(&None).is_empty());
    }
}
