//! What control planes say of the cluster's nodes: who comes from elsewhere, and who is no member any more.

use super::super::unknown_nodes;
use super::fixture::Fixture;
use crate::resource::{Condition, Resource};
use crate::wire::ControlPlaneState::{self, Ready, Silent};

/// Two control planes and two workers; the first control plane is ready and has these nodes.
fn fixture(nodes: &[&str]) -> Fixture {
    let mut fixture = Fixture::without_playbooks();
    fixture.add_hosts(&[("control2", true)]);
    fixture.set_up("control1");
    fixture.facts["control1"].nodes = nodes.iter().map(ToString::to_string).collect();
    fixture
}

#[test]
fn a_node_from_elsewhere_is_named() {
    let notices = |fixture: &Fixture, known: &[String]| -> Vec<String> {
        let notices = unknown_nodes::notices(&fixture.cluster, &fixture.facts, known);
        let notices = notices.into_iter();
        notices
            .map(|it| format!("{}: {}", it.host, it.message))
            .collect()
    };
    let fixture = fixture(&["control1", "ghost", "node1", "old"]);
    let said = notices(&fixture, &["old".to_owned()]);
    insta::assert_snapshot!(said.join("\n"), @"control1: Kubernetes has the node ghost, which the inventory hasn't; if it is gone for good, `kinstall ssh control1 -- sudo kubectl delete node ghost` removes it");
    let nothing_is_known = Fixture::without_playbooks();
    assert!(notices(&nothing_is_known, &[]).is_empty());
}

#[test]
fn pods_on_a_node_from_elsewhere_are_not_waited_for() {
    let mut fixture = fixture(&["control1", "ghost", "node1", "node2"]);
    fixture.facts.shift_remove("node2");
    fixture.add_playbook(
        "component: add-on\nphase: add-ons\non: control_plane\nchecks:\n  - name: running\n    \
         wait: { rolled_out: { kind: daemonset, namespace: n, name: x } }\n",
    );
    let plan = fixture.build().unwrap();
    let batch = &plan.phases[0].batches["control1"];
    let Resource::Wait(wait) = &batch.steps[0].resource else {
        panic!("{batch:?}");
    };
    let Condition::RolledOut { without, .. } = &wait.condition else {
        panic!("{wait:?}");
    };
    assert_eq!(without, &["node2", "ghost"]);
}

#[test]
fn a_control_plane_that_was_taken_out_while_it_was_off_is_refused() {
    type Case = (&'static [&'static str], bool, ControlPlaneState, bool);
    // (nodes of the cluster, whether it has joined as far as it knows, what its own control plane does; refused?)
    let cases: [Case; 5] = [
        (&["control1"], true, Silent, true),
        // Its Node object was deleted by hand: it is a member of etcd.
        (&["control1"], true, Ready, false),
        (&["control1", "control2"], true, Silent, false),
        (&["control1"], false, Silent, false),
        // No list of nodes, no verdict.
        (&[], true, Silent, false),
    ];
    for (nodes, joined, state, expected) in cases {
        let mut fixture = fixture(nodes);
        fixture.facts["control2"].traces.joined = joined;
        fixture.facts["control2"].control_plane = state;
        let refusal = fixture
            .build()
            .err()
            .map(|errors| errors[0].message.clone());
        let is_refused = refusal.is_some_and(|it| it.starts_with("`control2` is no member"));
        assert_eq!(is_refused, expected, "{nodes:?} {joined} {state:?}");
        fixture.limit = Some(vec!["node1".to_owned()]);
        assert!(fixture.build().is_ok());
    }
}
