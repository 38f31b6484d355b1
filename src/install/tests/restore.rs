//! A restore of etcd's data, and a defragmentation: who does what when.

use super::Lab;
use super::control_planes::{have_joined, lab, text};
use crate::bundle::Program;
use crate::plan::Plan;
use crate::playbook::Action;
use crate::resource::{BlobRef, Sha256};

fn plan_of(action: Action) -> Plan {
    let mut lab = lab();
    have_joined(&mut lab);
    give_snapshot(&mut lab);
    for facts in lab.facts.values_mut() {
        facts.traces.joined = true;
    }
    lab.plan_of(action, &[])
}

/// Puts a snapshot to restore beside the bundle's parts.
pub(super) fn give_snapshot(lab: &mut Lab) {
    let snapshot = Program {
        component: "snapshot".to_owned(),
        version: "20261127T030000Z-1".to_owned(),
        blob: BlobRef {
            sha256: Sha256::of(b"snapshot"),
            size: 8,
        },
    };
    let version = snapshot.version.clone();
    lab.bundle.components.insert("snapshot".to_owned(), version);
    lab.bundle
        .programs
        .insert("snapshot/etcd".to_owned(), snapshot);
}

#[test]
fn every_control_plane_stops_before_any_data_changes_and_all_members_begin_as_one_cluster() {
    let plan = plan_of(Action::Restore);
    let order: Vec<_> = plan
        .phases
        .iter()
        .map(|phase| {
            let hosts: Vec<&str> = phase.batches.keys().map(String::as_str).collect();
            (phase.name.as_str(), hosts.join(" "), phase.after.join(" "))
        })
        .collect();
    let all = "node2 node3 controll-plane".to_owned();
    assert_eq!(
        order,
        [
            ("provide", all.clone(), String::new()),
            ("stop", all.clone(), "provide".to_owned()),
            ("restore", all.clone(), "stop".to_owned()),
            ("encryption", all.clone(), "restore".to_owned()),
            ("start", all.clone(), "encryption".to_owned()),
            ("finish", all, "start".to_owned()),
        ]
    );
    let steps = serde_json::to_string(&plan.phases[2].batches["node2"].steps).unwrap();
    for expected in [
        "--name node2 --initial-cluster-token 20261127T030000Z-1 --initial-advertise-peer-urls https://192.168.56.22:2380",
        "--initial-cluster node2=https://192.168.56.22:2380,node3=https://192.168.56.23:2380,controll-plane=https://192.168.56.11:2380",
        "--bump-revision 1000000000 --mark-compacted",
    ] {
        assert!(steps.contains(expected), "{expected}: {steps}");
    }
}

/// Programs change only while no API server answers, so that no kubelet is newer than one; workers come back as well.
#[test]
fn a_rollback_restores_with_the_programs_of_the_release_that_comes_back_on_all_nodes() {
    insta::assert_snapshot!(text(&plan_of(Action::Rollback)));
}

#[test]
fn members_are_defragmented_one_by_one_behind_the_gate() {
    let plan = plan_of(Action::Defrag);
    let turns: Vec<&str> = plan.phases.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(
        turns,
        [
            "control-plane-gate/node2",
            "defrag/node2",
            "control-plane-gate/node3",
            "defrag/node3",
            "control-plane-gate/controll-plane",
            "defrag/controll-plane",
        ]
    );
}
