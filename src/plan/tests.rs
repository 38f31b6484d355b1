//! Plans from the example playbooks in `tests/fixtures/playbooks`, and every way to get one wrong.

mod errors;
pub(super) mod fixture;

use fixture::Fixture;
use indexmap::IndexMap;

use super::{PHASES, Plan};
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
fn phases_stand_in_the_order_of_their_barriers() {
    for (index, rule) in PHASES.iter().enumerate() {
        assert_eq!(rule.name as usize, index);
        for before in rule.after {
            assert!((*before as usize) < index, "{} after {before}", rule.name);
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
        // What `add-ons` and `control-plane-join` came after.
        (
            "verify",
            vec!["control-plane".to_owned(), "join".to_owned()],
        ),
    ];
    assert_eq!(
        phases,
        expected.each_ref().map(|(name, after)| (*name, after))
    );
}

#[test]
fn further_control_planes_join_one_by_one() {
    let mut fixture = Fixture::new();
    fixture.cluster.hosts[1].roles.control_plane = true;
    fixture.add_playbook(
        "component: further\nphase: control-plane-join\nhosts: other_control_planes\nsteps:\n  - name: join\n    command: { argv: [join], once: true }\n",
    );
    let plan = fixture.build().unwrap();
    let phase = plan
        .phases
        .iter()
        .find(|it| it.name == "control-plane-join")
        .unwrap();
    assert_eq!(phase.serial, Some(1));
    assert_eq!(phase.batches.keys().collect::<Vec<_>>(), ["node1"]);
    assert_eq!(step_ids(&plan, "join", "node1"), [""; 0]);
    assert_eq!(step_ids(&plan, "join", "node2"), ["worker/join"]);
}

#[test]
fn a_limit_leaves_the_other_hosts_out() {
    let mut fixture = Fixture::new();
    fixture.limit = Some(vec!["node2".to_owned()]);
    // Nothing has to be known of the others.
    fixture.facts.retain(|name, _| name == "node2");
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
        .map(|object| serde_json::from_str::<serde_json::Value>(object).unwrap()["kind"].clone())
        .collect();
    assert_eq!(
        kinds,
        ["Definition", "Other", "Pool", "Image", "Pool", "Image"]
    );
}

#[test]
fn unknown_facts_of_a_host_are_an_error() {
    let mut fixture = Fixture::new();
    fixture.facts.shift_remove("node1");
    let errors = fixture.build().unwrap_err();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].message.contains("`node1`"), "{errors:?}");
}
