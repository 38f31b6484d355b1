//! The keys of service accounts: which ones control planes get at each step of a rotation.

use std::time::SystemTime;

use super::control_planes::{have_joined, lab, text};
use super::{Lab, content};
use crate::credentials::ClusterSecrets;
use crate::install::{keys_in_use, service_accounts};
use crate::playbook::Action;
use crate::wire::{authority_digest, public_key_ids};

const FILES: [&str; 2] = ["/etc/kubernetes/pki/sa.key", "/etc/kubernetes/pki/sa.pub"];

/// A cluster with these secrets whose control planes have the public keys of `found`.
fn lab_with(secrets: &ClusterSecrets, found: &ClusterSecrets) -> Lab {
    let mut lab = lab();
    have_joined(&mut lab);
    lab.secrets = secrets.clone();
    let authority = authority_digest(&secrets.cluster_authorities.certificates()).unwrap();
    for facts in lab.facts.values_mut() {
        facts.service_account_keys = public_key_ids(&found.service_accounts.public());
        facts.traces.authorities = [("/etc/kubernetes/pki/ca.crt".to_owned(), authority)].into();
    }
    lab
}

/// Returns a cluster's secrets at each step of a rotation, from before it to after it.
fn steps() -> Vec<ClusterSecrets> {
    let mut secrets = lab().secrets;
    let mut steps = vec![secrets.clone()];
    secrets.begin_service_account_rotation().unwrap();
    while secrets.service_accounts.next_step().is_some() {
        steps.push(secrets.clone());
        secrets.service_accounts.advance_at(SystemTime::now());
    }
    steps.push(secrets);
    steps
}

#[test]
fn control_planes_get_keys_one_after_another_each_behind_the_gate() {
    let mut lab = lab();
    have_joined(&mut lab);
    insta::assert_snapshot!(text(&lab.plan_of(Action::RotateServiceAccounts, &[])));
}

/// Whatever step a rotation has come to, `up` brings what the rotation does.
#[test]
fn up_in_the_middle_of_a_rotation_has_the_same_keys() {
    let mut seen = Vec::new();
    for secrets in steps() {
        let mut lab = lab_with(&secrets, &secrets);
        let problems = keys_in_use::keep(&mut lab.secrets, &lab.cluster, &lab.facts);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(lab.secrets, secrets);
        let plans = [Action::RotateServiceAccounts, Action::Up].map(|it| lab.plan_of(it, &[]));
        let [rotation, up] = plans.map(|plan| FILES.map(|path| content(&plan, "node2", path)));
        assert_eq!(rotation, up);
        let told = service_accounts::settle(&mut lab.cluster, &lab.secrets);
        let names = &lab.cluster.control_plane.settings.service_account_keys;
        assert_eq!(*names, public_key_ids(&up[1]));
        seen.push((names.len(), told.is_some()));
    }
    let expected = [
        (1, false),
        (2, true),
        (2, true),
        (2, true),
        (1, true),
        (1, false),
    ];
    assert_eq!(seen, expected);
}

/// Whatever the two copies are from, no API server signs with a key that another one refuses: what is used has been found on
/// all control planes, or the copy is refused.
#[test]
fn secrets_of_another_time_bring_no_key_that_is_not_accepted() {
    let steps = steps();
    let mut refused = Vec::new();
    for (number, secrets) in steps.iter().enumerate() {
        for (place, found) in steps.iter().enumerate() {
            let mut lab = lab_with(secrets, found);
            let problems = keys_in_use::keep(&mut lab.secrets, &lab.cluster, &lab.facts);
            if !problems.is_empty() {
                refused.push((number, place));
                continue;
            }
            let used = &public_key_ids(&lab.secrets.service_accounts.public())[0];
            let accepted = public_key_ids(&found.service_accounts.public());
            assert!(accepted.contains(used), "{number} {place}");
        }
    }
    // Those from before know nothing of the new key.
    assert_eq!(refused, [1, 2, 3, 4, 5].map(|place| (0, place)));
}

#[test]
fn keys_that_are_not_known_are_told() {
    let steps = steps();
    let mut lab = lab_with(&steps[0], steps.last().unwrap());
    let problems = keys_in_use::keep(&mut lab.secrets, &lab.cluster, &lab.facts);
    assert_eq!(lab.secrets, steps[0]);
    let hosts: Vec<&str> = lab
        .cluster
        .control_planes()
        .map(|it| it.name.as_str())
        .collect();
    let message = format!(
        "tokens of service accounts have a key that .kinstall/secrets.json doesn't have, on {}",
        hosts.join(", ")
    );
    assert_eq!(problems[0].message, message);
}
