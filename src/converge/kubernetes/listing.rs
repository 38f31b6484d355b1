//! Which of some objects are there, and in which version, without reading the objects themselves.

use std::collections::BTreeMap;

use serde_json::Value;

use super::client::MANAGERS;
use super::object::has_fields_of;
use super::{Client, Discovery};
use crate::converge::ResourceError;
use crate::resource::ObjectName;

/// What the server says of objects by their paths; one request for all that are in one list.
#[derive(Debug, Default)]
pub struct Listing(BTreeMap<String, Listed>);

/// An object that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Another one as soon as anything of the object changes.
    pub version: String,
    /// Fields of the client's field manager are in it.
    pub is_ours: bool,
    /// Both kinstall's own parts and the user's manifests have it: who drops it leaves it to the other.
    pub is_shared: bool,
}

impl Listing {
    /// Asks for these objects; of those whose kind isn't there nothing is known.
    pub fn new(
        client: &Client,
        objects: &[ObjectName],
        discovery: &Discovery,
    ) -> Result<Self, ResourceError> {
        let mut lists: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for object in objects {
            if let Some(path) = object.path(discovery) {
                let list = path.strip_suffix(&format!("/{}", object.name));
                let list = list.unwrap_or(&path).to_owned();
                lists.entry(list).or_default().push(&object.name);
            }
        }
        let requests: Vec<(String, Vec<&str>)> = lists.into_iter().collect();
        let answers = client.in_parallel(&requests, |client, (list, names)| {
            let (answer, what) = match names[..] {
                [name] => (client.metadata(&format!("{list}/{name}"))?, name),
                _ => (client.metadata_of_all(list)?, "objects"),
            };
            match answer.status {
                404 => Ok(Value::Null),
                _ if answer.is_success() => Ok(answer.body),
                _ => Err(answer.refused(format!("show {what} of {list}"))),
            }
        });
        let mut found = BTreeMap::new();
        for ((list, names), answer) in requests.iter().zip(answers) {
            let answer = answer?;
            let alone = std::slice::from_ref(&answer);
            let items = answer["items"].as_array().map_or(alone, Vec::as_slice);
            for item in items {
                let name = item["metadata"]["name"].as_str().unwrap_or_default();
                if names.contains(&name) {
                    found.insert(format!("{list}/{name}"), Listed::of(item, client.manager()));
                }
            }
        }
        Ok(Self(found))
    }

    /// Returns what is at a path.
    pub fn find(&self, path: &str) -> Option<&Listed> {
        self.0.get(path)
    }
}

impl Listed {
    /// Reads an object, or its metadata.
    pub fn of(object: &Value, manager: &str) -> Self {
        let text = |name: &str| object["metadata"][name].as_str().unwrap_or_default();
        Self {
            version: format!("{} {}", text("uid"), text("resourceVersion")),
            is_ours: has_fields_of(manager, object),
            is_shared: MANAGERS.iter().all(|it| has_fields_of(it, object)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn another_version_or_another_object_of_the_name_is_told_apart() {
        let object = |uid: &str, version: &str, manager: &str| {
            let object = json!({"metadata": {
                "name": "a", "uid": uid, "resourceVersion": version,
                "managedFields": [{"manager": manager}],
            }});
            Listed::of(&object, "kinstall")
        };
        let first = object("1", "7", "kinstall");
        assert!(first.is_ours);
        assert_eq!(first, object("1", "7", "kinstall"));
        assert_ne!(first.version, object("1", "8", "kinstall").version);
        assert_ne!(first.version, object("2", "7", "kinstall").version);
        assert!(!object("1", "7", "kubectl").is_ours);
    }

    #[test]
    fn an_object_of_an_add_on_that_stood_in_a_manifest_is_shared() {
        let object = |managers: &[&str]| {
            let managers: Vec<_> = managers.iter().map(|it| json!({"manager": it})).collect();
            let object = json!({"metadata": {"name": "a", "managedFields": managers}});
            Listed::of(&object, "kinstall-manifests")
        };
        assert!(object(&["kinstall", "kubectl", "kinstall-manifests"]).is_shared);
        assert!(!object(&["kinstall-manifests", "kubectl"]).is_shared);
    }
}
