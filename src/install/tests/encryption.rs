//! The keys that encrypt objects in etcd: which ones control planes get at each step of a rotation.

use super::control_planes::{have_joined, lab, text};
use super::restore::give_snapshot;
use super::{Lab, content};
use crate::credentials::{ClusterSecrets, RotationStep};
use crate::install::{encryption, keys_in_use};
use crate::playbook::Action;
use crate::resource::Sha256;
use crate::wire::{authority_digest, key_fingerprint};

const PROVIDERS: &str = "/etc/kubernetes/encryption/providers.yaml";

/// A lab whose control planes have these keys, in this order.
fn lab_with(secrets: &ClusterSecrets, found: &[&str]) -> Lab {
    let mut lab = lab();
    have_joined(&mut lab);
    let all = secrets.encryption_keys.as_ref().unwrap().all();
    let known: Vec<_> = all
        .map(|key| (key.name(), encryption::fingerprint(key)))
        .collect();
    let fingerprint = |name: &&str| {
        let mut named = known.iter().filter(|(it, _)| it == name);
        named.next().unwrap().1.clone()
    };
    for facts in lab.facts.values_mut() {
        facts.encryption_keys = found.iter().map(fingerprint).collect();
    }
    lab.secrets = secrets.clone();
    let strangers = keys_in_use::keep(&mut lab.secrets, &lab.cluster, &lab.facts);
    assert!(strangers.is_empty(), "{strangers:?}");
    encryption::settle(&mut lab.cluster, &lab.secrets);
    lab
}

/// The keys that a plan brings to a control plane.
fn keys(lab: &Lab, action: Action) -> Vec<String> {
    let file = content(&lab.plan_of(action, &[]), "node2", PROVIDERS);
    let names = file
        .lines()
        .filter_map(|it| it.trim().strip_prefix("- name: "));
    names.map(str::to_owned).collect()
}

fn advance(secrets: &mut ClusterSecrets) -> bool {
    secrets.encryption_keys.as_mut().unwrap().advance()
}

#[test]
fn all_control_planes_are_well_and_have_the_keys_before_anything_is_written_anew() {
    let mut secrets = lab().secrets;
    secrets.begin_encryption_rotation().unwrap();
    advance(&mut secrets);
    let writing = lab_with(&secrets, &["key1", "key2"]);
    insta::assert_snapshot!(text(&writing.plan_of(Action::RotateEncryption, &[])));
}

/// Whatever step a rotation has come to, `up` brings what the rotation does.
#[test]
fn up_in_the_middle_of_a_rotation_has_the_same_keys() {
    let mut secrets = lab().secrets;
    let mut seen = Vec::new();
    let mut found = vec!["key1".to_owned()];
    secrets.begin_encryption_rotation().unwrap();
    while let Some(step) = secrets.encryption_keys.as_ref().unwrap().next_step() {
        let had: Vec<&str> = found.iter().map(String::as_str).collect();
        let lab = lab_with(&secrets, &had);
        let rotation = lab.plan_of(Action::RotateEncryption, &[]);
        let rewrites = rotation.phases.iter().any(|it| it.name == "rewrite");
        assert_eq!(rewrites, step == RotationStep::Switch);
        found = keys(&lab, Action::RotateEncryption);
        assert_eq!(keys(&lab, Action::Up), found);
        seen.push(found.join(" "));
        advance(&mut secrets);
    }
    assert_eq!(seen, ["key1 key2", "key2 key1", "key2"]);
}

#[test]
fn a_restore_brings_the_key_that_the_data_was_encrypted_with() {
    let before = lab().secrets;
    let mut secrets = before.clone();
    secrets.begin_encryption_rotation().unwrap();
    while advance(&mut secrets) {}
    assert!(secrets.belong_together(&before));
    assert!(!before.belong_together(&secrets));
    let (keys_now, keys_before) = (&mut secrets.encryption_keys, &before.encryption_keys);
    keys_now
        .as_mut()
        .unwrap()
        .keep_those_of(keys_before.as_ref().unwrap());
    let mut lab = lab_with(&secrets, &["key2"]);
    give_snapshot(&mut lab);
    assert_eq!(keys(&lab, Action::Restore), ["key2", "key1"]);
}

#[test]
fn machines_that_went_back_to_before_a_rotation_keep_their_key() {
    let mut secrets = lab().secrets;
    secrets.begin_encryption_rotation().unwrap();
    while advance(&mut secrets) {}
    assert_eq!(keys(&lab_with(&secrets, &["key2"]), Action::Up), ["key2"]);
    let back = lab_with(&secrets, &["key1"]);
    assert_eq!(keys(&back, Action::Up), ["key1", "key2"]);
}

/// A copy of the secrets from before a rotation: its keys would take the place of the one that all is encrypted with.
#[test]
fn keys_that_are_not_known_are_told_where_the_control_plane_is_ours() {
    let secrets = lab().secrets;
    let mut lab = lab_with(&secrets, &["key1"]);
    let authority = authority_digest(&secrets.cluster_authorities.certificates()).unwrap();
    let unknown = key_fingerprint("key1", "another");
    let traces = [
        ("node2", authority),
        ("node3", Sha256::of(b"another cluster")),
    ];
    for (host, authority) in traces {
        let facts = &mut lab.facts[host];
        facts.traces.authorities = [("/etc/kubernetes/pki/ca.crt".to_owned(), authority)].into();
        facts.encryption_keys = vec![unknown.clone()];
    }
    let found = keys_in_use::keep(&mut lab.secrets, &lab.cluster, &lab.facts);
    let [problem] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        problem.message,
        "Secrets are encrypted with a key that .kinstall/secrets.json doesn't have, on node2"
    );
    assert_eq!(lab.secrets, secrets);
}

#[test]
fn the_algorithm_of_a_cluster_stays() {
    let secrets = lab().secrets;
    let mut lab = lab_with(&secrets, &["key1"]);
    let authority = authority_digest(&secrets.cluster_authorities.certificates()).unwrap();
    let facts = &mut lab.facts["node2"];
    facts.traces.authorities = [("/etc/kubernetes/pki/ca.crt".to_owned(), authority)].into();
    facts.encryption_algorithm = "secretbox".to_owned();
    let problem = |lab: &Lab| encryption::another_algorithm(&secrets, &lab.cluster, &lab.facts);
    assert!(problem(&lab).is_none());
    let settings = &mut lab.cluster.control_plane.settings;
    settings.encryption.as_mut().unwrap().algorithm = "aescbc".to_owned();
    let told = problem(&lab).unwrap();
    assert_eq!(
        told.message,
        "`kube_encryption_algorithm` is aescbc, and node2 has Secrets encrypted with secretbox"
    );
    let facts = &mut lab.facts["node2"];
    let another = Sha256::of(b"another cluster");
    facts.traces.authorities = [("/etc/kubernetes/pki/ca.crt".to_owned(), another)].into();
    assert!(problem(&lab).is_none());
}

/// The agent reads what the template writes.
#[cfg(target_os = "linux")]
#[test]
fn what_is_found_on_a_control_plane_is_what_it_was_given() {
    use crate::agent::control_plane;
    use crate::converge::Node;

    let mut secrets = lab().secrets;
    secrets.begin_encryption_rotation().unwrap();
    let lab = lab_with(&secrets, &["key1"]);
    let file = content(&lab.plan_of(Action::Up, &[]), "node2", PROVIDERS);
    let root = tempfile::tempdir().unwrap();
    let node = Node::at(root.path());
    let path = node.path(PROVIDERS);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, file).unwrap();
    let keys = secrets.encryption_keys.as_ref().unwrap();
    let expected: Vec<String> = keys.active().iter().map(encryption::fingerprint).collect();
    assert_eq!(control_plane::encryption_keys(&node), expected);
    assert_eq!(control_plane::encryption_algorithm(&node), "secretbox");
}
