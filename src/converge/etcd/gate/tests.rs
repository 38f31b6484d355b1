//! The gate over clusters of one to five members in all states.

use super::{ControlPlane, Member, judge, peer_url};
use crate::resource::ControlPlaneChange;
use crate::resource::ControlPlaneChangeKind::{self, Join, Leave, Restart};

/// A cluster from its picture, a letter a member: `h` healthy, `d` dead, `l` learner, `n` not started.
fn cluster(picture: &str) -> ControlPlane {
    let mut found = ControlPlane::default();
    for (index, state) in picture.chars().enumerate() {
        let name = format!("cp{}", index + 1);
        let address = address(index + 1);
        found.members.push(Member {
            id: index as u64,
            name: if state == 'n' {
                String::new()
            } else {
                name.clone()
            },
            peer_urls: vec![peer_url(&address)],
            client_urls: vec![format!("https://{address}:2379")],
            is_learner: matches!(state, 'l' | 'n'),
            is_healthy: state == 'h',
        });
        let components = ["etcd", "kube-apiserver"].map(|it| (it.to_owned(), state == 'h'));
        found.components.insert(name, components.into());
    }
    found
}

fn address(number: usize) -> String {
    format!("10.0.0.{number}")
}

fn change(kind: ControlPlaneChangeKind, number: usize) -> ControlPlaneChange {
    ControlPlaneChange {
        kind,
        host: format!("cp{number}"),
        address: address(number),
    }
}

fn passes(picture: &str, kind: ControlPlaneChangeKind, number: usize) -> bool {
    judge(&cluster(picture), &change(kind, number)).is_ok()
}

#[test]
fn a_healthy_cluster_takes_every_change_but_the_loss_of_its_last_member() {
    for count in 1..=5 {
        let picture = "h".repeat(count);
        assert!(passes(&picture, Join, count + 1), "{picture} grows");
        for number in 1..=count {
            assert!(
                passes(&picture, Restart, number),
                "{picture} restarts {number}"
            );
            assert_eq!(
                passes(&picture, Leave, number),
                count > 1,
                "{picture} loses {number}"
            );
        }
    }
}

#[test]
fn while_a_member_is_dead_only_that_one_may_leave_or_come_back() {
    for count in 3..=5 {
        for dead in 1..=count {
            let picture: String = (1..=count)
                .map(|it| if it == dead { 'd' } else { 'h' })
                .collect();
            assert!(!passes(&picture, Join, count + 1), "{picture} grows");
            for number in 1..=count {
                assert_eq!(
                    passes(&picture, Leave, number),
                    number == dead,
                    "{picture} loses {number}"
                );
                assert_eq!(
                    passes(&picture, Restart, number),
                    number == dead,
                    "{picture} restarts {number}"
                );
            }
        }
    }
}

#[test]
fn of_five_with_two_dead_the_dead_leave_one_after_the_other() {
    for (picture, number, expected) in [
        ("hhhdd", 4, true),
        ("hhhdd", 5, true),
        ("hhhdd", 1, false),
        ("hhhd", 4, true),
        ("hhh", 3, true),
        // There is no quorum to decide anything.
        ("hhddd", 3, false),
        ("hdd", 2, false),
        ("hd", 2, false),
    ] {
        assert_eq!(
            passes(picture, Leave, number),
            expected,
            "{picture} loses {number}"
        );
    }
}

#[test]
fn a_half_joined_member_keeps_others_out_but_not_itself() {
    for picture in ["hhl", "hhn", "hl", "hn", "hhhl"] {
        let own = picture.len();
        assert!(!passes(picture, Join, own + 1), "{picture}");
        assert!(!passes(picture, Restart, 1), "{picture}");
        assert!(!passes(picture, Leave, 1), "{picture}");
        assert!(passes(picture, Join, own), "{picture}");
        assert!(passes(picture, Leave, own), "{picture}");
    }
}

#[test]
fn components_and_alarms_count() {
    let mut found = cluster("hhh");
    let components = found.components.get_mut("cp2").unwrap();
    components.insert("kube-scheduler".to_owned(), false);
    assert!(judge(&found, &change(Restart, 1)).is_err());
    assert!(judge(&found, &change(Restart, 2)).is_ok());
    let mut found = cluster("hhh");
    found.alarms.push("NOSPACE of cp1".to_owned());
    assert!(judge(&found, &change(Leave, 3)).is_err());
}

#[test]
fn a_refusal_names_what_is_wrong_and_the_numbers() {
    let refusal = judge(&cluster("hhddl"), &change(Leave, 1)).unwrap_err();
    insta::assert_snapshot!(refusal.replace("; ", "\n"), @r"
    etcd's member cp3 does not answer
    etcd's member cp4 does not answer
    etcd's member cp5 has no vote yet
    not ready on cp3: etcd, kube-apiserver
    not ready on cp4: etcd, kube-apiserver
    not ready on cp5: etcd, kube-apiserver
    2 of 4 voting members are healthy, 3 are needed
    1 of 3 voting members would be healthy, 2 are needed
    etcd has 5 members: cp1 (healthy), cp2 (healthy), cp3 (does not answer), cp4 (does not answer), cp5 (has no vote yet)
    ");
}

/// Members on hosts of their own, in front of control planes `cp1`, `cp2`, … that are ready or not.
fn on_hosts(members: &str, control_planes: &[bool]) -> ControlPlane {
    let mut found = ControlPlane {
        is_on_hosts: true,
        components: std::collections::BTreeMap::new(),
        ..cluster(members)
    };
    for (index, is_ready) in control_planes.iter().enumerate() {
        let components = [("kube-apiserver".to_owned(), *is_ready)];
        let name = format!("cp{}", index + 1);
        found.components.insert(name, components.into());
    }
    found
}

#[test]
fn where_etcd_is_on_hosts_both_it_and_the_control_planes_have_to_bear_a_change() {
    let host = |kind, number| ControlPlaneChange {
        host: format!("e{number}"),
        ..change(kind, number)
    };
    // Control planes are at addresses without a member.
    let control_plane = |kind, number| ControlPlaneChange {
        address: address(100 + number),
        ..change(kind, number)
    };
    let both: &[bool] = &[true, true];
    let table = [
        ("hhh", both, host(Leave, 1), true),
        ("hhh", both, host(Restart, 1), true),
        ("hhh", both, host(Join, 4), true),
        ("h", both, host(Leave, 1), false),
        ("hhd", both, host(Leave, 1), false),
        ("hhd", both, host(Leave, 3), true),
        ("hdd", both, host(Leave, 3), false),
        ("hhd", both, host(Restart, 1), false),
        ("hhl", both, host(Join, 4), false),
        ("hhh", &[true, false], host(Restart, 1), false),
        // Before there is a control plane.
        ("h", &[], host(Join, 2), true),
        ("hh", &[], host(Join, 3), true),
        ("hhh", both, control_plane(Leave, 1), true),
        ("hhh", &[true], control_plane(Leave, 1), false),
        // A dead one may go while another one is dead, but not the last that works.
        ("hhh", &[true, false], control_plane(Leave, 2), true),
        ("hhh", &[true, false], control_plane(Leave, 1), false),
        ("hhh", &[true, false, false], control_plane(Leave, 2), true),
        ("hhd", both, control_plane(Leave, 1), false),
        ("hhd", both, control_plane(Join, 3), false),
        ("hhh", both, control_plane(Restart, 1), true),
    ];
    for (members, control_planes, change, expected) in table {
        let judged = judge(&on_hosts(members, control_planes), &change);
        assert_eq!(
            judged.is_ok(),
            expected,
            "{members} {control_planes:?} {change}: {judged:?}"
        );
    }
}
