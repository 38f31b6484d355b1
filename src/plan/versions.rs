//! Whether the bundle fits what the inventory asks for, and what the nodes are and run already.
//!
//! A newer bundle must not move a cluster to another minor version as a side effect of `up`: the parts of
//! a cluster are upgraded in an order of their own.

use indexmap::IndexMap;
use semver::Version;

use crate::bundle::{BundleError, Manifest, Minor, Release};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::{ClusterSpec, WantedVersion};
use crate::wire::Facts;

/// Chooses the bundle's release that `kube_version` asks for, without it the newest; needs no host.
///
/// Returns its minor version, with a warning where the bundle has a newer patch release, and an error where it has
/// no version that the inventory can mean.
pub fn choose(
    cluster: &ClusterSpec,
    bundle: &Manifest,
) -> Result<(Minor, Option<Diagnostic>), Diagnostic> {
    let Some((newest_minor, newest)) = bundle.releases.last_key_value() else {
        return Err(BundleError::NoRelease.into());
    };
    let Some(wanted) = &cluster.kubernetes_version else {
        return Ok((*newest_minor, None));
    };
    let request = &wanted.version;
    let minor = Minor {
        major: request.major,
        minor: request.minor,
    };
    let (minor, release) = match bundle.releases.get(&minor) {
        Some(release) => (minor, release),
        None => (*newest_minor, newest),
    };
    Ok((minor, compare(wanted, release)?))
}

/// Returns the minor version that the cluster runs, where the bundle has it: without `kube_version` it stays. `None` where
/// no API server runs, or where they differ.
pub fn kept(facts: &IndexMap<String, Facts>, bundle: &Manifest) -> Option<Minor> {
    let found = facts
        .values()
        .map(|facts| facts.kubernetes_version.as_str());
    let mut minors = found.filter_map(|version| Minor::of(version).ok());
    let minor = minors.next()?;
    (minors.all(|other| other == minor) && bundle.releases.contains_key(&minor)).then_some(minor)
}

/// Compares `kube_version` with the Kubernetes of a release.
fn compare(wanted: &WantedVersion, release: &Release) -> Result<Option<Diagnostic>, Diagnostic> {
    let request = &wanted.version;
    let Some(offered) = component(release, "kubernetes") else {
        return Ok(None);
    };
    let is_same_minor = (offered.major, offered.minor) == (request.major, request.minor);
    let order = request.patch.as_ref().map(|(patch, pre)| {
        let own = (offered.patch, &offered.pre);
        own.cmp(&(*patch, pre))
    });
    match order {
        None | Some(std::cmp::Ordering::Equal) if is_same_minor => Ok(None),
        Some(std::cmp::Ordering::Greater) if is_same_minor => Ok(Some(
            Diagnostic::warning(format!(
                "Kubernetes {offered} is installed instead of {request}"
            ))
            .at(
                wanted.location.clone(),
                format!("the bundle has the newer patch release {offered}"),
            )
            .hint(format!(
                "to agree, set `kube_version: {}.{}`: it means the newest patch release of the bundle",
                offered.major, offered.minor
            )),
        )),
        _ => Err(Diagnostic::error(
            Kind::Inventory,
            format!("the inventory asks for Kubernetes {request}, but the bundle has {offered}"),
        )
        .at(wanted.location.clone(), "not in the bundle")
        .hint(format!(
            "to install {offered}, set `kube_version: {offered}` or remove the variable"
        ))
        .hint(format!(
            "to install {request}, build a bundle that has it (`kinstall bundle build --kubernetes {}.{}`), \
             or name one: `--bundle DIRECTORY`",
            request.major, request.minor
        ))),
    }
}

/// Compares the bundle with the nodes: their processors, and what runs on them already.
pub fn check_nodes(
    cluster: &ClusterSpec,
    bundle: &Release,
    facts: &IndexMap<String, Facts>,
) -> Diagnostics {
    let nodes = cluster
        .hosts
        .iter()
        .filter_map(|host| Some((host.name.as_str(), facts.get(&host.name)?)));
    let mut problems = Diagnostics::new();
    for (name, facts) in nodes {
        problems.extend(other_architecture(name, facts, bundle));
        for (component_name, title, installed) in [
            ("kubernetes", "Kubernetes", &facts.kubernetes_version),
            ("etcd", "etcd", &facts.etcd_version),
        ] {
            if let (Ok(installed), Some(offered)) =
                (Version::parse(installed), component(bundle, component_name))
            {
                problems.extend(other_minor(name, title, &installed, &offered));
            }
        }
    }
    problems
}

fn other_architecture(node: &str, facts: &Facts, bundle: &Release) -> Option<Diagnostic> {
    let architecture = go_name(&facts.architecture);
    if architecture == bundle.architecture || architecture.is_empty() {
        return None;
    }
    Some(
        Diagnostic::error(
            Kind::Bundle,
            format!(
                "the bundle is for {}, but `{node}` has a processor of {architecture}",
                bundle.architecture
            ),
        )
        .hint(format!(
            "name a bundle for {architecture}: `--bundle DIRECTORY`"
        )),
    )
}

fn other_minor(
    node: &str,
    title: &str,
    installed: &Version,
    offered: &Version,
) -> Option<Diagnostic> {
    let (before, after) = (
        (installed.major, installed.minor),
        (offered.major, offered.minor),
    );
    if before == after {
        return None;
    }
    let error = Diagnostic::error(
        Kind::Bundle,
        format!("`{node}` runs {title} {installed}, but the bundle has {offered}"),
    );
    let (major, minor) = before;
    let same = match title {
        "Kubernetes" => format!(
            "to keep the version, set `kube_version: {major}.{minor}`; a bundle that has it: `--bundle DIRECTORY`"
        ),
        _ => format!(
            "to keep the version, name a bundle with {title} {major}.{minor}: `--bundle DIRECTORY`"
        ),
    };
    Some(if after > before {
        error
            .hint("`kinstall upgrade` moves a cluster to another minor version; `kinstall up` never does")
            .hint(same)
    } else {
        error
            .hint(format!(
                "{title} can't go back to an older minor version with its data"
            ))
            .hint(same)
    })
}

/// Returns a component's version; the bundles of tests don't have all.
fn component(bundle: &Release, name: &str) -> Option<Version> {
    Version::parse(bundle.components.get(name)?).ok()
}

/// Returns Go's name of an architecture, which bundles have, for Rust's, which agents have.
pub fn go_name(architecture: &str) -> &str {
    match architecture {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    }
}
