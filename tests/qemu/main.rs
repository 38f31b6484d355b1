//! The QEMU provider on this computer, with real machines: needs root and QEMU, so `./test` runs it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "how long it takes is of interest")]

mod lab;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use kinstall::model::{ForwardedPort, Protocol};
use kinstall::provision::{MachineState, Power, Provider};

use MachineState::{Aborted, Running, Stopped, Suspended};
use lab::TestLab;

const QUIET: &(dyn Fn(&str, &str) + Sync) = &|name, what| eprintln!("{name}: {what}");
const BOTH: [&str; 2] = ["n1", "n2"];
const BOOT: &str = "cat /proc/sys/kernel/random/boot_id";

#[test]
fn machines_live_through_all_that_a_lab_can_ask_for() {
    let mut test = TestLab::new("life", 2);
    let obstacles = test.provider.obstacles();
    assert!(obstacles.is_empty(), "{obstacles:?}");
    assert_eq!(test.states(), [MachineState::Absent; 2]);
    test.up();
    for (index, name) in BOTH.into_iter().enumerate() {
        TestLab::timed("login", || assert_eq!(test.ssh(index, "hostname"), name));
        test.ssh(index, "cloud-init status --wait || test $? = 2");
        assert_eq!(test.ssh(index, "id -un; sudo -n id -un"), "vagrant\nroot");
        let address = format!("192.168.56.{}/24", 21 + index);
        assert!(test.ssh(index, "ip -brief address").contains(&address));
        let size: u64 = test
            .ssh(index, "df --output=size -BG / | tail -n 1 | tr -dc 0-9")
            .parse()
            .unwrap();
        assert!((11..=12).contains(&size), "{size} GiB");
    }
    test.ssh(
        0,
        "sudo ping -c 1 -W 10 192.168.56.22 && sudo ping -c 1 -W 10 192.168.56.1",
    );
    let uuid = "sudo cat /sys/class/dmi/id/product_uuid";
    assert_ne!(test.ssh(0, uuid), test.ssh(1, uuid));

    eprintln!("-- nothing to do");
    assert_eq!(test.changes(), []);
    let before = test.processes();
    test.up();
    assert_eq!(test.processes(), before);

    eprintln!("-- a forwarded port, while it runs");
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let forwarded = ForwardedPort {
        host: port,
        guest: 22,
        protocol: Protocol::Tcp,
    };
    test.lab.machines[0].spec.forwarded_ports = vec![forwarded];
    test.up();
    assert_eq!((test.changes(), test.processes()), (vec![], before));
    assert!(banner(port).starts_with("SSH-2.0"));
    test.lab.machines[0].spec.forwarded_ports.clear();
    test.up();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());

    eprintln!("-- suspend, resume");
    let boot = [test.ssh(0, BOOT), test.ssh(1, BOOT)];
    TestLab::timed("suspend", || power(&test, Power::Suspend));
    assert_eq!(
        (test.states(), test.processes()),
        (vec![Suspended; 2], vec![])
    );
    TestLab::timed("resume", || power(&test, Power::Resume));
    assert_eq!([test.ssh(0, BOOT), test.ssh(1, BOOT)], boot);

    eprintln!("-- a snapshot of both");
    let snapshots = test.provider.snapshots().unwrap();
    TestLab::timed("save", || {
        snapshots.save(&test.lab, &BOTH, "clean", QUIET).unwrap();
    });
    assert!(snapshots.save(&test.lab, &BOTH, "clean", QUIET).is_err());
    let listed = snapshots.list(&test.lab).unwrap();
    assert_eq!((listed.len(), listed[0].machines.len()), (1, 2));
    assert!(listed[0].machines.iter().all(|it| it.live));
    test.ssh(0, "sudo touch /after && sync");
    TestLab::timed("restore", || {
        snapshots.restore(&test.lab, &BOTH, "clean", QUIET).unwrap();
    });
    assert_eq!(
        test.ssh(0, "test -e /after || cat /proc/sys/kernel/random/boot_id"),
        boot[0]
    );

    eprintln!("-- more memory and a further disk; the snapshot has less");
    test.lab.machines[0].spec.memory_mib = 1280;
    test.lab.machines[0].spec.extra_disks_gib = vec![1];
    let other = test.processes();
    test.up();
    assert_eq!(test.changes(), []);
    assert_eq!(
        test.processes()
            .iter()
            .filter(|it| other.contains(it))
            .count(),
        1
    );
    let total: u64 = test
        .ssh(0, "grep MemTotal /proc/meminfo | tr -dc 0-9")
        .parse()
        .unwrap();
    assert!(total > 1100 << 10, "{total} KiB");
    assert!(
        test.ssh(0, "lsblk --nodeps --noheadings -o SIZE")
            .contains("1G")
    );
    snapshots_of(&test, |it| {
        it.restore(&test.lab, &["n1"], "clean", QUIET).unwrap();
    });
    assert_eq!(test.ssh(0, BOOT), boot[0]);
    assert_eq!(test.changes().len(), 1);
    snapshots_of(&test, |it| {
        it.delete(&test.lab, &BOTH, "clean", QUIET).unwrap();
    });
    snapshots_of(&test, |it| assert_eq!(it.list(&test.lab).unwrap(), []));

    eprintln!("-- halt; a snapshot of what doesn't run");
    TestLab::timed("halt", || power(&test, Power::Halt));
    assert_eq!(
        (test.states(), test.processes()),
        (vec![Stopped; 2], vec![])
    );
    snapshots_of(&test, |it| it.save(&test.lab, &["n2"], "1", QUIET).unwrap());
    snapshots_of(&test, |it| {
        it.restore(&test.lab, &["n2"], "1", QUIET).unwrap();
    });
    assert_eq!(test.states(), [Stopped; 2]);
    test.up();
    assert_ne!(test.ssh(1, BOOT), boot[1]);

    eprintln!("-- killed");
    kill(&test.processes());
    assert_eq!(test.states(), [Aborted; 2]);
    test.up();
    assert_eq!(
        (test.states(), test.ssh(1, "hostname")),
        (vec![Running; 2], "n2".into())
    );
    TestLab::timed("down", || assert_eq!(test.down(), Vec::<String>::new()));
}

/// kinstall is killed when each of these files appears, one after the other, and takes it up again.
#[test]
fn an_interrupted_up_is_taken_up_again() {
    let test = TestLab::without_guests("killed", 1);
    for file in [
        "machines/n1",
        "disk0.qcow2",
        "seed.iso",
        "machine.json",
        "qemu.pid",
        "monitor.sock",
        "console.log",
    ] {
        let path = match file {
            "machines/n1" => test.lab.directory.join(file),
            _ => test.lab.directory.join("machines/n1").join(file),
        };
        test.up_until(1, file, || path.exists());
    }
    test.up_until(1, "running", || test.states() == [Running]);
    assert_eq!((test.changes(), test.processes().len()), (vec![], 1));
    assert_eq!(test.down(), Vec::<String>::new());
}

#[test]
#[ignore = "is started and killed by `an_interrupted_up_is_taken_up_again`"]
fn only_the_up_of_another_test() {
    let setting = |name: &str| std::env::var(name).unwrap();
    let folder = setting("KINSTALL_TEST_LAB");
    let count = setting("KINSTALL_TEST_MACHINES").parse().unwrap();
    // It must not tear the lab down.
    let mut test = std::mem::ManuallyDrop::new(TestLab::open(Path::new(&folder), count));
    test.lab.machines[0].spec.memory_mib = setting("KINSTALL_TEST_MEMORY").parse().unwrap();
    test.up();
}

/// What needs no guest that answers: quick, and the same for all guests.
#[test]
fn states_and_snapshots_of_machines_without_a_system() {
    let mut test = TestLab::without_guests("states", 2);
    let up = |test: &TestLab| test.up_until(2, "running", || test.states() == [Running; 2]);
    up(&test);
    assert_eq!(test.changes(), []);
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
    up(&test);
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
    test.lab.machines[0].spec.memory_mib = 512;
    assert_eq!(test.changes().len(), 2);
    up(&test);
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

/// A machine that can't start says why, and `down` cleans what is there.
#[test]
fn a_taken_port_is_named() {
    let mut test = TestLab::new("taken", 1);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let forwarded = ForwardedPort {
        host: port,
        guest: 80,
        protocol: Protocol::Tcp,
    };
    test.lab.machines[0].spec.forwarded_ports = vec![forwarded];
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

fn banner(port: u16) -> String {
    let mut start = [0; 8];
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    std::io::Read::read_exact(&mut stream, &mut start).unwrap();
    String::from_utf8_lossy(&start).into_owned()
}

fn kill(processes: &[u32]) {
    let mut kill = Command::new("kill");
    kill.arg("-9").args(processes.iter().map(u32::to_string));
    assert!(kill.status().unwrap().success());
    for process in processes {
        while fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|it| !it.is_empty()) {}
    }
}
