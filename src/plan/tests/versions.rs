//! What the bundle may be, beside the inventory and the nodes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::versions::{check_nodes, choose, kept};
use super::fixture::Fixture;
use crate::bundle::Manifest;
use crate::diagnostic::{Diagnostic, Location, SourceFile};
use crate::model::{VersionRequest, WantedVersion};
use crate::ui::diagnostic::render;

/// Returns what is said of this `kube_version` beside the fixture's bundle, which has 1.37.2.
fn wanted(version: &str) -> Result<Option<Diagnostic>, Diagnostic> {
    let mut fixture = Fixture::without_playbooks();
    fixture.cluster.kubernetes_version = Some(wanted_version(version));
    choose(&fixture.cluster, &bundle_of(&fixture)).map(|(_, warning)| warning)
}

fn wanted_version(version: &str) -> WantedVersion {
    let text = format!("[all:vars]\nkube_version={version}\n");
    let file = SourceFile {
        path: PathBuf::from("inventory.ini"),
        text,
    };
    WantedVersion {
        version: VersionRequest::parse(version).unwrap(),
        location: Location {
            file: Arc::new(file),
            span: 24..24 + version.len(),
        },
    }
}

/// A bundle with the fixture's release, which is 1.37.2, and no other.
fn bundle_of(fixture: &Fixture) -> Manifest {
    Manifest {
        format: 2,
        kinstall: "0.1.0".to_owned(),
        releases: BTreeMap::from([("1.37".parse().unwrap(), fixture.bundle.clone())]),
        blobs: BTreeMap::new(),
    }
}

#[test]
fn a_version_that_the_bundle_has_is_right() {
    for version in ["1.37.2", "v1.37.2", "1.37", "v1.37"] {
        assert!(wanted(version).unwrap().is_none(), "{version}");
    }
    let fixture = Fixture::without_playbooks();
    let bundle = bundle_of(&fixture);
    let (minor, warning) = choose(&fixture.cluster, &bundle).unwrap();
    assert_eq!(minor.to_string(), "1.37");
    assert!(warning.is_none());
}

#[test]
fn the_inventory_chooses_among_the_releases_of_a_bundle() {
    let mut fixture = Fixture::without_playbooks();
    let mut bundle = bundle_of(&fixture);
    let mut earlier = fixture.bundle.clone();
    earlier
        .components
        .insert("kubernetes".to_owned(), "1.36.3".to_owned());
    bundle.releases.insert("1.36".parse().unwrap(), earlier);
    let cases = [("1.36", "1.36"), ("v1.36.3", "1.36"), ("1.37", "1.37")];
    for (version, expected) in cases {
        fixture.cluster.kubernetes_version = Some(wanted_version(version));
        let (minor, _) = choose(&fixture.cluster, &bundle).unwrap();
        assert_eq!(minor.to_string(), expected);
    }
}

#[test]
fn an_older_patch_release_is_a_warning() {
    for version in ["1.37.0", "v1.37.1", "1.37.2-rc.0"] {
        let warning = wanted(version).unwrap().unwrap();
        assert!(!warning.is_error(), "{version}");
    }
    insta::assert_snapshot!(render(&wanted("v1.37.1").unwrap().unwrap(), false), @r"
    warning: Kubernetes 1.37.2 is installed instead of 1.37.1
     --> inventory.ini:2:14
      |
    2 | kube_version=v1.37.1
      |              ^^^^^^^ the bundle has the newer patch release 1.37.2
      |
      = hint: to agree, set `kube_version: 1.37`: it means the newest patch release of the bundle
    ");
}

#[test]
fn a_version_that_the_bundle_lacks_is_refused() {
    for version in [
        "1.6.1",
        "1.24.6",
        "1.36",
        "1.38.0",
        "1.37.3",
        "2.37.2",
        "1.37.3-rc.0",
    ] {
        assert!(wanted(version).unwrap_err().is_error(), "{version}");
    }
    insta::assert_snapshot!(render(&wanted("v1.24.6").unwrap_err(), false), @r"
    error: the inventory asks for Kubernetes 1.24.6, but the bundle has 1.37.2
     --> inventory.ini:2:14
      |
    2 | kube_version=v1.24.6
      |              ^^^^^^^ not in the bundle
      |
      = hint: to install 1.37.2, set `kube_version: 1.37.2` or remove the variable
      = hint: to install 1.24.6, build a bundle that has it (`kinstall bundle build --kubernetes 1.24`), or name one: `--bundle DIRECTORY`
    ");
}

/// Returns what is said of a control plane that runs these versions on this processor.
fn node(kubernetes: &str, etcd: &str, architecture: &str) -> String {
    let mut fixture = Fixture::without_playbooks();
    let components = &mut fixture.bundle.components;
    components.insert("etcd".to_owned(), "3.6.14".to_owned());
    let facts = &mut fixture.facts["control1"];
    facts.kubernetes_version = kubernetes.to_owned();
    facts.etcd_version = etcd.to_owned();
    facts.architecture = architecture.to_owned();
    let problems = check_nodes(&fixture.cluster, &fixture.bundle, &fixture.facts);
    let texts: Vec<String> = problems.iter().map(|it| render(it, false)).collect();
    texts.join("\n\n")
}

#[test]
fn a_node_of_the_same_minor_versions_is_right() {
    for (kubernetes, etcd) in [("", ""), ("1.37.0", "3.6.1"), ("1.37.9", "3.6.99")] {
        assert_eq!(node(kubernetes, etcd, "x86_64"), "", "{kubernetes} {etcd}");
    }
}

#[test]
fn no_minor_version_of_a_cluster_is_moved_up_or_down() {
    insta::assert_snapshot!(node("1.36.4", "3.5.21", "x86_64"), @r"
    error: `control1` runs Kubernetes 1.36.4, but the bundle has 1.37.2
     |
     = hint: `kinstall upgrade` moves a cluster to another minor version; `kinstall up` never does
     = hint: to keep the version, set `kube_version: 1.36`; a bundle that has it: `--bundle DIRECTORY`

    error: `control1` runs etcd 3.5.21, but the bundle has 3.6.14
     |
     = hint: `kinstall upgrade` moves a cluster to another minor version; `kinstall up` never does
     = hint: to keep the version, name a bundle with etcd 3.5: `--bundle DIRECTORY`
    ");
    insta::assert_snapshot!(node("1.38.0", "3.7.3", "x86_64"), @r"
    error: `control1` runs Kubernetes 1.38.0, but the bundle has 1.37.2
     |
     = hint: Kubernetes can't go back to an older minor version with its data
     = hint: to keep the version, set `kube_version: 1.38`; a bundle that has it: `--bundle DIRECTORY`

    error: `control1` runs etcd 3.7.3, but the bundle has 3.6.14
     |
     = hint: etcd can't go back to an older minor version with its data
     = hint: to keep the version, name a bundle with etcd 3.7: `--bundle DIRECTORY`
    ");
}

#[test]
fn a_bundle_for_another_processor_is_refused() {
    insta::assert_snapshot!(node("", "", "aarch64"), @r"
    error: the bundle is for amd64, but `control1` has a processor of arm64
     |
     = hint: name a bundle for arm64: `--bundle DIRECTORY`
    ");
}

/// After a rollback, say: `up` must not move a cluster because its bundle has more.
#[test]
fn without_a_wish_the_cluster_keeps_its_minor_version_where_the_bundle_has_it() {
    let fixture = Fixture::without_playbooks();
    let mut bundle = bundle_of(&fixture);
    let mut facts = fixture.facts.clone();
    for facts in facts.values_mut() {
        facts.kubernetes_version = "1.36.3".to_owned();
    }
    assert_eq!(kept(&facts, &bundle), None);
    let release = fixture.bundle.clone();
    bundle.releases.insert("1.36".parse().unwrap(), release);
    assert_eq!(kept(&facts, &bundle).unwrap().to_string(), "1.36");
    facts[0].kubernetes_version = "1.37.2".to_owned();
    assert_eq!(
        kept(&facts, &bundle),
        None,
        "an upgrade has stopped halfway"
    );
}
