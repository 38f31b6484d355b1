//! Rolls: chains of phases, one a host, with steps on other hosts.

use super::super::build::build_stages;
use super::super::{Of, Pace, Plan, Stage};
use super::fixture::Fixture;
use crate::playbook::PhaseName;

/// Returns a line for each phase: `NAME after …: host: step …; host: …`.
fn outline(plan: &Plan) -> String {
    let mut lines = Vec::new();
    for phase in &plan.phases {
        let batches = phase.batches.iter().map(|(host, batch)| {
            let steps: Vec<&str> = batch.steps.iter().map(|step| step.id.as_str()).collect();
            format!("{host}: {}", steps.join(", "))
        });
        let batches: Vec<String> = batches.collect();
        lines.push(format!(
            "{} after [{}] | {}",
            phase.name,
            phase.after.join(", "),
            batches.join("; ")
        ));
    }
    lines.join("\n")
}

/// Two control planes that join, and three workers with a roll of three phases.
fn fixture() -> Fixture {
    let mut fixture = Fixture::without_playbooks();
    fixture.add_hosts(&[("control2", true), ("control3", true), ("node3", false)]);
    let command = |name: &str| {
        format!(
            "steps:\n  - name: {name}\n    command: {{ argv: [{name}, \"{{{{ host.name }}}}\"], once: true }}\n"
        )
    };
    for (file, head, name) in [
        (
            "init.yml",
            "component: control-plane\nphase: control-plane\nhosts: initial_control_plane\n",
            "init",
        ),
        (
            "join.yml",
            "component: further\nphase: control-plane-join\nhosts: joining_control_planes\n",
            "join",
        ),
        (
            "drain.yml",
            "component: node\nphase: prepare\non: control_plane\nfor_each_host: workers\n",
            "drain",
        ),
        (
            "change.yml",
            "component: node\nphase: join\nhosts: workers\n",
            "change",
        ),
        (
            "uncordon.yml",
            "component: node\nphase: verify\non: control_plane\nfor_each_host: workers\n",
            "uncordon",
        ),
    ] {
        fixture.add_playbook_file(file, &format!("{head}{}", command(name)));
    }
    fixture
}

const ROLL: fn(usize) -> [Stage; 3] = |count| {
    use PhaseName::{ControlPlane, ControlPlaneJoin, Join, Prepare, Verify};
    [
        Stage {
            phases: &[ControlPlane],
            after: &[],
            over: &[],
            pace: Pace::Together,
            of: Of::All,
        },
        Stage {
            phases: &[ControlPlaneJoin],
            after: &[ControlPlane],
            over: &[],
            pace: Pace::Chains(1),
            of: Of::All,
        },
        Stage {
            phases: &[Prepare, Join, Verify],
            after: &[ControlPlaneJoin],
            over: &[],
            pace: Pace::Chains(count),
            of: Of::All,
        },
    ]
};

#[test]
fn a_roll_is_a_chain_of_phases_in_the_order_of_the_inventory() {
    let fixture = fixture();
    let plan = build_stages(&fixture.input(), &ROLL(1)).unwrap();
    insta::assert_snapshot!(outline(&plan));
    let hosts: Vec<_> = plan.phases.iter().map(|it| it.host.as_deref()).collect();
    assert_eq!(
        hosts[..4],
        [None, Some("control2"), Some("control3"), Some("node1")]
    );
}

#[test]
fn several_chains_share_the_hosts_of_a_roll() {
    let fixture = fixture();
    let plan = build_stages(&fixture.input(), &ROLL(2)).unwrap();
    insta::assert_snapshot!(outline(&plan));
}

#[test]
fn a_host_that_does_not_answer_has_no_turn() {
    let mut fixture = fixture();
    for name in ["control2", "node2"] {
        fixture.facts.shift_remove(name);
    }
    // The others know the cluster, so that it may go on without these.
    fixture.set_up("control1");
    let plan = build_stages(&fixture.input(), &ROLL(1)).unwrap();
    insta::assert_snapshot!(outline(&plan));
}

#[test]
fn what_waits_for_a_roll_waits_for_all_of_it() {
    let mut fixture = fixture();
    fixture.add_playbook_file(
        "last.yml",
        "component: last\nphase: add-ons\nsteps:\n  - name: last\n    package: { name: x }\n",
    );
    let [first, second, roll] = ROLL(2);
    let last = Stage {
        phases: &[PhaseName::AddOns],
        after: &[PhaseName::Join],
        over: &[],
        pace: Pace::Together,
        of: Of::All,
    };
    let plan = build_stages(&fixture.input(), &[first, second, roll, last]).unwrap();
    let of_roll = plan.phases[3..]
        .iter()
        .map(|it| it.name.as_str())
        .filter(|it| *it != "add-ons");
    assert_eq!(
        plan.phases.last().unwrap().after,
        of_roll.collect::<Vec<_>>()
    );
}
