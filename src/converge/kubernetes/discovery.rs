//! Which kinds the API server knows, and what they are called in paths.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use super::Client;
use super::object::group_path;
use crate::converge::ResourceError;
use crate::resource::ObjectName;

/// The kinds of some group versions.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    kinds: BTreeMap<(String, String), Kind>,
}

/// How a kind appears in paths.
#[derive(Clone, Debug)]
pub struct Kind {
    pub plural: String,
    pub namespaced: bool,
}

impl Discovery {
    /// Asks for the group versions of these objects, as far as a kind of theirs wasn't found before; a version that
    /// isn't there has no kinds.
    pub fn new(client: &Client, objects: &[ObjectName]) -> Result<Self, ResourceError> {
        let known = || {
            client
                .discovery
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let mut discovery = known().clone();
        let versions: BTreeSet<&str> = objects
            .iter()
            .filter(|object| discovery.find(&object.api_version, &object.kind).is_none())
            .map(|object| object.api_version.as_str())
            .collect();
        let paths: Vec<String> = versions.iter().map(|version| group_path(version)).collect();
        for (version, answer) in versions.iter().zip(client.get_all(&paths)) {
            let answer = answer?;
            if answer.status == 404 {
                continue;
            }
            if !answer.is_success() {
                return Err(answer.refused(format!("list the kinds of {version}")));
            }
            for resource in answer.body["resources"].as_array().into_iter().flatten() {
                let plural = resource["name"].as_str().unwrap_or_default();
                let kind = resource["kind"].as_str().unwrap_or_default();
                // `deployments/status` and the like.
                if plural.contains('/') {
                    continue;
                }
                discovery.kinds.insert(
                    ((*version).to_owned(), kind.to_owned()),
                    Kind {
                        plural: plural.to_owned(),
                        namespaced: resource["namespaced"].as_bool().unwrap_or_default(),
                    },
                );
            }
        }
        known().clone_from(&discovery);
        Ok(discovery)
    }

    /// Finds a kind.
    pub fn find(&self, api_version: &str, kind: &str) -> Option<&Kind> {
        self.kinds.get(&(api_version.to_owned(), kind.to_owned()))
    }
}
