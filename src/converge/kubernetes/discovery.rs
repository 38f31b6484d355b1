//! Which kinds the API server knows, and what they are called in paths.

use std::collections::{BTreeMap, BTreeSet};

use super::Client;
use super::object::{Object, group_path};
use crate::converge::ResourceError;

/// The kinds of some group versions.
#[derive(Debug, Default)]
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
    /// Asks for the group versions of these objects; one that isn't there has no kinds.
    pub fn new(client: &Client, objects: &[Object]) -> Result<Self, ResourceError> {
        let versions: BTreeSet<&str> = objects.iter().map(|it| it.api_version.as_str()).collect();
        let paths: Vec<String> = versions.iter().map(|version| group_path(version)).collect();
        let mut kinds = BTreeMap::new();
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
                kinds.insert(
                    ((*version).to_owned(), kind.to_owned()),
                    Kind {
                        plural: plural.to_owned(),
                        namespaced: resource["namespaced"].as_bool().unwrap_or_default(),
                    },
                );
            }
        }
        Ok(Self { kinds })
    }

    /// Finds a kind.
    pub fn find(&self, api_version: &str, kind: &str) -> Option<&Kind> {
        self.kinds.get(&(api_version.to_owned(), kind.to_owned()))
    }
}
