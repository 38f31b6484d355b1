//! Views of what a real API server answered.

use serde_json::Value;

use super::addresses::Addresses;
use super::events::Events;
use super::history::History;
use super::nodes::Nodes;
use super::search::{Search, query};
use super::workloads::Workloads;

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn objects() -> Value {
    read(include_str!("tests/objects.json"))
}

fn shown(view: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(view).unwrap()
}

#[test]
fn nodes_show_what_is_taken_and_what_is_used() {
    let usage = read(include_str!("tests/usage.json"));
    let nodes = Nodes::of(&objects(), Ok(&usage));
    insta::assert_snapshot!(shown(&nodes));
}

#[test]
fn nodes_say_why_nobody_knows_what_is_used() {
    let nodes = Nodes::of(&objects(), Err("it is off".to_owned()));
    assert_eq!(nodes.without_usage.as_deref(), Some("it is off"));
    assert_eq!(nodes.nodes[0].cpu.used, None);
    assert!(nodes.nodes[0].cpu.requested > 0.0);
}

#[test]
fn a_pod_counts_with_the_largest_of_what_runs_before_it_and_not_when_it_has_ended() {
    let of = |phase: &str| {
        let pod = format!(
            r#"{{"items": [
                {{"kind": "Node", "metadata": {{"name": "node1"}}}},
                {{"kind": "Pod", "status": {{"phase": "{phase}"}}, "spec": {{
                    "nodeName": "node1",
                    "containers": [{{"resources": {{"requests": {{"cpu": "100m"}}}}}}],
                    "initContainers": [
                        {{"restartPolicy": "Always", "resources": {{"requests": {{"cpu": "50m"}}}}}},
                        {{"resources": {{"requests": {{"cpu": "500m"}}}}}}
                    ]}}}}
            ]}}"#
        );
        let cpu = &Nodes::of(&read(&pod), Err(String::new())).nodes[0].cpu;
        format!("{:.2}", cpu.requested)
    };
    assert_eq!(of("Running"), "0.55");
    assert_eq!(of("Succeeded"), "0.00");
}

#[test]
fn workloads_begin_with_the_pod_that_needs_a_look() {
    insta::assert_snapshot!(shown(&Workloads::of(&objects())));
}

#[test]
fn events_come_newest_first() {
    let events = Events::of(&read(include_str!("tests/events.json")));
    insta::assert_snapshot!(shown(&events));
}

#[test]
fn addresses_are_those_that_answer_outside() {
    let addresses = Addresses::of(&read(include_str!("tests/addresses.json")));
    insta::assert_snapshot!(shown(&addresses));
}

#[test]
fn history_has_a_row_for_each_node() {
    let cpu = read(include_str!("tests/cpu.json"));
    let memory = read(include_str!("tests/memory.json"));
    insta::assert_snapshot!(shown(&History::of(&cpu, &memory)));
}

#[test]
fn a_search_finds_lines_with_their_pods() {
    let found = Search::of(include_str!("tests/search.jsonl"));
    insta::assert_snapshot!(shown(&found));
}

#[test]
fn words_of_a_search_stay_words() {
    assert_eq!(
        query(r#"a" | delete \"#),
        r#"_time:1h "a\" | delete \\" | sort by (_time desc) limit 200"#
    );
}

/// What a pod's environment, a Secret or an annotation says stays away from the browser.
#[test]
fn views_have_no_secret() {
    let given = objects().to_string();
    let nodes = Nodes::of(&objects(), Err(String::new()));
    let views = [shown(&nodes), shown(&Workloads::of(&objects()))].concat();
    for private in ["of-the-environment", "secretKeyRef", "PASSWORD", "hostPath"] {
        assert!(given.contains(private), "{private} is not in the objects");
        assert!(!views.contains(private), "{private}");
    }
}
