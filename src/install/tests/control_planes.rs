//! Several control planes: in which order they come, and what is between them.

use super::Lab;
use crate::plan::Plan;
use crate::playbook::{Action, Placement, Sources, load};
use crate::resource::{CommandState, Guard, Resource};
use crate::wire::ControlPlaneState;

/// The phases that concern control planes, with the hosts that do them and their steps.
fn phases(lab: &Lab) -> String {
    let mut plan = lab.plan();
    plan.phases.retain(|phase| {
        let name = &phase.name;
        name.starts_with("control-plane") || name == "join"
    });
    text(&plan)
}

pub(super) fn text(plan: &Plan) -> String {
    let lines = plan.phases.iter().map(|phase| {
        let batches = phase.batches.iter().map(|(host, batch)| {
            let steps: Vec<&str> = batch.steps.iter().map(|step| step.id.as_str()).collect();
            format!("\n  on {host}: {}", steps.join(", "))
        });
        let batches: String = batches.collect();
        format!("{} after {}{batches}\n", phase.name, phase.after.join(" "))
    });
    lines.collect()
}

pub(super) fn lab() -> Lab {
    let mut lab = Lab::new();
    for host in &mut lab.cluster.hosts[1..3] {
        host.roles.control_plane = true;
        host.roles.etcd = true;
    }
    lab
}

#[test]
fn control_planes_join_one_after_another_each_behind_the_gate() {
    insta::assert_snapshot!(phases(&lab()));
}

#[test]
fn where_all_have_joined_nothing_is_asked_of_etcd() {
    let mut lab = lab();
    have_joined(&mut lab);
    let phases = phases(&lab);
    assert!(phases.contains("control-plane-join/join"), "{phases}");
    assert!(!phases.contains("gate"), "{phases}");
}

/// Before a join that was interrupted begins anew, its data is wiped: a member that votes would be one without data.
#[test]
fn the_member_of_an_interrupted_join_is_removed_even_where_it_votes() {
    let mut lab = lab();
    have_joined(&mut lab);
    let last = lab.cluster.control_planes().last().unwrap().name.clone();
    for (state, expected) in [(Some(CommandState::Begun), false), (None, true)] {
        let commands = &mut lab.facts[&last].commands;
        commands.clear();
        commands.extend(state.map(|it| ("control-plane-join/join".to_owned(), it)));
        let plan = lab.plan();
        let gate = format!("control-plane-gate/{last}");
        let gate = plan.phases.iter().find(|it| it.name == gate).unwrap();
        let steps = gate.batches.values().flat_map(|batch| &batch.steps);
        let kept: Vec<bool> = steps
            .filter_map(|step| match &step.resource {
                Resource::EtcdMemberAbsent(absent) => Some(absent.unless_healthy),
                _ => None,
            })
            .collect();
        assert_eq!(kept, [expected], "{state:?}");
    }
}

#[test]
fn the_first_control_plane_and_a_dead_one_leave_through_another() {
    let mut lab = lab();
    have_joined(&mut lab);
    let leaving = ["controll-plane", "node3"].map(str::to_owned);
    lab.facts.shift_remove("node3");
    insta::assert_snapshot!(text(&lab.plan_of(Action::Remove, &leaving)));
}

/// An `up` was cut off before there was a cluster. Where anybody may have one, its order of removal holds.
#[test]
fn a_host_leaves_without_a_step_only_where_there_is_certainly_no_cluster() {
    let leaving = ["node3".to_owned()];
    let is_empty = |lab: &Lab| {
        let plan = lab.plan_of(Action::Remove, &leaving);
        plan.phases.is_empty() && plan.left_out.is_empty()
    };
    assert!(is_empty(&lab()));
    let mut silent = lab();
    silent.facts.shift_remove("controll-plane");
    assert!(!is_empty(&silent));
    let mut joined = lab();
    joined.facts["node3"].traces.joined = true;
    assert!(!is_empty(&joined));
    let mut set_up = lab();
    set_up.facts["node3"].control_plane = ControlPlaneState::Ready;
    assert!(!is_empty(&set_up));
}

#[test]
fn a_changed_configuration_is_uploaded_where_the_one_that_began_is_gone() {
    let mut lab = lab();
    have_joined(&mut lab);
    let names = lab.cluster.control_planes().map(|it| it.name.clone());
    let names: Vec<String> = names.collect();
    lab.facts.shift_remove(&names[0]);
    let plan = lab.plan();
    let phase = format!("control-plane-join/{}", names[1]);
    let phase = plan.phases.iter().find(|it| it.name == phase).unwrap();
    let batch = &phase.batches[&names[1]];
    let step = |id: &str| batch.steps.iter().find(|step| step.id == id).unwrap();
    let handlers: Vec<&str> = batch.handlers.iter().map(|it| it.id.as_str()).collect();
    for id in ["control-plane/upload", "control-plane/cluster information"] {
        let notified = &step("control-plane-join/configuration").notify;
        assert!(notified.iter().any(|it| it == id), "{notified:?}");
        assert!(handlers.contains(&id), "{handlers:?}");
    }
}

#[test]
fn what_is_done_once_for_the_cluster_is_not_done_again_by_another_control_plane() {
    let mut lab = lab();
    have_joined(&mut lab);
    let mut guarded = 0;
    for playbook in load(&Sources::builtin(), Action::Up).unwrap() {
        let Placement::Once(_) = playbook.placement else {
            continue;
        };
        let plan = lab.plan();
        let steps = plan.phases.iter().flat_map(|phase| phase.batches.values());
        for step in steps.flat_map(|batch| &batch.steps) {
            let is_own = step.id.starts_with(&format!("{}/", playbook.component));
            if let (true, Resource::Command(command)) = (is_own, &step.resource) {
                // What a node remembers, another one doesn't know.
                let is_known_to_all =
                    matches!(command.guard, Guard::Object { .. } | Guard::NoObject { .. });
                assert!(is_known_to_all, "{}: {:?}", step.id, command.guard);
                guarded += 1;
            }
        }
    }
    assert!(guarded >= 2);
}

pub(super) fn have_joined(lab: &mut Lab) {
    let names: Vec<String> = lab
        .cluster
        .control_planes()
        .map(|it| it.name.clone())
        .collect();
    for (index, name) in names.iter().enumerate() {
        let step = if index == 0 {
            "control-plane/init"
        } else {
            "control-plane-join/join"
        };
        let facts = &mut lab.facts[name];
        facts.control_plane = ControlPlaneState::Ready;
        facts.commands.insert(step.to_owned(), CommandState::Done);
    }
}
