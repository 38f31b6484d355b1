//! One Kubernetes object of a set.

use serde_json::Value;

use super::Discovery;
use super::client::FIELD_MANAGER;
use crate::converge::ResourceError;

/// An object by what identifies it, with its JSON text.
#[derive(Clone, Debug)]
pub struct Object {
    pub api_version: String,
    pub kind: String,
    pub namespace: Option<String>,
    pub name: String,
    pub text: String,
}

impl Object {
    /// Reads an object's JSON.
    pub fn parse(text: &str) -> Result<Self, ResourceError> {
        let invalid = |what: &str| ResourceError::other(format!("a manifest {what}"));
        let value: Value = serde_json::from_str(text)
            .map_err(|error| invalid(&format!("is not JSON: {error}")))?;
        let field = |value: &Value, name: &str| {
            value[name]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| invalid(&format!("has no `{name}`")))
        };
        let metadata = &value["metadata"];
        Ok(Self {
            api_version: field(&value, "apiVersion")?,
            kind: field(&value, "kind")?,
            namespace: metadata["namespace"].as_str().map(str::to_owned),
            name: field(metadata, "name")?,
            text: text.to_owned(),
        })
    }

    /// Returns how the object is shown: `Deployment kube-system/coredns`.
    pub fn title(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }

    /// Returns the object's path on the server; `None` where its kind isn't there yet.
    pub fn path(&self, discovery: &Discovery) -> Option<String> {
        let kind = discovery.find(&self.api_version, &self.kind)?;
        let base = group_path(&self.api_version);
        Some(if kind.namespaced {
            let namespace = self.namespace.as_deref().unwrap_or("default");
            format!(
                "{base}/namespaces/{namespace}/{}/{}",
                kind.plural, self.name
            )
        } else {
            format!("{base}/{}/{}", kind.plural, self.name)
        })
    }

    /// A Secret's values are nobody's business.
    pub fn is_secret(&self) -> bool {
        self.kind == "Secret" && self.api_version == "v1"
    }

    /// A definition of further kinds.
    pub fn is_definition(&self) -> bool {
        self.kind == "CustomResourceDefinition"
    }
}

/// `/api/v1`, or `/apis/GROUP/VERSION`.
pub fn group_path(api_version: &str) -> String {
    if api_version.contains('/') {
        format!("/apis/{api_version}")
    } else {
        format!("/api/{api_version}")
    }
}

/// Tells whether fields of kinstall's are in an object.
pub fn is_ours(object: &Value) -> bool {
    let managers = object["metadata"]["managedFields"].as_array();
    let mut managers = managers.into_iter().flatten();
    managers.any(|it| it["manager"] == FIELD_MANAGER)
}

/// Returns an object without what the server adds by itself.
pub fn desired_part(mut object: Value) -> Value {
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
        if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
            for noise in [
                "managedFields",
                "resourceVersion",
                "generation",
                "uid",
                "creationTimestamp",
                "selfLink",
            ] {
                metadata.remove(noise);
            }
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn identity_is_read_and_noise_is_dropped() {
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "a", "namespace": "b", "resourceVersion": "7", "labels": {"x": "y"}},
            "status": {"replicas": 1},
        });
        let parsed = Object::parse(&object.to_string()).unwrap();
        assert_eq!(parsed.title(), "Deployment b/a");
        assert_eq!(
            desired_part(object)["metadata"],
            json!({"name": "a", "namespace": "b", "labels": {"x": "y"}})
        );
        let error = Object::parse("{\"kind\": \"X\"}").unwrap_err();
        assert_eq!(error.to_string(), "a manifest has no `apiVersion`");
    }
}
