//! Kubernetes objects, and what tells them apart.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::secret::Secret;

/// Kubernetes objects, applied on the server's side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifests {
    /// Name of the set (the component).
    pub name: String,
    /// In the order of application.
    pub objects: Vec<Manifest>,
    pub owner: Owner,
    /// Kubeconfig on the node that applies them.
    pub kubeconfig: String,
}

/// One object of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// One JSON document; it may be a Secret.
    pub text: Secret,
    /// File and line, where the user wrote it.
    pub origin: Option<String>,
}

/// Whose objects a set has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owner {
    /// They are a component's: what isn't wanted any more is known by its name.
    Kinstall,
    /// They are the user's: which of them kinstall made is kept in the cluster, and goes when the set doesn't have it any
    /// more.
    User,
}

/// What tells an object from all others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectName {
    pub api_version: String,
    pub kind: String,
    pub namespace: Option<String>,
    pub name: String,
}

impl Manifest {
    /// Makes one of kinstall's own.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: Secret::new(text),
            origin: None,
        }
    }

    /// Returns the object's name; `None` where it has none.
    pub fn name(&self) -> Option<ObjectName> {
        ObjectName::of(&serde_json::from_str(self.text.expose()).ok()?)
    }
}

impl ObjectName {
    /// Reads it from an object.
    pub fn of(object: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let metadata = &object["metadata"];
        Some(Self {
            api_version: text(&object["apiVersion"])?,
            kind: text(&object["kind"])?,
            namespace: text(&metadata["namespace"]),
            name: text(&metadata["name"])?,
        })
    }

    /// Returns how the object is shown: `Deployment kube-system/coredns`.
    pub fn title(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }

    /// Returns whether both name the same object: in any version of its kind, and with `default` where no namespace is
    /// given.
    pub fn is_same(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }

    /// Returns the same for all names of one object.
    pub fn identity(&self) -> (&str, &str, &str, &str) {
        let group = self.api_version.split_once('/');
        (
            group.map_or("", |(group, _)| group),
            &self.kind,
            self.namespace.as_deref().unwrap_or("default"),
            &self.name,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::ObjectName;

    fn name(api_version: &str, namespace: Option<&str>) -> ObjectName {
        ObjectName {
            api_version: api_version.to_owned(),
            kind: "Deployment".to_owned(),
            namespace: namespace.map(str::to_owned),
            name: "web".to_owned(),
        }
    }

    #[test]
    fn an_object_is_the_same_in_every_version_and_without_a_namespace_in_default() {
        let object = name("apps/v1", None);
        assert!(object.is_same(&name("apps/v1beta1", Some("default"))));
        assert!(!object.is_same(&name("apps/v1", Some("shop"))));
        assert!(!object.is_same(&name("example.com/v1", None)));
        assert!(!object.is_same(&name("v1", None)));
    }
}
