//! `kill -9` of kinstall in the middle of an install: the next `up` ends in the same cluster.

use std::time::{Duration, Instant};

use crate::cluster;
use crate::kinstall::Kinstall;

/// Seconds after the start of each new `up` at which kinstall is killed. Every `up` goes on where the
/// one before stopped, so the points spread over the whole install.
const KILLED_AFTER: [u64; 10] = [2, 4, 6, 7, 8, 9, 10, 12, 14, 16];

#[test]
fn an_install_killed_at_ten_points_ends_in_the_same_cluster() {
    let lab = Kinstall::with_the_lab_inventory();
    let mut reached = Vec::new();
    for seconds in KILLED_AFTER {
        let mut up = lab.command(&["up", "--output", "json"]);
        let output = std::fs::File::create(lab.path("up.jsonl")).unwrap();
        let mut child = up.stdout(output).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = child.kill();
        child.wait().unwrap();
        let events = std::fs::read_to_string(lab.path("up.jsonl")).unwrap();
        reached.push(
            events
                .lines()
                .last()
                .unwrap_or_default()
                .chars()
                .take(120)
                .collect::<String>(),
        );
    }
    println!("killed at: {reached:#?}");
    lab.ok(&["up"]);
    cluster::works(&lab);
    lab.run(&["plan"]).expect_code(0);
}
