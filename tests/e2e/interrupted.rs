//! `kill -9` of kinstall in the middle of an install: the next `up` ends in the same cluster.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::cluster;
use crate::kinstall::Kinstall;

/// How often kinstall is killed.
const KILLS: usize = 10;

/// Changed steps after which it is killed, in each run. An install has about 180, and every `up` goes
/// on where the one before stopped, so the ten points spread over all of it.
const STEPS_BETWEEN: usize = 17;

#[test]
fn an_install_killed_at_ten_points_ends_in_the_same_cluster() {
    let lab = Kinstall::with_the_lab_inventory();
    let reached: Vec<String> = (0..KILLS).map(|_| up_until_killed(&lab)).collect();
    println!("killed at: {reached:#?}");
    lab.ok(&["up"]);
    cluster::works(&lab);
    lab.run(&["plan"]).expect_code(0);
}

/// Starts `up`, kills it after some changes, and returns the step that it had reached.
fn up_until_killed(lab: &Kinstall) -> String {
    let mut child = lab
        .command(&["up", "--output", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let changed = lines.filter_map(|line| changed_step(&line.unwrap()));
    let last = changed.take(STEPS_BETWEEN).last();
    child.kill().unwrap();
    child.wait().unwrap();
    last.expect("the install was done before the last kill: lower STEPS_BETWEEN")
}

/// Reads a line of JSON output: `host step` if it tells of a change.
fn changed_step(line: &str) -> Option<String> {
    let event: Value = serde_json::from_str(line).ok()?;
    let step = &event["agent"]["event"]["Step"];
    step["state"].get("Changed")?;
    let host = event["agent"]["host"].as_str()?;
    Some(format!("{host} {}", step["id"].as_str()?))
}
