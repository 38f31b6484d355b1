//! What goes wrong around VBoxManage: no drivers, locks, a server that isn't there or dies, calls whose exit code lies.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use kinstall::provision::virtualbox::{Manage, Uuid};
use kinstall::provision::{MachineState, Power, Provider};

use super::lab::TestLab;
use super::refusals::told;

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn missing_drivers_are_named_with_what_loads_them() {
    let test = TestLab::without_drivers("no-driver", 1);
    let before = test.inventory();
    let error = told(&test.up().unwrap_err());
    assert!(
        error.contains("host-only networks (vboxnetadp) isn't loaded"),
        "{error}"
    );
    assert!(error.contains("sudo modprobe vboxnetadp"), "{error}");
    test.down();
    assert_eq!(test.inventory(), before);
    // Somebody has made the interface; the machine's own driver is still missing.
    let mut ip = Command::new("ip");
    let add = [
        "-n",
        test.namespace(),
        "link",
        "add",
        "vboxnet0",
        "type",
        "bridge",
    ];
    assert!(ip.args(add).status().unwrap().success());
    let address = ["--ip", "192.168.56.1", "--netmask", "255.255.255.0"];
    test.manage(&[&["hostonlyif", "ipconfig", "vboxnet0"], address.as_slice()].concat());
    let error = told(&test.up().unwrap_err());
    assert!(
        error.contains("VirtualBox's kernel driver isn't loaded"),
        "{error}"
    );
    assert!(error.contains("sudo modprobe vboxdrv"), "{error}");
    assert_eq!(test.states(), [MachineState::Stopped]);
    test.down();
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn a_machine_whose_process_crashed_at_its_start_is_started_once_more() {
    let test = TestLab::new("crash", 1);
    for moment in ["early", "late"] {
        let crash = test.root().join(format!("crash-{moment}"));
        fs::write(&crash, "").unwrap();
        test.up().unwrap();
        assert!(!crash.exists(), "its process did crash");
        assert_eq!(test.states(), [MachineState::Running]);
        test.down();
    }
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn what_virtualbox_refuses_about_a_running_machine_is_told_by_its_words() {
    let test = TestLab::new("running", 1);
    test.up().unwrap();
    let id = Uuid::of_machine(&test.lab.id, "node1").to_string();
    let calls: [&[&str]; 5] = [
        &["modifyvm", &id, "--memory", "96"],
        &["startvm", &id, "--type", "headless"],
        &["unregistervm", &id, "--delete"],
        &["hostonlyif", "ipconfig", "vboxnet0", "--ip", "172.18.8.1"],
        &[
            "dhcpserver",
            "add",
            "--interface",
            "vboxnet9",
            "--server-ip",
            "192.168.56.2",
            "--netmask",
            "255.255.255.0",
            "--lower-ip",
            "192.168.56.100",
            "--upper-ip",
            "192.168.56.200",
        ],
    ];
    for (call, words) in calls.into_iter().zip([
        "is already locked for a session",
        "is already locked by a session",
        "while it is locked",
        "Access denied",
        "vboxnet9",
    ]) {
        let output = test.try_manage(call);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains(words),
            "{call:?}: {said}"
        );
    }
    test.down();
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn a_lock_of_somebody_else_is_waited_for() {
    let test = TestLab::new("locks", 1);
    test.manage(&[
        "createvm",
        "--name",
        "a",
        "--ostype",
        "Linux_64",
        "--register",
    ]);
    // Each with a queue of its own, as of two kinstalls.
    let program = test.root().join("VBoxManage");
    let change = |memory: u64| {
        let manage = Manage::new(program.clone());
        let memory = memory.to_string();
        manage
            .call(&["modifyvm", "a", "--memory", &memory])
            .unwrap();
    };
    thread::scope(|scope| {
        for memory in 64..72 {
            scope.spawn(move || change(memory));
        }
    });
    let info = test.manage(&["showvminfo", "a", "--machinereadable"]);
    let last = (64..72).any(|memory| info.contains(&format!("memory={memory}\n")));
    assert!(last, "{info}");
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn calls_at_once_start_one_server() {
    let test = TestLab::new("cold", 1);
    for _ in 0..3 {
        test.kill_server();
        let program = test.root().join("VBoxManage");
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| Manage::new(program.clone()).call(&["list", "vms"]).unwrap());
            }
        });
    }
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn a_server_that_dies_in_a_copy_leaves_nothing_in_the_way() {
    let test = TestLab::new("server-dies", 1);
    let before = test.inventory();
    // The copy takes as long as the disk is large.
    let image = fs::File::options()
        .write(true)
        .open(test.root().join("image.raw"))
        .unwrap();
    let noise: Vec<u8> = (0..128_u32 << 20)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    std::os::unix::fs::FileExt::write_all_at(&image, &noise[1024..], 1024).unwrap();
    let mut convert = Command::new("qemu-img");
    convert.args(["convert", "-q", "-O", "qcow2", "image.raw", "image.qcow2"]);
    assert!(convert.current_dir(test.root()).status().unwrap().success());
    let failed = thread::scope(|scope| {
        let up = scope.spawn(|| test.up());
        let deadline = Instant::now() + Duration::from_mins(1);
        while !is_copying(test.root()) {
            assert!(Instant::now() < deadline, "no copy");
            thread::sleep(Duration::from_millis(1));
        }
        test.kill_server();
        up.join().unwrap()
    });
    let failed = failed.unwrap_err().to_string();
    assert!(failed.contains("NS_ERROR_ABORT"), "{failed}");
    test.up().unwrap();
    assert_eq!(test.states(), [MachineState::Running]);
    test.down();
    assert_eq!(test.inventory(), before);
}

/// Returns whether VirtualBox has begun to write the copy of an image.
fn is_copying(root: &Path) -> bool {
    let masters = fs::read_dir(root.join("machines/kinstall-images"));
    let mut masters = masters.into_iter().flatten().flatten();
    masters.any(|it| it.path().join("disk.vdi").exists())
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn a_machine_whose_server_died_is_found_and_goes_on() {
    let test = TestLab::new("orphan", 1);
    test.up().unwrap();
    test.kill_server();
    // A new server believes the machine to be off as long as its process is still ending.
    test.up().unwrap();
    assert_eq!(test.states(), [MachineState::Running]);
    assert_eq!(test.changes(), []);
    test.down();
}

/// `unregistervm` would fail half-way, with the machine gone and its disks kept.
#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn an_image_stays_as_long_as_another_lab_stands_on_it() {
    let one = TestLab::new("two-labs", 1);
    let mut other = one.lab.clone();
    other.id = "89abcdef".into();
    other.directory = one.root().join("labs/89abcdef");
    other.machines[0].address = [192, 168, 56, 77].into();
    one.up().unwrap();
    let changes =
        kinstall::provision::plan::changes(&other, &one.provider.observe(&other).unwrap());
    one.provider.up(&other, &changes, &|_, _| {}).unwrap();
    one.down();
    let observed = one.provider.observe(&other).unwrap();
    assert_eq!(observed[0].state, MachineState::Running);
    assert!(one.manage(&["list", "vms"]).contains("kinstall-image-"));
    assert!(one.manage(&["list", "hostonlyifs"]).contains("vboxnet0"));
    one.provider.down(&other, &|_, _| {}).unwrap();
    assert_eq!(one.manage(&["list", "vms"]), "");
    assert_eq!(one.manage(&["list", "hostonlyifs"]), "");
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn an_interface_that_went_with_the_computers_restart_is_made_again() {
    let test = TestLab::new("restarted", 1);
    let before = test.inventory();
    test.up().unwrap();
    let power = |power| {
        let report = |machine: &str, what: &str| test.hear(machine, what);
        test.provider
            .power(&test.lab, &["node1"], power, &report)
            .unwrap();
    };
    power(Power::Halt);
    let mut ip = Command::new("ip");
    let delete = ["-n", test.namespace(), "link", "delete", "vboxnet0"];
    assert!(ip.args(delete).status().unwrap().success());
    power(Power::Start);
    assert_eq!(test.states(), [MachineState::Running]);
    assert!(
        test.manage(&["list", "hostonlyifs"])
            .contains("192.168.56.1")
    );
    test.down();
    assert_eq!(test.inventory(), before);
}
