//! The way back from an upgrade: what has moved, and what may come back.

use std::collections::BTreeMap;

use semver::Version;

use super::running::{ReleaseVersions, RunningVersions};

/// Why a release can't come back with a backup's data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the backup was taken with {component} {taken}, and the bundle has {offered}")]
pub struct CannotComeBack {
    pub component: &'static str,
    pub taken: Version,
    pub offered: Version,
}

/// Returns what each node runs of a newer minor version than this release: `kubelet 1.37.2`. Nodes without any are left out.
pub fn moved(
    running: &RunningVersions,
    release: &ReleaseVersions,
) -> BTreeMap<String, Vec<String>> {
    let minor = |version: &Version| (version.major, version.minor);
    let nodes = running.nodes.iter().map(|(name, node)| {
        let kubelet = node.kubelet.iter().map(|version| ("kubelet", version));
        let components = node
            .components
            .iter()
            .map(|(name, version)| (*name, version));
        let newer = kubelet.chain(components).filter(|(component, version)| {
            let before = match *component {
                "etcd" => &release.etcd,
                _ => &release.kubernetes,
            };
            minor(version) > minor(before)
        });
        let newer = newer.map(|(component, version)| format!("{component} {version}"));
        (name.clone(), newer.collect::<Vec<_>>())
    });
    nodes.filter(|(_, newer)| !newer.is_empty()).collect()
}

/// Fails unless a release can read what the other one wrote: the same minor versions, and no older patch release.
pub fn check(taken: &ReleaseVersions, offered: &ReleaseVersions) -> Result<(), CannotComeBack> {
    for (component, taken, offered) in [
        ("Kubernetes", &taken.kubernetes, &offered.kubernetes),
        ("etcd", &taken.etcd, &offered.etcd),
    ] {
        let is_same_minor = (taken.major, taken.minor) == (offered.major, offered.minor);
        if !is_same_minor || offered < taken {
            return Err(CannotComeBack {
                component,
                taken: taken.clone(),
                offered: offered.clone(),
            });
        }
    }
    Ok(())
}
