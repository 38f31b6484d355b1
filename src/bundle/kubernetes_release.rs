//! Minor versions of Kubernetes in the catalog: the set of versions that goes together with each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Minor;
use super::catalog::Catalog;

/// What a minor version of Kubernetes has in other versions than the newest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    #[serde(default)]
    pub components: BTreeMap<String, OtherVersion>,
    /// Tags by image.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// Another version of a component that is built by Go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherVersion {
    pub version: String,
    pub modules: String,
}

impl Catalog {
    /// Returns the newest minor version of Kubernetes.
    pub fn newest(&self) -> Option<Minor> {
        self.releases.keys().next_back().copied()
    }

    /// Returns the catalog with the versions that belong to a minor version of Kubernetes.
    pub fn release(&self, minor: Minor) -> Option<Self> {
        let changes = self.releases.get(&minor)?;
        let mut catalog = self.clone();
        for (name, other) in &changes.components {
            let component = catalog.components.get_mut(name)?;
            component.version.clone_from(&other.version);
            // What upstream publishes is of the catalog's own version.
            component.release = None;
            component.source.go.modules = Some(other.modules.clone());
        }
        for (name, tag) in &changes.tags {
            catalog.images.get_mut(name)?.tag = Some(tag.clone());
        }
        Some(catalog)
    }

    /// Says which release changes what isn't there, or has a Kubernetes of another minor version.
    pub(super) fn wrong_release(&self) -> Option<String> {
        if self.releases.is_empty() {
            return Some("no release".into());
        }
        self.releases.keys().find_map(|&minor| {
            let Some(catalog) = self.release(minor) else {
                return Some(format!(
                    "release {minor} changes what is not in the catalog"
                ));
            };
            let kubernetes = &catalog.components.get("kubernetes")?.version;
            let fits = Minor::of(kubernetes).is_ok_and(|it| it == minor);
            (!fits).then(|| format!("release {minor} has Kubernetes {kubernetes}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Catalog;

    #[test]
    fn a_release_has_its_own_versions_and_shares_the_others() {
        let catalog = Catalog::embedded().unwrap();
        let newest = catalog.release(catalog.newest().unwrap()).unwrap();
        assert_eq!(newest, catalog);
        let earlier = catalog.release("1.36".parse().unwrap()).unwrap();
        assert_eq!(earlier.components["kubernetes"].version, "1.36.3");
        assert!(earlier.components["etcd"].version.starts_with("3.6."));
        assert_eq!(
            earlier.components["containerd"],
            catalog.components["containerd"]
        );
        // Upstream's etcd of the catalog is of another version: it must not come to this release.
        assert_eq!(earlier.components["etcd"].release, None);
        assert_eq!(catalog.release("1.2".parse().unwrap()), None);
    }
}
