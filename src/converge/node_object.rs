//! Labels and taints of nodes: what the inventory says, and nothing that others said. A node that stays takes pods again
//! where half of a removal cordoned it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::kubernetes::Client;
use super::{Converge, Node, ResourceError};
use crate::resource::{Action, Change, NodeObject, NodeTaint};

/// How long a kubelet may take to register, and others may change the object at the same time.
const PATIENCE: Duration = Duration::from_mins(2);
const INTERVAL: Duration = Duration::from_millis(500);
/// Where the object says which of its taints the inventory had: nothing else would tell them from others'.
const RECORD: &str = "kinstall.local/taints";
/// Where the object says that a removal cordoned it (`playbooks/remove/drain.yml`): what the user cordoned stays so.
const CORDONED_BY: &str = "kinstall.local/cordoned-by";
/// The taint that kubeadm gives to control planes, and kinstall's earlier versions without a record.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

/// What the server says of the node.
#[derive(Debug)]
pub struct Observed {
    /// `None` where it isn't registered, or the server doesn't answer yet.
    found: Option<Found>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    uid: String,
    resource_version: String,
    labels: BTreeMap<String, String>,
    /// Labels that kinstall has set.
    own_labels: BTreeSet<String>,
    /// As they are, with fields that don't matter here.
    taints: Vec<Value>,
    record: Option<String>,
    was_to_leave: bool,
}

impl Converge for NodeObject {
    type Observed = Observed;

    fn probe(&self, node: &Node) -> Result<Observed, ResourceError> {
        if !node.path(&self.kubeconfig).exists() {
            return Ok(Observed { found: None });
        }
        let answer = node.kubernetes(&self.kubeconfig)?.get(&self.path());
        let found = match answer {
            Ok(answer) if answer.is_success() => Some(Found::read(&answer.body)),
            _ => None,
        };
        Ok(Observed { found })
    }

    fn diff(&self, observed: &Observed) -> Vec<Change> {
        let nothing = Found::default();
        let found = observed.found.as_ref().unwrap_or(&nothing);
        let mut changes = self.label_changes(found);
        changes.extend(self.taint_changes(found));
        if found.was_to_leave {
            changes.push(Change::new(Action::Run, "uncordon"));
        }
        changes
    }

    fn apply(&self, _changes: &[Change], node: &mut Node) -> Result<(), ResourceError> {
        let client = node.kubernetes(&self.kubeconfig)?;
        let end = Instant::now() + PATIENCE;
        loop {
            let last = match self.probe(node)?.found {
                Some(found) => match self.set(&found, &client) {
                    // Somebody changed it in between, or it was made anew.
                    Err(ResourceError::Api {
                        status: 409,
                        message,
                        ..
                    }) => message,
                    result => return result,
                },
                None => "its kubelet has not registered it".to_owned(),
            };
            if Instant::now() > end {
                return Err(ResourceError::Condition {
                    condition: format!("node {} has its labels and taints", self.name),
                    seconds: u32::try_from(PATIENCE.as_secs()).unwrap_or(u32::MAX),
                    last,
                    output: Vec::new(),
                });
            }
            node.cancel().sleep(INTERVAL)?;
        }
    }
}

impl NodeObject {
    fn path(&self) -> String {
        format!("/api/v1/nodes/{}", self.name)
    }

    fn label_changes(&self, found: &Found) -> Vec<Change> {
        let mut changes = Vec::new();
        for (key, wanted) in &self.labels {
            let is = found.labels.get(key);
            if is != Some(wanted) {
                let action = if is.is_some() {
                    Action::Update
                } else {
                    Action::Create
                };
                let change = Change::new(action, format!("label {key}"));
                changes.push(change.values(is.cloned(), Some(wanted.clone())));
            }
        }
        for key in &found.own_labels {
            if !self.labels.contains_key(key) && found.labels.contains_key(key) {
                let change = Change::new(Action::Remove, format!("label {key}"));
                changes.push(change.values(found.labels.get(key).cloned(), None));
            }
        }
        changes
    }

    fn taint_changes(&self, found: &Found) -> Vec<Change> {
        let mut changes: Vec<Change> = self
            .taints
            .iter()
            .filter(|wanted| !found.has(wanted))
            .map(|taint| Change::new(Action::Create, format!("taint {}", text(taint))))
            .collect();
        let removed = found.taints.iter().filter(|is| self.is_unwanted(is, found));
        changes.extend(
            removed
                .filter_map(taint)
                .map(|taint| Change::new(Action::Remove, format!("taint {}", text(&taint)))),
        );
        let record = self.record();
        let is_recorded = found.record.as_deref().unwrap_or_default() == record;
        if !is_recorded && changes.is_empty() {
            changes.push(
                Change::new(Action::Update, format!("annotation {RECORD}"))
                    .values(found.record.clone(), Some(record)),
            );
        }
        changes
    }

    /// A taint that the inventory had and has no more.
    fn is_unwanted(&self, is: &Value, found: &Found) -> bool {
        let Some(taint) = taint(is) else {
            return false;
        };
        let was_ours = match &found.record {
            Some(record) => record.split(',').any(|ours| ours == text(&taint)),
            None => taint.key == CONTROL_PLANE,
        };
        was_ours && !self.taints.contains(&taint)
    }

    fn record(&self) -> String {
        let taints: Vec<String> = self.taints.iter().map(text).collect();
        taints.join(",")
    }

    /// The identity that both requests name keeps a Node that was deleted from being made.
    fn set(&self, found: &Found, client: &Client) -> Result<(), ResourceError> {
        let taints: Vec<Value> = found
            .taints
            .iter()
            .filter(|is| !self.is_unwanted(is, found))
            .cloned()
            .chain(
                self.taints
                    .iter()
                    .filter(|wanted| !found.has(wanted))
                    .map(|taint| json!(taint)),
            )
            .collect();
        if taints != found.taints || found.was_to_leave {
            let mut patch = json!({
                "metadata": { "uid": found.uid, "resourceVersion": found.resource_version },
                "spec": { "taints": taints },
            });
            if found.was_to_leave {
                patch["metadata"]["annotations"] = json!({ CORDONED_BY: null });
                patch["spec"]["unschedulable"] = json!(null);
            }
            let answer = client.merge_patch(&self.path(), &patch)?;
            if !answer.is_success() {
                return Err(answer.refused(format!("change Node {}", self.name)));
            }
        }
        let mut metadata = json!({
            "name": self.name,
            "uid": found.uid,
            "labels": self.labels,
        });
        let record = self.record();
        if !record.is_empty() || found.record.is_some() {
            metadata["annotations"] = json!({ RECORD: record });
        }
        let object = json!({ "apiVersion": "v1", "kind": "Node", "metadata": metadata });
        let answer = client.apply(&self.path(), &object.to_string(), false)?;
        if !answer.is_success() {
            return Err(answer.refused(format!("label Node {}", self.name)));
        }
        Ok(())
    }
}

impl Found {
    fn read(object: &Value) -> Self {
        let metadata = &object["metadata"];
        let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let labels = metadata["labels"].as_object().into_iter().flatten();
        let ours = metadata["managedFields"].as_array().into_iter().flatten();
        let ours = ours.filter(|entry| entry["manager"] == "kinstall");
        Self {
            uid: string(&metadata["uid"]),
            resource_version: string(&metadata["resourceVersion"]),
            labels: labels
                .map(|(key, value)| (key.clone(), string(value)))
                .collect(),
            own_labels: ours
                .filter_map(|entry| entry["fieldsV1"]["f:metadata"]["f:labels"].as_object())
                .flatten()
                .filter_map(|(field, _)| Some(field.strip_prefix("f:")?.to_owned()))
                .collect(),
            taints: object["spec"]["taints"]
                .as_array()
                .cloned()
                .unwrap_or_default(),
            record: metadata["annotations"][RECORD].as_str().map(str::to_owned),
            was_to_leave: metadata["annotations"][CORDONED_BY] == "removal",
        }
    }

    fn has(&self, wanted: &NodeTaint) -> bool {
        self.taints
            .iter()
            .any(|is| taint(is).as_ref() == Some(wanted))
    }
}

fn taint(value: &Value) -> Option<NodeTaint> {
    serde_json::from_value(value.clone()).ok()
}

fn text(taint: &NodeTaint) -> String {
    format!("{}={}:{}", taint.key, taint.value, taint.effect)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(labels: &[(&str, &str)], taints: &[&str]) -> NodeObject {
        NodeObject {
            name: "w1".into(),
            labels: labels
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            taints: taints
                .iter()
                .map(|key| NodeTaint {
                    key: (*key).into(),
                    value: String::new(),
                    effect: "NoSchedule".into(),
                })
                .collect(),
            kubeconfig: "/admin.conf".into(),
        }
    }

    fn changes(wanted: &NodeObject, object: &Value) -> Vec<String> {
        let observed = Observed {
            found: Some(Found::read(object)),
        };
        let changes = wanted.diff(&observed);
        changes
            .iter()
            .map(|change| format!("{:?} {}", change.action, change.subject))
            .collect()
    }

    fn live() -> Value {
        json!({
            "metadata": {
                "labels": {"kubernetes.io/hostname": "w1", "role": "web", "old": "1", "users": "x"},
                "annotations": {RECORD: "gone=:NoSchedule"},
                "managedFields": [
                    {"manager": "kubelet", "fieldsV1": {"f:metadata": {"f:labels": {"f:kubernetes.io/hostname": {}}}}},
                    {"manager": "kinstall", "fieldsV1": {"f:metadata": {"f:labels": {"f:role": {}, "f:old": {}}}}},
                ],
            },
            "spec": {"taints": [
                {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute", "timeAdded": "2026-01-01T00:00:00Z"},
                {"key": "gone", "effect": "NoSchedule"},
                {"key": "users", "value": "a", "effect": "NoSchedule"},
            ]},
        })
    }

    #[test]
    fn only_what_the_inventory_says_or_once_said_is_changed() {
        let none: [&str; 0] = [];
        assert_eq!(
            changes(&wanted(&[("role", "db"), ("zone", "a")], &["new"]), &live()),
            [
                "Update label role",
                "Create label zone",
                "Remove label old",
                "Create taint new=:NoSchedule",
                "Remove taint gone=:NoSchedule",
            ]
        );
        assert_eq!(
            changes(
                &wanted(&[("role", "web"), ("old", "1")], &["gone"]),
                &live()
            ),
            none
        );
    }

    #[test]
    fn a_node_that_becomes_a_worker_as_well_loses_the_control_planes_taint() {
        let object = json!({"spec": {"taints": [{"key": CONTROL_PLANE, "effect": "NoSchedule"}]}});
        assert_eq!(
            changes(&wanted(&[], &[]), &object),
            [format!("Remove taint {CONTROL_PLANE}=:NoSchedule")]
        );
        assert_eq!(
            changes(&wanted(&[], &[CONTROL_PLANE]), &object),
            [format!("Update annotation {RECORD}")]
        );
    }

    #[test]
    fn what_a_removal_cordoned_takes_pods_again_and_what_others_cordoned_does_not() {
        let cordoned_by = |who: &str| json!({"metadata": {"annotations": {CORDONED_BY: who}}, "spec": {"unschedulable": true}});
        assert_eq!(
            changes(&wanted(&[], &[]), &cordoned_by("removal")),
            ["Run uncordon"]
        );
        assert!(changes(&wanted(&[], &[]), &cordoned_by("upgrade")).is_empty());
        let by_the_user = json!({"spec": {"unschedulable": true}});
        assert!(changes(&wanted(&[], &[]), &by_the_user).is_empty());
    }

    #[test]
    fn a_node_without_wishes_needs_no_object() {
        let observed = Observed { found: None };
        assert!(wanted(&[], &[]).diff(&observed).is_empty());
        assert_eq!(wanted(&[("a", "b")], &[]).diff(&observed).len(), 1);
    }
}
