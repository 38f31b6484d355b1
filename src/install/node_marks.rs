//! Labels and taints that users gave a Node, for the machine that takes its place.

use serde_json::Value;

use super::kubectl;
use super::lab::LabMachines;
use super::project::Project;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};

/// What marks a Node, without what Kubernetes and its components say of it themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeMarks {
    /// `name=value`.
    labels: Vec<String>,
    /// `name=value:Effect`.
    taints: Vec<String>,
}

impl NodeMarks {
    /// Reads them from a Node; nothing where the cluster doesn't have it.
    pub fn read(
        project: &Project,
        machines: &LabMachines,
        node: &str,
    ) -> Result<Self, Diagnostics> {
        let arguments = ["get", "node", node, "--ignore-not-found", "-o", "json"];
        let finished = kubectl::run(project, machines, &arguments)?;
        if finished.exit.code() != 0 {
            let said = String::from_utf8_lossy(&finished.stderr);
            let message = format!("can't read the labels of {node}: {}", said.trim());
            return Err(vec![Diagnostic::error(Kind::Step, message)]);
        }
        Ok(Self::of(
            &serde_json::from_slice(&finished.stdout).unwrap_or_default(),
        ))
    }

    fn of(node: &Value) -> Self {
        let labels = node["metadata"]["labels"].as_object().into_iter().flatten();
        let labels = labels
            .filter(|(name, _)| is_users(name))
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default()));
        let taints = node["spec"]["taints"].as_array().into_iter().flatten();
        let taints = taints.filter_map(|taint| {
            let name = taint["key"].as_str().filter(|name| is_users(name))?;
            let value = taint["value"].as_str().map(|it| format!("={it}"));
            let effect = taint["effect"].as_str()?;
            Some(format!("{name}{}:{effect}", value.unwrap_or_default()))
        });
        Self {
            labels: labels.collect(),
            taints: taints.collect(),
        }
    }

    /// Gives a Node those that it hasn't; what the inventory says of it stays.
    pub fn give(
        &self,
        project: &Project,
        machines: &LabMachines,
        node: &str,
    ) -> Result<(), Diagnostics> {
        let there = Self::read(project, machines, node)?;
        for (verb, all, there) in [
            ("label", &self.labels, &there.labels),
            ("taint", &self.taints, &there.taints),
        ] {
            let missing = missing(all, there);
            if missing.is_empty() {
                continue;
            }
            let arguments = [&[verb, "node", node], &missing[..]].concat();
            let finished = kubectl::run(project, machines, &arguments)?;
            if finished.exit.code() != 0 {
                let said = String::from_utf8_lossy(&finished.stderr);
                let message = format!("can't {verb} {node}: {}", said.trim());
                let error = Diagnostic::error(Kind::Step, message);
                let line = arguments.join(" ");
                return Err(vec![error.hint(format!("`kubectl {line}` repeats it"))]);
            }
        }
        Ok(())
    }
}

/// Returns the marks whose names another list doesn't have.
fn missing<'a>(all: &'a [String], there: &[String]) -> Vec<&'a str> {
    fn name(mark: &str) -> &str {
        mark.split(['=', ':']).next().unwrap_or(mark)
    }
    let is_there = |mark: &String| there.iter().any(|other| name(other) == name(mark));
    let missing = all.iter().filter(|mark| !is_there(mark));
    missing.map(String::as_str).collect()
}

/// Tells users' names from those of Kubernetes, except for the roles, which users give.
fn is_users(name: &str) -> bool {
    let Some((domain, role)) = name.split_once('/') else {
        return true;
    };
    if domain == "node-role.kubernetes.io" {
        return role != "control-plane";
    }
    !["kubernetes.io", "k8s.io", "kinstall.local"]
        .iter()
        .any(|own| domain == *own || domain.ends_with(&format!(".{own}")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{NodeMarks, missing};

    #[test]
    fn what_users_said_of_a_node_is_told_from_what_kubernetes_says() {
        let node = json!({
            "metadata": { "labels": {
                "disk": "fast",
                "example.com/rack": "",
                "kubernetes.io/hostname": "node1",
                "beta.kubernetes.io/os": "linux",
                "node-role.kubernetes.io/control-plane": "",
                "node-role.kubernetes.io/storage": "",
            }},
            "spec": { "taints": [
                { "key": "gpu", "value": "yes", "effect": "NoSchedule" },
                { "key": "old", "effect": "NoExecute" },
                { "key": "node.kubernetes.io/unreachable", "effect": "NoExecute" },
            ]},
        });
        let marks = NodeMarks::of(&node);
        assert_eq!(
            marks.labels,
            [
                "disk=fast",
                "example.com/rack=",
                "node-role.kubernetes.io/storage="
            ]
        );
        assert_eq!(marks.taints, ["gpu=yes:NoSchedule", "old:NoExecute"]);
        assert_eq!(
            missing(&marks.taints, &["gpu=no:NoExecute".to_owned()]),
            ["old:NoExecute"]
        );
        assert_eq!(NodeMarks::of(&json!(null)), NodeMarks::default());
    }
}
