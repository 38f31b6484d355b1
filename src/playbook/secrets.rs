//! What playbooks and templates know as `secrets`.

use std::collections::BTreeMap;

use crate::secret::Secret;

/// Names and texts: the cluster's, and those that only the steps of one host have.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    pub cluster: BTreeMap<String, Secret>,
    /// By host.
    pub hosts: BTreeMap<String, BTreeMap<String, Secret>>,
}

impl Secrets {
    /// Returns what the steps of a host know.
    pub fn of<'a>(&'a self, host: &str) -> impl Iterator<Item = (&'a str, &'a Secret)> {
        let own = self.hosts.get(host).into_iter().flatten();
        self.cluster
            .iter()
            .chain(own)
            .map(|(name, secret)| (name.as_str(), secret))
    }
}
