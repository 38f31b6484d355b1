//! The VirtualBox provider against the real VBoxManage, without the kernel driver: needs root and
//! `tests/virtualbox/install`, so `./test` runs it. The machines stay in their BIOS: their disk is empty.

mod appliances;
mod disturbances;
mod foreign;
mod interrupted;
mod kills;
mod lab;
mod refusals;

use std::fs;
use std::process::Command;

use kinstall::provision::{MachineState, Power, Provider, Snapshots};

use lab::TestLab;

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn a_lab_comes_up_is_changed_and_leaves_no_trace() {
    let mut test = TestLab::new("plain", 4);
    test.manage(&[
        "createvm",
        "--name",
        "node1",
        "--ostype",
        "Linux_64",
        "--register",
    ]);
    let before = test.inventory();
    test.forget_calls();
    assert_eq!(test.states(), [MachineState::Absent; 4]);
    test.forget_calls();
    test.up().unwrap();
    println!("calls of up: {}", test.calls().len());
    test.forget_calls();
    let start = std::time::Instant::now();
    assert_eq!(test.states(), [MachineState::Running; 4]);
    println!(
        "calls of observe: {} in {:?}",
        test.calls().len(),
        start.elapsed()
    );
    assert_eq!(test.changes(), []);

    let root = test.root().to_owned();
    let spec = &mut test.lab.machines[0].spec;
    spec.memory_mib = 96;
    spec.disk_gib = 3;
    spec.extra_disks_gib.push(2);
    spec.forwarded_ports = vec!["18080:80".parse().unwrap()];
    spec.shared_folders = vec![kinstall::model::SharedFolder {
        host: root,
        guest: "/srv/data".into(),
    }];
    let spec = &mut test.lab.machines[1].spec;
    spec.forwarded_ports = vec!["18081:80".parse().unwrap()];
    test.lab.machines.pop();
    let changes = test.changes();
    let hosts: Vec<_> = changes.iter().map(|it| it.host.as_str()).collect();
    assert_eq!(hosts, ["node1", "node2", "node4"]);
    test.up().unwrap();
    assert_eq!(test.changes(), []);
    assert_eq!(test.states(), [MachineState::Running; 3]);

    test.forget_calls();
    test.down();
    println!("calls of down: {}", test.calls().len());
    assert_eq!(test.inventory(), before);
    assert!(!test.lab.directory.exists());
    let machines = fs::read_dir(test.root().join("machines")).unwrap();
    let left: Vec<_> = machines.map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, ["node1"]);
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn machines_are_switched() {
    let test = TestLab::new("power", 2);
    test.up().unwrap();
    let names = ["node1", "node2"];
    let power = |names: &[&str], power| {
        test.provider
            .power(&test.lab, names, power, &|machine, what| {
                test.hear(machine, what);
            })
            .unwrap();
    };
    power(&names, Power::Suspend);
    assert_eq!(test.states(), [MachineState::Suspended; 2]);
    power(&["node1"], Power::Resume);
    assert_eq!(
        test.states(),
        [MachineState::Running, MachineState::Suspended]
    );
    power(&names, Power::Halt);
    assert_eq!(test.states(), [MachineState::Stopped; 2]);
    assert!(
        test.told
            .lock()
            .unwrap()
            .contains(&"node1: switched off: it did not shut down within 4 s".to_owned())
    );
    power(&["node1"], Power::Start);

    // The process of the machine dies.
    let uuid = kinstall::provision::virtualbox::Uuid::of_machine(&test.lab.id, "node1").to_string();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command);
        if command.contains("VBoxHeadless") && command.contains(&uuid) {
            let id = entry.file_name();
            assert!(
                Command::new("kill")
                    .arg("-9")
                    .arg(id)
                    .status()
                    .unwrap()
                    .success()
            );
        }
    }
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while test.states()[0] != MachineState::Aborted {
        assert!(std::time::Instant::now() < deadline, "{:?}", test.states());
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    test.up().unwrap();
    assert_eq!(test.states(), [MachineState::Running; 2]);
    test.down();
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn a_snapshot_is_of_all_machines_at_once() {
    let test = TestLab::new("snapshots", 2);
    test.up().unwrap();
    let names = ["node1", "node2"];
    let report = |machine: &str, what: &str| test.hear(machine, what);
    test.provider
        .save(&test.lab, &names, "before lab 3", &report)
        .unwrap();
    assert_eq!(test.states(), [MachineState::Running; 2]);
    let again = test
        .provider
        .save(&test.lab, &names, "before lab 3", &report)
        .unwrap_err();
    insta::assert_snapshot!(again, @"machine `node1` has a snapshot `before lab 3`");
    let missing = test
        .provider
        .restore(&test.lab, &names, "x", &report)
        .unwrap_err();
    insta::assert_snapshot!(missing, @"machine `node1` has no snapshot `x`");
    test.provider
        .restore(&test.lab, &names, "before lab 3", &report)
        .unwrap();
    assert_eq!(test.states(), [MachineState::Running; 2]);
    let listed = Snapshots::list(&test.provider, &test.lab).unwrap();
    assert_eq!(listed.len(), 1);
    assert!(
        listed[0].machines.len() == 2
            && listed[0]
                .machines
                .iter()
                .all(|it| it.live && it.taken.is_some())
    );
    test.provider
        .delete(&test.lab, &names, "before lab 3", &report)
        .unwrap();
    assert_eq!(Snapshots::list(&test.provider, &test.lab).unwrap(), []);
    assert_eq!(test.changes(), []);
    test.down();
}
