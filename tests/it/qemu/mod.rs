//! The QEMU provider on this computer, with real machines that have no system: needs root and QEMU, so `./test` runs it.

mod lab;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use kinstall::model::{ForwardedPort, Protocol, SharedFolder};
use kinstall::provision::{MachineState, Power, Provider, ProviderError};
use serde_json::json;

use crate::free_port::free_port;
use MachineState::{Aborted, Running, Stopped, Suspended};
use lab::TestLab;

const QUIET: &(dyn Fn(&str, &str) + Sync) = &|name, what| eprintln!("{name}: {what}");
const BOTH: [&str; 2] = ["n1", "n2"];

/// kinstall is killed at each of these points of an `up`; the next `up` takes it up, and so does `down`.
#[test]
#[ignore = "needs root and QEMU: `./test qemu`"]
fn a_killed_up_is_taken_up_again_and_taken_down() {
    if let Some(folder) = std::env::var_os("KINSTALL_TEST_LAB") {
        return up_in_the_place_of_another(Path::new(&folder));
    }
    let test = TestLab::without_guests("killed", 1);
    let obstacles = test.provider.obstacles();
    assert!(obstacles.is_empty(), "{obstacles:?}");
    let running = || test.states() == [Running];
    let exists = |file: &str| test.lab.directory.join(file).exists();
    let points: [(&str, &dyn Fn() -> bool); 11] = [
        ("the folder", &|| exists("machines/n1")),
        ("the disk", &|| exists("machines/n1/disk0.qcow2")),
        ("the seed", &|| exists("machines/n1/seed.iso")),
        ("the record", &|| exists("machines/n1/machine.json")),
        ("the network's file", &|| exists("network-namespace")),
        ("the network", &|| !test.mounts().is_empty()),
        ("the plug", &|| exists("plug")),
        ("a process", &|| !test.processes().is_empty()),
        ("the process's file", &|| exists("machines/n1/qemu.pid")),
        ("the monitor", &|| exists("machines/n1/monitor.sock")),
        ("running", &running),
    ];
    for (point, is_reached) in points {
        for goes_on in [true, false] {
            assert_eq!(test.states(), [MachineState::Absent]);
            test.up_until(1, point, is_reached);
            if goes_on {
                test.up_until_running();
                assert_eq!((test.changes(), test.states()), (vec![], vec![Running]));
            }
            assert_eq!(test.down(), Vec::<String>::new(), "after {point}");
        }
    }
}

/// What a kill in the making of the network leaves: a namespace without all that belongs into it.
#[test]
#[ignore = "needs root and QEMU: `./test qemu`"]
fn a_half_made_network_is_made_anew() {
    let mut test = TestLab::without_guests("network", 1);
    let file = test.lab.directory.join("network-namespace");
    for left in ["true", "ip link add name lab0 type bridge"] {
        fs::create_dir_all(&test.lab.directory).unwrap();
        fs::write(&file, "").unwrap();
        let mut unshare = Command::new("unshare");
        unshare.arg(format!("--net={}", file.display()));
        assert!(unshare.args(left.split(' ')).status().unwrap().success());
        test.up_until_running();
        assert!(test.in_network("ip address show dev lab0 | grep -q 192.168.56.1/24"));
        assert_eq!(test.down(), Vec::<String>::new());
    }

    eprintln!("-- a machine runs in it");
    test.up_until_running();
    assert!(test.in_network("ip link delete lab0"));
    let up = |test: &TestLab| test.provider.up(&test.lab, &test.changes(), QUIET);
    insta::assert_snapshot!(text(&up(&test).unwrap_err()), @r"
    the lab's network is gone, and machine `n1` runs in what is left of it
      hint: `kinstall halt`, then start the machines again
    ");
    assert_eq!(test.states(), [Running]);
    assert_eq!(test.down(), Vec::<String>::new());

    eprintln!("-- it can't be made");
    test.lab.gateway = "ff02::1/64".parse().unwrap();
    let error = up(&test).unwrap_err().to_string();
    assert!(error.contains("make the lab's network"), "{error}");
    assert_eq!(test.mounts(), Vec::<String>::new());
}

/// What `TestLab::up_until` starts as a process of its own, to kill it.
fn up_in_the_place_of_another(folder: &Path) {
    let setting = |name: &str| std::env::var(name).unwrap();
    let count = setting("KINSTALL_TEST_MACHINES").parse().unwrap();
    // It must not tear the lab down.
    let mut test = std::mem::ManuallyDrop::new(TestLab::open(folder, count));
    let spec = &mut test.lab.machines[0].spec;
    (spec.memory_mib, spec.extra_disks_gib) =
        serde_json::from_str(&setting("KINSTALL_TEST_HARDWARE")).unwrap();
    spec.shared_folders = serde_json::from_str(&setting("KINSTALL_TEST_FOLDERS")).unwrap();
    test.up();
}

#[test]
#[ignore = "needs root and QEMU: `./test qemu`"]
fn machines_live_through_all_that_a_lab_can_ask_for() {
    let mut test = TestLab::without_guests("states", 2);
    test.up_until_running();
    assert_eq!(test.changes(), []);
    let before = test.processes();
    test.up();
    assert_eq!(test.processes(), before);

    eprintln!("-- a forwarded port, while it runs");
    let port = free_port();
    test.lab.machines[0].spec.forwarded_ports = vec![forwarded(port)];
    test.up();
    assert_eq!((test.changes(), test.processes()), (vec![], before.clone()));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    test.lab.machines[0].spec.forwarded_ports.clear();
    test.up();
    assert_eq!((test.changes(), test.processes()), (vec![], before));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());

    eprintln!("-- snapshots, suspend, resume");
    leave_a_job(&test.lab.directory.join("machines/n1/monitor.sock"));
    TestLab::timed("save", || {
        snapshots_of(&test, |it| {
            it.save(&test.lab, &BOTH, "live", QUIET).unwrap();
        });
    });
    snapshots_of(&test, |it| {
        assert!(it.save(&test.lab, &BOTH, "live", QUIET).is_err());
    });
    assert_eq!(test.states(), [Running; 2]);
    TestLab::timed("suspend", || power(&test, Power::Suspend));
    assert_eq!(
        (test.states(), test.processes()),
        (vec![Suspended; 2], vec![])
    );
    snapshots_of(&test, |it| {
        assert!(it.save(&test.lab, &BOTH, "lost", QUIET).is_err());
    });
    test.up_until_running();
    let before = test.processes();
    TestLab::timed("restore", || {
        snapshots_of(&test, |it| {
            it.restore(&test.lab, &BOTH, "live", QUIET).unwrap();
        });
    });
    assert_eq!(
        (test.states(), test.processes()),
        (vec![Running; 2], before.clone())
    );
    kill(&before);
    assert_eq!(test.states(), [Aborted; 2]);
    snapshots_of(&test, |it| it.save(&test.lab, &BOTH, "1", QUIET).unwrap());
    snapshots_of(&test, |it| {
        it.restore(&test.lab, &BOTH, "live", QUIET).unwrap();
    });
    assert_eq!(test.states(), [Running; 2]);
    snapshots_of(&test, |it| {
        it.restore(&test.lab, &BOTH, "1", QUIET).unwrap();
    });
    assert_eq!(
        (test.states(), test.processes()),
        (vec![Stopped; 2], vec![])
    );

    eprintln!("-- another memory and a further disk; the snapshot has it otherwise");
    test.lab.machines[0].spec.memory_mib = 512;
    test.lab.machines[0].spec.extra_disks_gib = vec![1];
    assert_eq!(test.changes().len(), 2);
    test.up_until_running();
    assert_eq!(test.changes(), []);
    snapshots_of(&test, |it| {
        it.restore(&test.lab, &BOTH, "live", QUIET).unwrap();
    });
    assert_eq!((test.states(), test.changes().len()), (vec![Running; 2], 1));
    snapshots_of(&test, |it| {
        it.delete(&test.lab, &["n1"], "live", QUIET).unwrap();
    });
    let mut names = Vec::new();
    snapshots_of(&test, |it| {
        let all = it.list(&test.lab).unwrap();
        names.extend(
            all.into_iter()
                .map(|it| (it.name, it.machines.len(), it.machines[0].live)),
        );
    });
    assert_eq!(
        names,
        [("live".to_owned(), 1, true), ("1".to_owned(), 2, false)]
    );
    assert_eq!(test.down(), Vec::<String>::new());
}

/// QEMU refuses to save the memory of a machine that has mounted a shared folder.
#[test]
#[ignore = "needs root and QEMU: `./test qemu`"]
fn a_machine_with_shared_folders_is_not_saved_while_it_runs() {
    let mut test = TestLab::without_guests("shared", 1);
    test.lab.machines[0].spec.shared_folders = vec![SharedFolder {
        host: std::env::temp_dir(),
        guest: "/srv".into(),
    }];
    test.up_until_running();
    let (provider, lab) = (&test.provider, &test.lab);
    let suspended = provider.power(lab, &["n1"], Power::Suspend, QUIET);
    insta::assert_snapshot!(text(&suspended.unwrap_err()), @r"
    machine `n1` can't be suspended: QEMU can't save the memory of a machine with shared folders
      hint: `kinstall halt n1` before
      hint: or take `machine_shared_folders` out of the inventory, and run `kinstall up`
    ");
    let save = || {
        let snapshots = provider.snapshots().unwrap();
        snapshots.save(lab, &["n1"], "clean", QUIET)
    };
    insta::assert_snapshot!(text(&save().unwrap_err()), @r"
    machine `n1` can't be saved while it runs: QEMU can't save the memory of a machine with shared folders
      hint: `kinstall halt n1` before
      hint: or take `machine_shared_folders` out of the inventory, and run `kinstall up`
    ");
    assert_eq!(test.states(), [Running]);
    kill(&test.processes());
    save().unwrap();
    assert_eq!(test.down(), Vec::<String>::new());
}

/// A machine that can't start says why, and `down` cleans what is there.
#[test]
#[ignore = "needs root and QEMU: `./test qemu`"]
fn a_taken_port_is_named() {
    let mut test = TestLab::without_guests("taken", 1);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    test.lab.machines[0].spec.forwarded_ports = vec![forwarded(port)];
    let error = test
        .provider
        .up(&test.lab, &test.changes(), QUIET)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`n1`") && error.contains(&port.to_string()),
        "{error}"
    );
    assert_eq!(test.states(), [Stopped]);
    fs::write(
        test.lab.directory.join("machines/n1/qemu.pid"),
        std::process::id().to_string(),
    )
    .unwrap();
    assert_eq!(test.states(), [Aborted]);
    assert_eq!(test.down(), Vec::<String>::new());
}

fn power(test: &TestLab, power: Power) {
    test.provider.power(&test.lab, &BOTH, power, QUIET).unwrap();
}

fn snapshots_of(test: &TestLab, act: impl FnOnce(&dyn kinstall::provision::Snapshots)) {
    act(test.provider.snapshots().unwrap());
}

fn forwarded(port: u16) -> ForwardedPort {
    ForwardedPort {
        host: port,
        guest: 80,
        protocol: Protocol::Tcp,
    }
}

/// Does what a kinstall that is killed in a snapshot does: the job has ended, and nobody has dismissed it.
fn leave_a_job(monitor: &Path) {
    let mut stream = UnixStream::connect(monitor).unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut ask = |command: &str, arguments: serde_json::Value| -> serde_json::Value {
        let question = json!({"execute": command, "arguments": arguments, "id": command});
        writeln!(stream, "{question}").unwrap();
        loop {
            let answer = answers.next().unwrap().unwrap();
            let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
            if answer["id"] == command {
                return answer["return"].clone();
            }
        }
    };
    ask("qmp_capabilities", json!({}));
    let save = json!({"job-id": "kinstall", "tag": "x", "vmstate": "disk0", "devices": ["disk0"]});
    ask("snapshot-save", save);
    while ask("query-jobs", json!({}))[0]["status"] != "concluded" {}
}

/// Returns an error as users see it.
fn text(error: &ProviderError) -> String {
    let hints: &[String] = match error {
        ProviderError::Obstacle { hints, .. } => hints,
        _ => &[],
    };
    let hints = hints.iter().map(|hint| format!("\n  hint: {hint}"));
    format!("{error}{}", hints.collect::<String>())
}

fn kill(processes: &[u32]) {
    let mut kill = Command::new("kill");
    kill.arg("-9").args(processes.iter().map(u32::to_string));
    assert!(kill.status().unwrap().success());
    for process in processes {
        while fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|it| !it.is_empty()) {}
    }
}
