//! Real programs: their failures, their end, their input.

use std::time::{Duration, Instant};

use super::Program;
use crate::converge::{Node, ResourceError};

fn shell(script: &str) -> Program {
    Program::new(["sh", "-c", script])
}

#[test]
fn a_failure_carries_the_last_lines() {
    let node = Node::this();
    let error = shell("seq 1 30; echo why >&2; exit 3")
        .run(&node)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`sh -c 'seq 1 30; echo why >&2; exit 3'` ended with exit code 3"
    );
    assert_eq!(error.output().len(), 20);
    assert!(error.output().contains(&"why".to_owned()));
}

#[test]
fn a_late_program_is_stopped_with_its_children() {
    let node = Node::this();
    let start = Instant::now();
    let error = shell("sleep 60 & echo started; wait")
        .timeout(1)
        .run(&node)
        .unwrap_err();
    assert!(matches!(error, ResourceError::Timeout { seconds: 1, .. }));
    assert!(start.elapsed() < Duration::from_secs(8));
}

#[test]
fn a_program_that_leaves_something_running_is_done_when_it_ends() {
    let node = Node::this();
    let start = Instant::now();
    let output = shell("sleep 5 & echo $!").output(&node).unwrap();
    assert!(start.elapsed() < Duration::from_secs(4));
    shell(&format!("kill {output}")).run(&node).unwrap();
}

#[test]
fn nothing_that_was_written_is_lost() {
    let node = Node::this();
    // More than the pipes hold, until the last moment.
    for _ in 0..20 {
        let output = shell("seq 1 40000").output(&node).unwrap();
        assert_eq!(output.lines().count(), 40_000);
        assert_eq!(output.lines().last(), Some("40000"));
    }
}

#[test]
fn programs_get_no_environment_but_their_own() {
    let variables = |program: Program| {
        let output = program.output(&Node::this()).unwrap();
        let names = output
            .lines()
            .filter_map(|line| Some(line.split_once('=')?.0.to_owned()));
        names.collect::<std::collections::BTreeSet<_>>()
    };
    let own = [("OWN".to_owned(), "1".to_owned())];
    let names = variables(Program::new(["env"]).environment(&own));
    // The test program's own has `CARGO` and much more.
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    assert_eq!(names, ["HOME", "KINSTALL_AGENT", "LC_ALL", "OWN", "PATH"]);
}

#[test]
fn the_wish_to_stop_ends_a_program_unless_it_is_critical() {
    let node = Node::this();
    let cancel = node.cancel().clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        cancel.now();
    });
    let start = Instant::now();
    let error = shell("sleep 60").run(&node).unwrap_err();
    assert!(matches!(error, ResourceError::Interrupted));
    assert!(start.elapsed() < Duration::from_secs(8));
    shell("sleep 0.3; true").critical(true).run(&node).unwrap();
}

#[test]
fn input_reaches_the_program() {
    use std::io::Write;
    let output = Program::new(["wc", "-c"])
        .feed(|mut stdin| stdin.write_all(&vec![b'x'; 300_000]))
        .output(&Node::this())
        .unwrap();
    assert_eq!(output.trim(), "300000");
}
