//! The user's manifests beside what kinstall installs.

use std::sync::Arc;

use super::fixture::Fixture;
use crate::diagnostic::{Location, SourceFile};
use crate::manifest::UserObject;
use crate::resource::{Manifest, Owner, Resource};

const ADD_ON: &str = "component: pool\nphase: add-ons\non: control_plane\nsteps:\n  - name: objects\n    manifests: { template: pool.tera }\n";
const OWN: &str = include_str!("../../../playbooks/manifests.yml");

/// A cluster with one add-on, and the built-in playbook for manifests.
fn fixture(objects: &[&str]) -> Fixture {
    let mut fixture = Fixture::without_playbooks();
    fixture.add_playbook_file("pool.yml", ADD_ON);
    fixture.add_template(
        "pool.tera",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: pool, namespace: pool }\n",
    );
    fixture.add_playbook_file("manifests.yml", OWN);
    fixture.manifests = objects.iter().map(|text| object(text)).collect();
    fixture
}

fn object(text: &str) -> UserObject {
    let file = Arc::new(SourceFile {
        path: "manifests/own.yaml".into(),
        text: text.to_owned(),
    });
    let location = Location { file, span: 0..1 };
    let manifest = Manifest::new(text);
    UserObject {
        name: manifest.name().unwrap(),
        manifest,
        location,
    }
}

#[test]
fn the_users_objects_come_after_the_add_ons_and_are_asked_about_without_any() {
    let map = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own"}}"#;
    for objects in [&[map][..], &[]] {
        let plan = fixture(objects).build().unwrap();
        let phase = plan.phases.last().unwrap();
        assert_eq!(phase.after, ["add-ons"]);
        let Resource::Manifests(set) = &phase.batches["control1"].steps[0].resource else {
            panic!("{phase:?}");
        };
        assert_eq!(set.owner, Owner::User);
        assert_eq!(set.objects.len(), objects.len());
    }
}

#[test]
fn what_kinstall_installs_can_not_be_changed_by_a_manifest() {
    let objects = [
        r#"{"apiVersion": "apps/v1beta1", "kind": "Deployment", "metadata": {"name": "pool", "namespace": "pool"}}"#,
        r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kubeadm-config", "namespace": "kube-system"}}"#,
        r#"{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "pool"}}"#,
    ];
    let errors = fixture(&objects).build().unwrap_err();
    let texts: Vec<String> = errors
        .iter()
        .map(|it| format!("{}; {}", it.message, it.hints[0]))
        .collect();
    assert_eq!(
        texts,
        [
            "Deployment pool/pool is one of kinstall's own objects; `pool` installs it: remove it from the manifests, or give it another name",
            "ConfigMap kube-system/kubeadm-config is one of kinstall's own objects; `kubeadm` installs it: remove it from the manifests, or give it another name",
        ]
    );
    let (location, _) = errors[0].label.as_ref().unwrap();
    assert_eq!(location.path().to_str(), Some("manifests/own.yaml"));
}
