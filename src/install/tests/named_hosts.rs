//! What is said of machines that can't be used as they are.

use super::Lab;
use crate::install::named_hosts;
use crate::provision::{MachineState, ObservedMachine};

#[test]
fn each_state_that_a_machine_can_not_be_used_in_names_the_way_on() {
    let lab = Lab::new();
    let told = [
        MachineState::Absent,
        MachineState::Unfinished,
        MachineState::Unreadable,
    ]
    .map(|state| {
        let machine = ObservedMachine {
            name: "node1".to_owned(),
            state,
            settings: None,
        };
        let problems = named_hosts::machines(&lab.cluster, &[machine], &[]).unwrap_err();
        format!("{}: {}", problems[0].message, problems[0].hints.join("; "))
    });
    insta::assert_snapshot!(told.join("\n"), @r"
    there is no machine `node1`: `kinstall up` makes it
    there is only a half-made machine `node1`: `kinstall up` makes it
    the state of machine `node1` can't be read: `kinstall down node1` removes it, then `kinstall up` makes it again
    ");
}
