//! One Kubernetes object of a set.

use serde_json::Value;

use super::Discovery;
use crate::converge::ResourceError;
use crate::resource::{Manifest, ObjectName};
use crate::secret::Secret;

/// An object by its name, with its JSON text.
#[derive(Clone, Debug)]
pub struct Object {
    pub id: ObjectName,
    pub text: Secret,
    /// File and line, where the user wrote it.
    pub origin: Option<String>,
}

impl Object {
    /// Reads an object's JSON.
    pub fn parse(manifest: &Manifest) -> Result<Self, ResourceError> {
        let id = manifest.name().ok_or_else(|| {
            ResourceError::other("a manifest has no `apiVersion`, `kind` or `metadata.name`")
        })?;
        Ok(Self {
            id,
            text: manifest.text.clone(),
            origin: manifest.origin.clone(),
        })
    }

    /// Returns how the object is shown.
    pub fn title(&self) -> String {
        self.id.title()
    }

    /// Returns the same for a message about what is wrong with it: `Deployment shop/web (manifests/web.yaml:12)`.
    pub fn title_with_place(&self) -> String {
        match &self.origin {
            Some(origin) => format!("{} ({origin})", self.title()),
            None => self.title(),
        }
    }

    /// A Secret's values are nobody's business.
    pub fn is_secret(&self) -> bool {
        self.id.kind == "Secret" && self.id.api_version == "v1"
    }

    /// A definition of further kinds.
    pub fn is_definition(&self) -> bool {
        self.id.kind == "CustomResourceDefinition"
    }
}

impl ObjectName {
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
}

/// `/api/v1`, or `/apis/GROUP/VERSION`.
pub fn group_path(api_version: &str) -> String {
    if api_version.contains('/') {
        format!("/apis/{api_version}")
    } else {
        format!("/api/{api_version}")
    }
}

/// Tells whether fields of a field manager's are in an object.
pub fn has_fields_of(manager: &str, object: &Value) -> bool {
    let managers = object["metadata"]["managedFields"].as_array();
    let mut managers = managers.into_iter().flatten();
    managers.any(|it| it["manager"] == manager)
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
        let mut parsed = Object::parse(&Manifest::new(object.to_string())).unwrap();
        assert_eq!(parsed.title_with_place(), "Deployment b/a");
        parsed.origin = Some("a.yaml:3".to_owned());
        assert_eq!(parsed.title_with_place(), "Deployment b/a (a.yaml:3)");
        assert_eq!(
            desired_part(object)["metadata"],
            json!({"name": "a", "namespace": "b", "labels": {"x": "y"}})
        );
        let error = Object::parse(&Manifest::new("{\"kind\": \"X\"}")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a manifest has no `apiVersion`, `kind` or `metadata.name`"
        );
    }
}
