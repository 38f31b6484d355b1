//! Which of the user's objects kinstall made, kept in the cluster: the `up` that doesn't want them any more removes those,
//! from whatever computer and by whatever control plane.

use serde_json::json;

use crate::converge::ResourceError;
use crate::converge::kubernetes::{Client, Object};
use crate::resource::{Manifest, ObjectName};

const PATH: &str = "/api/v1/namespaces/kube-system/configmaps/kinstall-manifests";

/// Reads them, in the order in which they were made.
pub fn read(client: &Client) -> Result<Vec<ObjectName>, ResourceError> {
    let answer = client.get(PATH)?;
    if answer.status == 404 {
        return Ok(Vec::new());
    }
    if !answer.is_success() {
        return Err(answer.refused("show which objects kinstall made"));
    }
    let lines = answer.body["data"]["objects"].as_str().unwrap_or_default();
    // What another kinstall wrote in another way stays.
    let names = lines.lines();
    Ok(names
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect())
}

/// Returns the object that keeps them.
pub fn object(names: &[ObjectName]) -> Result<Object, ResourceError> {
    let lines: Vec<String> = names
        .iter()
        .filter_map(|name| serde_json::to_string(name).ok())
        .collect();
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "kinstall-manifests", "namespace": "kube-system"},
        "data": {"objects": lines.join("\n")},
    });
    Object::parse(&Manifest::new(object.to_string()))
}

/// Forgets all of them.
pub fn forget(client: &Client) -> Result<(), ResourceError> {
    let answer = client.delete(PATH)?;
    if answer.is_success() || answer.status == 404 {
        return Ok(());
    }
    Err(answer.refused("forget which objects kinstall made"))
}
