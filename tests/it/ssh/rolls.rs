//! Rolls on real agents: chains of phases, work for other hosts, and what goes on after a failure.

use std::time::Duration;

use kinstall::plan::Phase;

use super::run::{Lab, phase, plan};

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_in_a_chain_stops_what_stands_behind_it_and_names_where_it_began() {
    let mut lab = Lab::start(&["one", "two", "three", "four"]).await;
    let join = |host: &'static str, after: &[&str], script| Phase {
        host: Some(host.to_owned()),
        ..phase(&format!("join/{host}"), after, [(host, script)])
    };
    let plan = plan(vec![
        join("one", &[], "touch $FOLDER/joined"),
        join("two", &["join/one"], "exit 7"),
        join("three", &["join/two"], "touch $FOLDER/joined"),
        join("four", &["join/three"], "touch $FOLDER/joined"),
    ]);
    assert!(!lab.engine.apply(&plan).await.unwrap());
    let joined: Vec<_> = lab
        .sshds
        .iter()
        .map(|it| it.path("joined").exists())
        .collect();
    assert_eq!(joined, [true, false, false, false]);
    let failures = lab.failures();
    assert_eq!(failures["two"], "stopped at two/join/two");
    for host in ["three", "four"] {
        assert_eq!(failures[host], "not done, because join/two failed on two");
    }
    assert_eq!(failures.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_does_for_others_fails_for_them_and_holds_no_other_chain_up() {
    let mut lab = Lab::start(&["control", "one", "two", "three"]).await;
    let part = |name: &str, host: &str, after: &[&str], on: &'static str, script| Phase {
        host: Some(host.to_owned()),
        ..phase(&format!("{name}/{host}"), after, [(on, script)])
    };
    // Two chains: one and then three; two.
    let plan = plan(vec![
        phase("prepare", &[], [("control", "touch $FOLDER/prepared")]),
        part(
            "drain",
            "one",
            &[],
            "control",
            "test -e $FOLDER/prepared && exit 7",
        ),
        part(
            "change",
            "one",
            &["drain/one"],
            "one",
            "touch $FOLDER/changed",
        ),
        part("uncordon", "one", &["change/one"], "control", "true"),
        part("drain", "two", &[], "control", "touch $FOLDER/drained"),
        part(
            "change",
            "two",
            &["drain/two"],
            "two",
            "sleep 1; touch $FOLDER/changed",
        ),
        part(
            "uncordon",
            "two",
            &["change/two"],
            "control",
            "touch $FOLDER/uncordoned",
        ),
        part(
            "drain",
            "three",
            &["uncordon/one"],
            "control",
            "touch $FOLDER/three",
        ),
        part(
            "change",
            "three",
            &["drain/three"],
            "three",
            "touch $FOLDER/changed",
        ),
        phase(
            "verify",
            &["prepare"],
            [("control", "touch $FOLDER/verified")],
        ),
    ]);
    assert!(!lab.engine.apply(&plan).await.unwrap());
    let changed: Vec<_> = lab
        .sshds
        .iter()
        .map(|it| it.path("changed").exists())
        .collect();
    assert_eq!(changed, [false, false, true, false]);
    let made = ["drained", "uncordoned", "three", "verified"];
    let made = made.map(|name| lab.sshds[0].path(name).exists());
    assert_eq!(made, [true, true, false, true]);
    let failures = lab.failures();
    let because = "not done, because drain/one failed on control";
    assert_eq!(failures["one"], because);
    assert_eq!(failures["three"], because);
    assert_eq!(failures.len(), 2, "{failures:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chains_of_a_roll_go_on_side_by_side() {
    let mut lab = Lab::start(&["control", "one", "two"]).await;
    let part = |name: &str, host: &str, after: &[&str], on: &'static str, script| Phase {
        host: Some(host.to_owned()),
        ..phase(&format!("{name}/{host}"), after, [(on, script)])
    };
    // The control plane's second phase, in the plan's order, waits for one, whose change ends only when the
    // third is done.
    let file = lab.sshds[0].path("drained").display().to_string();
    let waits: &'static str = format!("until test -e {file}; do sleep 0.1; done").leak();
    let plan = plan(vec![
        part("drain", "one", &[], "control", "true"),
        part("change", "one", &["drain/one"], "one", waits),
        part("uncordon", "one", &["change/one"], "control", "true"),
        part("drain", "two", &[], "control", "touch $FOLDER/drained"),
        part("change", "two", &["drain/two"], "two", "true"),
    ]);
    let applied = tokio::time::timeout(Duration::from_mins(1), lab.engine.apply(&plan)).await;
    assert!(applied.unwrap().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_an_end_goes_on_without_the_hosts_that_failed() {
    let mut lab = Lab::start(&["control", "one", "two"]).await;
    let mut verify = Phase {
        over: vec!["join".to_owned()],
        ..phase("verify", &[], [("control", "touch $FOLDER/cluster")])
    };
    let steps = &mut verify.batches["control"].steps;
    for host in ["one", "two"] {
        let script = format!("touch $FOLDER/{host}");
        let of_host = phase("verify", &[], [("control", script.as_str())]);
        let mut step = of_host.batches["control"].steps[0].clone();
        step.id = format!("verify[{host}]");
        step.host = Some(host.to_owned());
        steps.push(step);
    }
    let plan = plan(vec![
        phase("join", &[], [("one", "sleep 1"), ("two", "exit 7")]),
        verify,
    ]);
    assert!(!lab.engine.apply(&plan).await.unwrap());
    let made = ["cluster", "one", "two"].map(|name| lab.sshds[0].path(name).exists());
    assert_eq!(made, [true, true, false]);
    assert_eq!(lab.failures().keys().collect::<Vec<_>>(), ["two"]);
}
