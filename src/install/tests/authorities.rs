//! The authorities of a cluster: which ones nodes get at each step of a rotation.

use std::time::{Duration, SystemTime};

use super::control_planes::{have_joined, lab, text};
use super::{Lab, content, etcd_hosts};
use crate::credentials::rotating_keys::GRACE;
use crate::credentials::{AuthorityKind, ClusterSecrets, RotationStep};
use crate::install::{authorities, keys_in_use};
use crate::plan::Plan;
use crate::playbook::Action;
use crate::wire::authority_digests;

/// Of control planes, in the order in which a rotation and `up` have them.
const FILES: [&str; 6] = [
    "/etc/kubernetes/pki/ca.crt",
    "/etc/kubernetes/pki/ca.key",
    "/etc/kubernetes/pki/signing.crt",
    "/etc/kubernetes/pki/cross.crt",
    "/etc/kubernetes/pki/front-proxy-ca.crt",
    "/etc/kubernetes/pki/etcd/ca.crt",
];

/// A cluster with these secrets whose control planes have the authorities of `found`.
fn lab_with(secrets: &ClusterSecrets, found: &ClusterSecrets) -> Lab {
    let mut lab = lab();
    have_joined(&mut lab);
    lab.secrets = secrets.clone();
    for facts in lab.facts.values_mut() {
        for kind in AuthorityKind::ALL {
            let path = authorities::files(kind)[0].to_owned();
            let all = authority_digests(&found.authorities(kind).certificates());
            facts.traces.authorities.insert(path.clone(), all[0]);
            facts.traces.accepted.insert(path, all);
        }
        facts.traces.joined = true;
        facts.service_account_keys = crate::wire::public_key_ids(&found.service_accounts.public());
    }
    lab
}

/// Returns a cluster's secrets at each step of a rotation, from before it to after it.
fn steps(kinds: &[AuthorityKind]) -> Vec<ClusterSecrets> {
    let mut secrets = lab().secrets;
    let mut steps = vec![secrets.clone()];
    let now = SystemTime::now();
    secrets.begin_authority_rotation(kinds, now).unwrap();
    loop {
        steps.push(secrets.clone());
        if authorities::advance_at(&mut secrets, now) {
            continue;
        }
        if authorities::accepted_until(&secrets).is_none() {
            break;
        }
        // As the command goes on when its time has come.
        steps.push(secrets.clone());
        for kind in authorities::under_way(&secrets) {
            secrets.authorities_mut(kind).advance();
        }
    }
    steps.push(secrets);
    steps
}

fn files(plan: &Plan) -> [String; 6] {
    FILES.map(|path| content(plan, "node2", path))
}

#[test]
fn all_accept_before_any_control_plane_shows_a_certificate() {
    let mut lab = lab();
    have_joined(&mut lab);
    for facts in lab.facts.values_mut() {
        facts.traces.joined = true;
    }
    insta::assert_snapshot!(text(&lab.plan_of(Action::RotateAuthorities, &[])));
}

#[test]
fn members_of_etcd_on_hosts_start_again_one_after_another() {
    let lab = etcd_hosts::settled();
    let plan = text(&lab.plan_of(Action::RotateAuthorities, &[]));
    let phases = plan.lines().filter(|line| line.starts_with("etcd"));
    insta::assert_snapshot!(phases.collect::<Vec<_>>().join("\n"));
}

/// Whatever step a rotation has come to, `up` brings what the rotation does.
#[test]
fn up_in_the_middle_of_a_rotation_has_the_same_authorities() {
    let mut seen = Vec::new();
    for secrets in steps(&AuthorityKind::ALL) {
        let mut lab = lab_with(&secrets, &secrets);
        let problems = keys_in_use::keep(&mut lab.secrets, &lab.cluster, &lab.facts);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(lab.secrets, secrets);
        let [rotation, up] =
            [Action::RotateAuthorities, Action::Up].map(|it| files(&lab.plan_of(it, &[])));
        assert_eq!(rotation, up);
        let [accepted, _, signing, cross, ..] = up;
        assert!(accepted.starts_with(&signing));
        let told = authorities::settle(&lab.secrets).is_some();
        let counts = [accepted, signing, cross].map(|it| authority_digests(&it).len());
        seen.push((counts, told));
    }
    // Accepted, sign, accompany what servers show; and whether `up` says that it is not over.
    let expected = [
        ([1, 1, 0], false),
        ([2, 1, 0], true),
        ([2, 1, 1], true),
        ([2, 1, 1], true),
        ([1, 1, 0], true),
        ([1, 1, 0], false),
    ];
    assert_eq!(seen, expected);
}

/// Whatever the two copies are from, nobody signs with an authority that another one refuses: what is used has been found on
/// all control planes, or the copy is refused.
#[test]
fn secrets_of_another_time_bring_no_authority_that_is_not_accepted() {
    let steps = steps(&AuthorityKind::ALL);
    let mut refused = Vec::new();
    for (number, secrets) in steps.iter().enumerate() {
        for (place, found) in steps.iter().enumerate() {
            let mut lab = lab_with(secrets, found);
            let problems = keys_in_use::keep(&mut lab.secrets, &lab.cluster, &lab.facts);
            if !problems.is_empty() {
                assert!(lab.try_plan(&[]).is_ok() || number == 0);
                refused.push((number, place));
                continue;
            }
            for kind in AuthorityKind::ALL {
                let used = authority_digests(&lab.secrets.authorities(kind).certificates())[0];
                let accepted = authority_digests(&found.authorities(kind).certificates());
                assert!(accepted.contains(&used), "{kind:?} {number} {place}");
            }
        }
    }
    // Those from before know nothing of the new ones.
    assert_eq!(refused, [1, 2, 3, 4, 5].map(|place| (0, place)));
}

/// A node that was off all the time is of this cluster still.
#[test]
fn what_has_an_old_authority_is_no_other_clusters() {
    let steps = steps(&AuthorityKind::ALL);
    let mut lab = lab_with(steps.last().unwrap(), steps.last().unwrap());
    let old = lab_with(&steps[0], &steps[0]);
    let worker = "node1";
    lab.facts[worker].traces = old.facts[worker].traces.clone();
    assert!(lab.try_plan(&[]).is_ok());
    lab.secrets = self::lab().secrets;
    assert!(lab.try_plan(&[]).is_err());
}

#[test]
fn only_what_others_than_kinstall_know_is_waited_for() {
    use AuthorityKind::{Cluster, Etcd, FrontProxy};
    // (authorities, how many steps have been done on the nodes when the command ends)
    let table: [(&[AuthorityKind], usize); 4] = [
        (&[Etcd], 3),
        (&[FrontProxy, Etcd], 3),
        (&[Cluster], 2),
        (&AuthorityKind::ALL, 2),
    ];
    let now = SystemTime::now();
    for (kinds, expected) in table {
        let mut secrets = lab().secrets;
        secrets.begin_authority_rotation(kinds, now).unwrap();
        assert_eq!(authorities::under_way(&secrets), kinds);
        let mut done = 1;
        while authorities::advance_at(&mut secrets, now) {
            done += 1;
        }
        assert_eq!(done, expected, "{kinds:?}");
        let until = authorities::accepted_until(&secrets);
        let waits = kinds.contains(&Cluster);
        assert_eq!(until.is_some(), waits, "{kinds:?}");
        assert!(until.is_none_or(|it| it + Duration::from_secs(1) > now + GRACE));
    }
}

/// etcd went back to before while the cluster's authority waits.
#[test]
fn one_that_is_behind_comes_first() {
    let mut secrets = steps(&AuthorityKind::ALL)[3].clone();
    assert!(authorities::accepted_until(&secrets).is_some());
    secrets.etcd_authorities.keep_found(&[vec![1]]);
    assert!(authorities::accepted_until(&secrets).is_none());
    let now = SystemTime::now();
    assert!(authorities::advance_at(&mut secrets, now));
    let steps = AuthorityKind::ALL.map(|kind| secrets.authorities(kind).next_step());
    assert_eq!(steps, [Some(RotationStep::Switch); 3]);
    assert!(!authorities::advance_at(&mut secrets, now));
    assert!(authorities::accepted_until(&secrets).is_some());
}
