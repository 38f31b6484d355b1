//! Reads the control plane for the gate.

use serde_json::Value;

use super::Etcd;
use super::gate::ControlPlane;
use crate::converge::{Node, ResourceError};

/// Static pods of the control plane.
const PODS: &str = "/api/v1/namespaces/kube-system/pods?labelSelector=tier%3Dcontrol-plane";

/// Reads all components and members, as far as they can be seen from this node; in words why not. Without a kubeconfig, only
/// the members.
pub fn control_plane(
    kubeconfig: Option<&str>,
    node: &Node,
) -> Result<Result<ControlPlane, String>, ResourceError> {
    let pods = match kubeconfig.map(|it| pods(it, node)).transpose()? {
        Some(Err(reason)) => return Ok(Err(reason)),
        Some(Ok(pods)) => pods,
        None => Value::Null,
    };
    let Some(etcd) = Etcd::find(node) else {
        return Ok(Err("etcd does not run on this node".to_owned()));
    };
    let read = || -> Result<ControlPlane, ResourceError> {
        Ok(ControlPlane {
            members: etcd.members()?,
            alarms: etcd.alarms()?,
            is_on_hosts: etcd.is_on_hosts(),
            ..with_components(&pods)
        })
    };
    match read() {
        Err(ResourceError::Interrupted) => Err(ResourceError::Interrupted),
        Err(error) => Ok(Err(explain(&error))),
        Ok(found) => Ok(Ok(found)),
    }
}

fn pods(kubeconfig: &str, node: &Node) -> Result<Result<Value, String>, ResourceError> {
    if !node.path(kubeconfig).exists() {
        return Ok(Err(format!("{kubeconfig} is not there yet")));
    }
    Ok(match node.kubernetes(kubeconfig)?.get(PODS) {
        Ok(answer) if answer.is_success() => Ok(answer.body),
        Ok(answer) => Err(answer.message().to_owned()),
        Err(error) => Err(error.to_string()),
    })
}

fn with_components(pods: &Value) -> ControlPlane {
    let mut found = ControlPlane::default();
    for pod in pods["items"].as_array().into_iter().flatten() {
        let node = pod["spec"]["nodeName"].as_str().unwrap_or_default();
        let component = pod["metadata"]["labels"]["component"].as_str();
        let conditions = pod["status"]["conditions"].as_array();
        let is_ready = conditions
            .into_iter()
            .flatten()
            .any(|it| it["type"] == "Ready" && it["status"] == "True");
        if let Some(component) = component {
            let components = found.components.entry(node.to_owned()).or_default();
            components.insert(component.to_owned(), is_ready);
        }
    }
    found
}

/// etcdctl's last line has the reason.
fn explain(error: &ResourceError) -> String {
    match error.output().last() {
        Some(line) => format!("{error}: {line}"),
        None => error.to_string(),
    }
}
