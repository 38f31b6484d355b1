//! The roll of an upgrade: in which order nodes move, and what is left for those that have moved.

use super::control_planes::{have_joined, lab, text};
use crate::plan::{self, Plan, PlanInput};
use crate::playbook::Action;

fn plan_with(upgraded: &[&str]) -> Plan {
    let mut lab = lab();
    have_joined(&mut lab);
    for facts in lab.facts.values_mut() {
        facts.traces.joined = true;
    }
    let upgraded: Vec<String> = upgraded.iter().map(|it| (*it).to_owned()).collect();
    lab.with_input(&[], |input| {
        plan::build(&PlanInput {
            upgraded: &upgraded,
            action: Action::Upgrade,
            ..*input
        })
        .unwrap()
    })
}

#[test]
fn control_planes_move_one_by_one_then_what_runs_in_the_cluster_then_workers() {
    insta::assert_snapshot!(text(&plan_with(&[])));
}

#[test]
fn an_upgrade_that_was_cut_off_leaves_in_peace_who_has_moved() {
    let plan = plan_with(&["controll-plane", "node2"]);
    let steps = |phase: &str| -> Vec<String> {
        let phase = plan.phases.iter().find(|it| it.name == phase);
        let batches = phase.into_iter().flat_map(|it| it.batches.values());
        batches
            .flat_map(|batch| batch.steps.iter().map(|step| step.id.clone()))
            .collect()
    };
    for gone in ["control-plane-gate", "drain", "kubeadm"] {
        for host in ["controll-plane", "node2"] {
            assert!(steps(&format!("{gone}/{host}")).is_empty(), "{gone}/{host}");
        }
    }
    assert_eq!(steps("drain/node1"), ["upgrade/drain[node1]"]);
    // One that moved may not have been let in again.
    assert_eq!(steps("uncordon/node2").len(), 2);
}

#[test]
fn a_pause_ends_the_plan_after_the_turn_of_its_node() {
    let mut plan = plan_with(&[]);
    let whole = plan.phases.len();
    assert!(plan.end_after("node2"));
    assert_eq!(plan.phases.last().unwrap().name, "uncordon/node2");
    assert!(plan.phases.len() < whole);
    assert!(!plan.end_after("unknown"));
}
