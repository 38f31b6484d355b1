//! Which control plane begins the cluster, and which one acts for it.

use super::super::Plan;
use super::fixture::Fixture;
use crate::resource::CommandState;
use crate::wire::ControlPlaneState::{self, Absent, Ready, Silent};

/// Three control planes and a worker, with a step for each that tells where it was put.
fn fixture() -> Fixture {
    let mut fixture = Fixture::without_playbooks();
    fixture.cluster.hosts.retain(|host| host.name != "node2");
    fixture.add_hosts(&[("control2", true), ("control3", true)]);
    for (file, text) in [
        (
            "init.yml",
            "component: control-plane\nphase: control-plane\nhosts: initial_control_plane\nsteps:\n  - name: init\n    command: { argv: [init], once: true }\n",
        ),
        (
            "join.yml",
            "component: further\nphase: control-plane-join\nhosts: joining_control_planes\nsteps:\n  - name: join\n    command: { argv: [join], once: true }\n",
        ),
        (
            "worker.yml",
            "component: worker\nphase: join\nhosts: workers\nsteps:\n  - name: join\n    command: { argv: [join], once: true }\n",
        ),
        (
            "add-on.yml",
            "component: add-on\nphase: add-ons\non: control_plane\nsteps:\n  - name: objects\n    package: { name: x }\n",
        ),
    ] {
        fixture.add_playbook_file(file, text);
    }
    fixture
}

impl Fixture {
    fn found(&mut self, host: &str, state: ControlPlaneState, commands: &[(&str, CommandState)]) {
        let facts = self.facts.get_mut(host).unwrap();
        facts.control_plane = state;
        facts.commands = commands
            .iter()
            .map(|(id, state)| ((*id).to_owned(), *state))
            .collect();
    }
}

/// Returns who begins, who joins, and who acts; or why nothing of it can be told.
fn parts(plan: &Plan) -> String {
    let of = |component: &str| {
        let phases = plan.phases.iter();
        let batches = phases.flat_map(|phase| &phase.batches);
        let hosts = batches.filter(|(_, batch)| batch.steps[0].id.starts_with(component));
        hosts
            .map(|(host, _)| host.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let left_out: Vec<String> = plan
        .left_out
        .iter()
        .map(|it| format!("; not {}: {}", it.phases.join(" "), it.reason))
        .collect();
    format!(
        "begins: {}; joins: {}; acts: {}{}",
        of("control-plane/"),
        of("further/"),
        of("add-on/"),
        left_out.concat()
    )
}

const INIT: (&str, CommandState) = ("control-plane/init", CommandState::Done);
const JOINED: (&str, CommandState) = ("further/join", CommandState::Done);

#[test]
fn parts_are_given_by_what_is_found() {
    type Found = (
        &'static str,
        ControlPlaneState,
        &'static [(&'static str, CommandState)],
    );
    let cases: &[(&str, &[Found], &str)] = &[
        (
            "nothing yet",
            &[],
            "begins: control1; joins: control2 control3; acts: control1",
        ),
        (
            "all is well",
            &[
                ("control1", Ready, &[INIT]),
                ("control2", Ready, &[JOINED]),
                ("control3", Ready, &[JOINED]),
            ],
            "begins: control1; joins: control2 control3; acts: control1",
        ),
        (
            "the inventory was sorted anew",
            &[
                ("control1", Ready, &[JOINED]),
                ("control2", Ready, &[INIT]),
                ("control3", Ready, &[JOINED]),
            ],
            "begins: control2; joins: control1 control3; acts: control1",
        ),
        (
            "its API server doesn't answer",
            &[
                ("control1", Silent, &[INIT]),
                ("control2", Ready, &[JOINED]),
                ("control3", Ready, &[JOINED]),
            ],
            "begins: control1; joins: control2 control3; acts: control2",
        ),
        (
            "none answers",
            &[
                ("control1", Silent, &[INIT]),
                ("control2", Silent, &[JOINED]),
                ("control3", Absent, &[]),
            ],
            "begins: control1; joins: control2 control3; acts: control1",
        ),
        (
            "a new machine in place of the first",
            &[
                ("control2", Ready, &[JOINED]),
                ("control3", Ready, &[JOINED]),
            ],
            "begins: ; joins: control1 control2 control3; acts: control2",
        ),
        (
            "the first was taken off the cluster by hand",
            &[
                ("control1", Absent, &[INIT]),
                ("control2", Ready, &[JOINED]),
                ("control3", Ready, &[JOINED]),
            ],
            "begins: ; joins: control1 control2 control3; acts: control2",
        ),
        (
            "the only one was taken off by hand",
            &[("control1", Absent, &[INIT])],
            "begins: control1; joins: control2 control3; acts: control1",
        ),
        (
            "init was cut short on another one than the first",
            &[(
                "control2",
                Silent,
                &[("control-plane/init", CommandState::Begun)],
            )],
            "begins: control2; joins: control1 control3; acts: control2",
        ),
        (
            "a join was cut short",
            &[
                ("control1", Ready, &[("further/join", CommandState::Begun)]),
                ("control2", Ready, &[INIT]),
            ],
            "begins: control2; joins: control1 control3; acts: control2",
        ),
    ];
    for (name, found, expected) in cases {
        let mut fixture = fixture();
        for (host, state, commands) in *found {
            fixture.found(host, *state, commands);
        }
        assert_eq!(parts(&fixture.build().unwrap()), *expected, "{name}");
    }
}

#[test]
fn a_control_plane_that_does_not_answer_is_left_alone_and_the_others_go_on() {
    let mut fixture = fixture();
    fixture.facts.shift_remove("control1");
    fixture.found("control2", Ready, &[JOINED]);
    let plan = fixture.build().unwrap();
    assert_eq!(
        parts(&plan),
        "begins: ; joins: control2 control3; acts: control2"
    );
}

#[test]
fn no_second_cluster_is_begun_while_one_that_may_have_it_is_silent() {
    let mut fixture = fixture();
    fixture.facts.shift_remove("control2");
    let plan = fixture.build().unwrap();
    assert_eq!(
        parts(&plan),
        "begins: ; joins: ; acts: ; not control-plane control-plane-gate control-plane-join join add-ons manifests nodes verify: no control plane \
         that answers has a cluster, and control2, which does not answer, may have one"
    );
}

#[test]
fn a_limit_without_a_cluster_needs_the_control_plane_that_begins_it() {
    let mut fixture = fixture();
    fixture.limit = Some(vec!["node1".to_owned()]);
    assert_eq!(
        parts(&fixture.build().unwrap()),
        "begins: ; joins: ; acts: ; not control-plane control-plane-gate control-plane-join join add-ons manifests nodes verify: there is no cluster \
         yet, and --limit leaves out control1, on which it begins"
    );
    fixture.found("control1", Ready, &[INIT]);
    let plan = fixture.build().unwrap();
    let phases: Vec<_> = plan.phases.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(phases, ["join"]);
    assert!(plan.left_out.is_empty());
}
