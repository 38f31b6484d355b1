//! Plans from the example playbooks in `tests/fixtures/playbooks`, and every way to get one wrong.

mod control_planes;
mod errors;
pub(super) mod fixture;
mod no_longer_wanted;
mod nodes;
mod own_objects;
mod rolls;
mod versions;

use fixture::Fixture;
use indexmap::IndexMap;

use super::{Plan, phases};
use crate::playbook::Action;
use crate::resource::Resource;
use crate::secret::Secret;

/// Returns the ids of a host's steps in a phase.
fn step_ids(plan: &Plan, phase: &str, host: &str) -> Vec<String> {
    let phase = plan.phases.iter().find(|it| it.name == phase);
    let batch = phase.and_then(|phase| phase.batches.get(host));
    let steps = batch.map_or(&[][..], |batch| &batch.steps);
    steps.iter().map(|step| step.id.clone()).collect()
}

#[test]
fn a_whole_plan() {
    let fixture = Fixture::new();
    let plan = fixture.build().unwrap();
    let shown = serde_json::to_string_pretty(&plan.without_secrets()).unwrap();
    insta::assert_snapshot!(shown);
}

#[test]
fn every_phase_stands_after_those_that_it_waits_for() {
    for action in Action::ALL {
        let mut before = Vec::new();
        for stage in phases(action) {
            for needed in stage.after {
                assert!(before.contains(needed), "{:?} after {needed}", stage.phases);
            }
            before.extend(stage.phases);
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let fixture = Fixture::new();
    let first = fixture.build().unwrap();
    let second = Fixture::new().build().unwrap();
    assert_eq!(first.hash(), second.hash());
    assert_eq!(
        serde_json::to_string(&first).unwrap(),
        serde_json::to_string(&second).unwrap()
    );
}

#[test]
fn the_order_of_facts_does_not_matter() {
    let mut fixture = Fixture::new();
    let plan = fixture.build().unwrap();
    let facts = std::mem::take(&mut fixture.facts);
    fixture.facts = facts.into_iter().rev().collect::<IndexMap<_, _>>();
    assert_eq!(fixture.build().unwrap(), plan);
}

#[test]
fn another_secret_is_another_plan_but_looks_the_same() {
    let mut fixture = Fixture::new();
    let plan = fixture.build().unwrap();
    fixture
        .secrets
        .cluster
        .insert("token".to_owned(), Secret::new("new"));
    let other = fixture.build().unwrap();
    assert_ne!(plan.hash(), other.hash());
    assert_eq!(plan.without_secrets(), other.without_secrets());
    let shown = serde_json::to_string(&other.without_secrets()).unwrap();
    assert!(!shown.contains("the key"), "{shown}");
    assert!(!shown.contains("new"), "{shown}");
}

#[test]
fn facts_decide_what_a_host_gets() {
    let mut fixture = Fixture::new();
    let step = "runtime/no OOM scores below zero".to_owned();
    assert!(!step_ids(&fixture.build().unwrap(), "prepare", "node1").contains(&step));
    fixture.facts["node1"].can_lower_oom_score = false;
    let plan = fixture.build().unwrap();
    assert!(step_ids(&plan, "prepare", "node1").contains(&step));
    assert!(!step_ids(&plan, "prepare", "node2").contains(&step));
}

#[test]
fn add_ons_that_are_off_leave_nothing() {
    let mut fixture = Fixture::new();
    fixture.cluster.addons.metallb = None;
    let plan = fixture.build().unwrap();
    let phases: Vec<_> = plan
        .phases
        .iter()
        .map(|it| (it.name.as_str(), &it.after))
        .collect();
    let expected = [
        ("prepare", vec![]),
        ("control-plane", vec![]),
        ("join", vec!["control-plane".to_owned()]),
        // What `add-ons` came after.
        ("verify", vec!["control-plane".to_owned()]),
    ];
    assert_eq!(
        phases,
        expected.each_ref().map(|(name, after)| (*name, after))
    );
}

#[test]
fn a_limit_leaves_the_other_hosts_out() {
    let mut fixture = Fixture::new();
    fixture.limit = Some(vec!["node2".to_owned()]);
    // Of the other hosts only the control plane has to be known.
    fixture.facts.shift_remove("node1");
    fixture.set_up("control1");
    let plan = fixture.build().unwrap();
    assert!(
        plan.phases
            .iter()
            .all(|phase| phase.batches.keys().eq(["node2"]))
    );
    assert_eq!(plan.phases.len(), 2);
    assert!(plan.phases[1].after.is_empty());
}

#[test]
fn only_handlers_that_are_named_come_along() {
    let mut fixture = Fixture::new();
    fixture.add_playbook(
        "component: more\nphase: prepare\nsteps:\n  - name: drop-in\n    file: { path: /x, content: x }\n    notify: [later, runtime/restart]\nhandlers:\n  - name: unused\n    unit: { name: a.service, state: restarted }\n  - name: later\n    command: { argv: [systemctl, reload, a.service] }\n",
    );
    let plan = fixture.build().unwrap();
    let handlers = &plan.phases[0].batches["node1"].handlers;
    let ids: Vec<&str> = handlers.iter().map(|handler| handler.id.as_str()).collect();
    assert_eq!(ids, ["more/later", "runtime/restart"]);
}

#[test]
fn manifests_hold_the_objects_of_files_and_then_of_the_template() {
    let plan = Fixture::new().build().unwrap();
    let phase = plan.phases.iter().find(|it| it.name == "add-ons").unwrap();
    let steps = &phase.batches["control1"].steps;
    let Resource::Manifests(manifests) = &steps[0].resource else {
        panic!("{steps:?}");
    };
    let kinds: Vec<_> = manifests
        .objects
        .iter()
        .map(|object| {
            let object = object.text.expose();
            serde_json::from_str::<serde_json::Value>(object).unwrap()["kind"].clone()
        })
        .collect();
    assert_eq!(
        kinds,
        ["Definition", "Other", "Pool", "Image", "Pool", "Image"]
    );
}
