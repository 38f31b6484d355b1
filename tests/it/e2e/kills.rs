//! `kill -9` at every boundary of adding and of removing a control plane: `up`, or the same command again, ends in
//! the same place.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use super::control_planes::{INVENTORY, members, ready};
use super::kinstall::{Kinstall, eventually};

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Victim {
    /// kinstall itself. The agents finish a step that must not be cut off.
    Controller,
    /// The agent on the machine that comes, as by the kernel for want of memory: kinstall then ends by itself, and what
    /// the agent had started goes on, or ends where it was stopped: nobody could wake it.
    Agent,
    /// Kinstall, and then the power of the machine that comes or goes.
    Power,
}
use Victim::{Agent, Controller, Power};

/// When it is killed.
#[derive(Clone, Copy, Debug)]
enum Boundary {
    /// A step of a host starts.
    Start(&'static str, &'static str),
    /// It has changed what it should.
    Done(&'static str, &'static str),
    /// kubeadm says this while it joins cp3.
    Says(&'static str),
    /// etcd's new member has started and has no vote yet.
    Learner,
}
use Boundary::{Done, Learner, Says, Start};

const JOIN: &str = "control-plane-join/join";

const ADDING: [(Boundary, Victim); 7] = [
    (Learner, Agent),
    // It votes, and the cluster doesn't have its Node yet.
    (Says("Waiting for the new etcd member"), Power),
    (Says("Waiting for the new etcd member"), Controller),
    (Says("Waiting for the new etcd member"), Agent),
    (Says("[mark-control-plane] Marking"), Power),
    (Says("[control-plane-check] Waiting"), Power),
    (Done("cp3", JOIN), Controller),
];

const REMOVING: [(Boundary, Victim); 13] = [
    (Start("cp1", "leave/drain[cp3]"), Controller),
    (Done("cp1", "leave/drain[cp3]"), Controller),
    (Start("cp1", "leave/etcd member[cp3]"), Controller),
    (Done("cp1", "leave/etcd member[cp3]"), Controller),
    (Done("cp1", "leave/etcd member[cp3]"), Power),
    (Done("cp3", "reset/kubelet"), Power),
    (Start("cp3", "reset/kubeadm"), Controller),
    (Start("cp3", "reset/kubeadm"), Power),
    (Done("cp3", "reset/kubeadm"), Power),
    (Done("cp3", "reset//var/lib/etcd/member"), Controller),
    (Done("cp3", "reset//etc/kubernetes/pki"), Power),
    (Start("cp1", "leave/node[cp3]"), Controller),
    (Done("cp1", "leave/node[cp3]"), Controller),
];

/// `up` is what `node add` does when it has written the inventory.
#[test]
#[ignore = "needs root and a bundle: `./test kills`"]
fn adding_a_control_plane_may_be_killed_anywhere() {
    let lab = lab();
    for (boundary, victim) in ADDING {
        eprintln!("adding, {victim:?} at {boundary:?}");
        lab.ok(&["node", "remove", "--yes", "cp3"]);
        write_inventory(&lab);
        killed(&lab, &["up"], boundary, victim);
        lab.ok(&["up"]);
        all_are_there(&lab);
    }
}

/// `node remove` again ends what it began, and `up` in its place makes cp3 a member again.
#[test]
#[ignore = "needs root and a bundle: `./test kills`"]
fn removing_a_control_plane_may_be_killed_anywhere() {
    let lab = lab();
    let remove = ["node", "remove", "--yes", "cp3"];
    for (boundary, victim) in REMOVING {
        eprintln!("removing, {victim:?} at {boundary:?}");
        killed(&lab, &remove, boundary, victim);
        lab.ok(&["up"]);
        all_are_there(&lab);
        killed(&lab, &remove, boundary, victim);
        lab.ok(&remove);
        assert_eq!(members(&lab, "cp2"), votes(&["cp1", "cp2"]));
        assert_eq!(ready(&lab, "cp2"), ["cp1", "cp2", "w1"]);
        let nodes = super::control_planes::kubectl(&lab, "cp2", &["get", "nodes", "-o", "name"]);
        assert!(!nodes.contains("cp3"), "{nodes}");
        let inventory = std::fs::read_to_string(lab.path("inventory.ini")).unwrap();
        assert!(!inventory.contains("cp3"), "{inventory}");
        write_inventory(&lab);
        if victim == Power {
            // What was on it then is there still.
            lab.ok(&["start", "cp3"]);
            lab.ok(&["reset", "--yes", "cp3"]);
        }
        lab.ok(&["up"]);
        all_are_there(&lab);
    }
}

fn lab() -> Kinstall {
    let lab = Kinstall::with_inventory(INVENTORY);
    lab.ok(&["up"]);
    all_are_there(&lab);
    lab
}

fn write_inventory(lab: &Kinstall) {
    std::fs::write(lab.path("inventory.ini"), INVENTORY).unwrap();
}

fn all_are_there(lab: &Kinstall) {
    assert_eq!(members(lab, "cp2"), votes(&["cp1", "cp2", "cp3"]));
    eventually("all nodes are ready", 60, || {
        ready(lab, "cp2") == ["cp1", "cp2", "cp3", "w1"]
    });
    let cordoned = [
        "get",
        "nodes",
        "--field-selector",
        "spec.unschedulable=true",
        "-o",
        "name",
    ];
    assert_eq!(super::control_planes::kubectl(lab, "cp2", &cordoned), "");
    lab.changes_nothing();
    lab.run(&["plan"]).expect_code(0);
}

fn votes(names: &[&str]) -> Vec<(String, bool)> {
    names
        .iter()
        .map(|name| ((*name).to_owned(), false))
        .collect()
}

/// Runs a command until the boundary, and kills it there.
fn killed(lab: &Kinstall, arguments: &[&str], boundary: Boundary, victim: Victim) {
    let mut child: Child = lab
        .command(&[arguments, &["--output", "json"]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is_there = lines.any(|line| reaches(&line.unwrap(), boundary));
    if matches!(boundary, Learner) {
        let stop = "'kill -STOP $(pidof kubeadm)'";
        lab.ok(&["ssh", "cp3", "--", "sudo", "sh", "-c", stop]);
        eventually("the learner has started", 60, || {
            members(lab, "cp1").contains(&("cp3".to_owned(), true))
        });
    }
    match victim {
        Agent => {
            let kill = "'kill -KILL $(sed -n \"s/^process //p\" /run/kinstall.lock)'";
            lab.ok(&["ssh", "cp3", "--", "sudo", "sh", "-c", kill]);
            // Its output has to be taken for it to end.
            lines.for_each(drop);
        }
        Controller | Power => child.kill().unwrap(),
    }
    assert!(!child.wait().unwrap().success());
    assert!(is_there, "{boundary:?} was never reached");
    match (victim, boundary) {
        (Power, _) => drop(lab.ok(&["halt", "cp3"])),
        (Controller, Learner) => {
            let go_on = "'kill -CONT $(pidof kubeadm)'";
            lab.ok(&["ssh", "cp3", "--", "sudo", "sh", "-c", go_on]);
        }
        (Controller | Agent, _) => {}
    }
}

/// Reads a line of JSON output.
fn reaches(line: &str, boundary: Boundary) -> bool {
    let event: Value = serde_json::from_str(line).unwrap_or_default();
    let (host, told) = (&event["agent"]["host"], &event["agent"]["event"]);
    let says = |text: &str| {
        let line = told["Output"]["line"].as_str().unwrap_or_default();
        host == "cp3" && line.contains(text)
    };
    let step = &told["Step"];
    match boundary {
        Start(on, id) => host == on && step["id"] == id && step["state"] == "Started",
        Done(on, id) => host == on && step["id"] == id && step["state"]["Changed"].is_object(),
        Says(text) => says(text),
        Learner => says("Creating static Pod manifest for \"etcd\""),
    }
}
