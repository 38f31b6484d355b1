//! The path of an upgrade: one minor version of Kubernetes after the other, and etcd with them.
//!
//! The rules hold wherever an upgrade is cut off: API servers differ by one minor version at most, kubelets are at
//! most three behind them and never ahead (<https://kubernetes.io/releases/version-skew-policy/>), and etcd moves one minor
//! version at a time, from the patch releases that its own upgrade guides name.

use std::collections::BTreeMap;

use semver::Version;

use super::running::{ReleaseVersions, RunningVersions};
use crate::bundle::{Manifest, Minor};

/// The oldest etcd that each minor version of etcd can follow (etcd's guides of upgrades to 3.6 and 3.7).
const ETCD_BEFORE: [((u64, u64), Version); 2] = [
    ((3, 6), Version::new(3, 5, 26)),
    ((3, 7), Version::new(3, 6, 11)),
];
/// By how many minor versions a kubelet may be older than an API server.
const KUBELET_BEHIND: u64 = 3;

/// One roll over all nodes, to one release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    pub release: Minor,
    pub versions: ReleaseVersions,
    /// Why it is needed, a sentence each.
    pub reasons: Vec<String>,
}

/// Why there is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("no API server's version is known")]
    NoApiServer,
    #[error("`{node}` runs {component} {running}, and {target} is older")]
    Downgrade {
        node: String,
        component: &'static str,
        running: Version,
        target: Version,
    },
    #[error("the way to Kubernetes {target} leads through {}, which the bundle doesn't have", list(.missing))]
    NotInBundle { target: Minor, missing: Vec<Minor> },
    #[error("`{node}` runs etcd {running}; etcd {target} can only follow {needed} or newer")]
    EtcdTooOld {
        node: String,
        running: Version,
        target: Version,
        needed: Version,
    },
    #[error("`{node}` runs kubelet {running}, more than three minor versions older than {target}")]
    KubeletTooOld {
        node: String,
        running: Version,
        target: Version,
    },
}

/// Returns the versions of each release of a bundle.
pub fn releases(manifest: &Manifest) -> BTreeMap<Minor, ReleaseVersions> {
    let releases = manifest.releases.iter();
    let versions =
        releases.filter_map(|(minor, release)| Some((*minor, ReleaseVersions::of(release)?)));
    versions.collect()
}

/// Returns the hops from what runs to the target, none where all of it runs; the target's release is the last.
pub fn path(
    running: &RunningVersions,
    releases: &BTreeMap<Minor, ReleaseVersions>,
    target: Minor,
) -> Result<Vec<Hop>, Box<PathError>> {
    let api_servers = || running.of_component("kube-apiserver");
    let newest = api_servers().max_by_key(|(_, version)| *version);
    let (node, newest) = newest.ok_or(PathError::NoApiServer)?;
    let first = minor_of(newest);
    if target < first {
        return Err(PathError::Downgrade {
            node: node.to_owned(),
            component: "Kubernetes",
            running: newest.clone(),
            target: Version::new(target.major, target.minor, 0),
        }
        .into());
    }
    let mut hops = Vec::new();
    let mut missing = Vec::new();
    for number in first.minor..=target.minor {
        let minor = Minor {
            major: first.major,
            minor: number,
        };
        let reasons = if minor == first {
            reasons_to_stay(running, releases, first, target)
        } else {
            vec![reason_to_move(minor, target)]
        };
        match releases.get(&minor) {
            _ if reasons.is_empty() => {}
            None => missing.push(minor),
            Some(versions) => hops.push(Hop {
                release: minor,
                versions: versions.clone(),
                reasons,
            }),
        }
    }
    if !missing.is_empty() {
        return Err(PathError::NotInBundle { target, missing }.into());
    }
    check_order(running, &hops)?;
    Ok(hops)
}

/// Returns why a hop inside the minor version that the newest API server has is needed.
fn reasons_to_stay(
    running: &RunningVersions,
    releases: &BTreeMap<Minor, ReleaseVersions>,
    first: Minor,
    target: Minor,
) -> Vec<String> {
    let mut reasons = Vec::new();
    match releases.get(&first) {
        Some(own) if target == first => {
            let nodes = running.nodes.keys();
            let differences = nodes.map(|node| (node, running.differences(node, own)));
            let behind = differences.filter(|(_, differences)| !differences.is_empty());
            reasons.extend(
                behind.map(|(node, differences)| format!("{node} runs {}", differences.join(", "))),
            );
        }
        _ => {
            let api_servers = running.of_component("kube-apiserver");
            let behind = api_servers.filter(|(_, version)| minor_of(version) < first);
            reasons.extend(behind.map(|(node, version)| {
                format!("the API server of {node} still runs {version}: an earlier upgrade was not finished")
            }));
        }
    }
    let next = Minor {
        minor: first.minor + 1,
        ..first
    };
    if let Some(next) = releases.get(&next).filter(|_| target > first)
        && let Some(needed) = needed_before(&next.etcd)
    {
        let old = running
            .of_component("etcd")
            .filter(|(_, version)| **version < needed);
        reasons.extend(old.map(|(node, version)| {
            format!(
                "etcd {} can only follow {needed} or newer, and {node} runs {version}",
                next.etcd
            )
        }));
    }
    reasons
}

fn reason_to_move(minor: Minor, target: Minor) -> String {
    if minor == target {
        format!("Kubernetes {minor} is wanted")
    } else {
        format!("Kubernetes moves one minor version at a time, and {target} is wanted")
    }
}

/// Checks each hop against what is there before it.
fn check_order(running: &RunningVersions, hops: &[Hop]) -> Result<(), Box<PathError>> {
    let Some(first) = hops.first() else {
        return Ok(());
    };
    let kubernetes = &first.versions.kubernetes;
    for (node, found) in running.of_component("kube-apiserver") {
        if found > kubernetes {
            return Err(PathError::Downgrade {
                node: node.to_owned(),
                component: "Kubernetes",
                running: found.clone(),
                target: kubernetes.clone(),
            }
            .into());
        }
    }
    for (node, found) in &running.nodes {
        let kubelet = found.kubelet.as_ref();
        if let Some(kubelet) = kubelet.filter(|it| it.minor + KUBELET_BEHIND < kubernetes.minor) {
            return Err(PathError::KubeletTooOld {
                node: node.clone(),
                running: kubelet.clone(),
                target: kubernetes.clone(),
            }
            .into());
        }
    }
    let members: Vec<(&str, &Version)> = running.of_component("etcd").collect();
    for (node, found) in members {
        let mut found = found;
        for hop in hops {
            check_etcd(node, found, &hop.versions.etcd)?;
            found = &hop.versions.etcd;
        }
    }
    Ok(())
}

fn check_etcd(node: &str, found: &Version, target: &Version) -> Result<(), Box<PathError>> {
    if target < found {
        return Err(PathError::Downgrade {
            node: node.to_owned(),
            component: "etcd",
            running: found.clone(),
            target: target.clone(),
        }
        .into());
    }
    let needed = needed_before(target)
        .filter(|needed| minor_pair(found) != minor_pair(target) && found < needed);
    match needed {
        Some(needed) => Err(PathError::EtcdTooOld {
            node: node.to_owned(),
            running: found.clone(),
            target: target.clone(),
            needed,
        }
        .into()),
        None => Ok(()),
    }
}

/// Returns the oldest version that an etcd can follow, as far as there is a rule.
fn needed_before(etcd: &Version) -> Option<Version> {
    let rule = ETCD_BEFORE
        .into_iter()
        .find(|(minor, _)| *minor == minor_pair(etcd));
    rule.map(|(_, needed)| needed)
}

fn minor_pair(version: &Version) -> (u64, u64) {
    (version.major, version.minor)
}

fn minor_of(version: &Version) -> Minor {
    Minor {
        major: version.major,
        minor: version.minor,
    }
}

fn list(minors: &[Minor]) -> String {
    let minors: Vec<String> = minors.iter().map(ToString::to_string).collect();
    minors.join(" and ")
}
