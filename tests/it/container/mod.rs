//! The container provider on this computer, with real machines: needs root, so `./test` runs it.

mod commands;
mod egress;
pub mod lab;

use std::fs;
use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;

use kinstall::provision::{Forward, MachineState, Power, Provider, forward};

use lab::{TestLab, eventually};

fn banner(mut stream: TcpStream) -> String {
    let mut start = [0; 8];
    stream.read_exact(&mut start).unwrap();
    String::from_utf8_lossy(&start).into_owned()
}

/// Prints when the machine's first process started.
const BOOT: &str = "cut -d ' ' -f 22 /proc/1/stat";

/// Reboots the first machine from inside and waits until it answers again.
fn reboot(test: &TestLab) {
    let boot = test.ssh("root", 0, BOOT).unwrap();
    let _ = test.ssh("root", 0, "reboot");
    eventually(|| match test.ssh("root", 0, BOOT)? {
        next if next == boot => Err("the machine didn't reboot".into()),
        _ => Ok(()),
    });
}

#[test]
#[ignore = "needs root: `./test container`"]
fn machines_are_what_the_lab_says_and_leave_no_trace() {
    let test = TestLab::new("plain", 2);
    let obstacles = test.provider.obstacles();
    assert!(obstacles.is_empty(), "{obstacles:?}");
    assert_eq!(test.states(), [MachineState::Absent, MachineState::Absent]);
    test.up();
    assert_eq!(
        test.states(),
        [MachineState::Running, MachineState::Running]
    );
    for (index, name) in ["n1", "n2"].into_iter().enumerate() {
        let address = format!("192.168.56.{}/24", 21 + index);
        assert_eq!(test.ssh("root", index, "hostname").as_deref(), Ok(name));
        assert_eq!(
            test.ssh("vagrant", index, "sudo -n id -un").as_deref(),
            Ok("root")
        );
        let state = eventually(|| test.ssh("root", index, "systemctl is-system-running --wait"));
        assert_eq!(state, "running");
        let addresses = test
            .ssh("root", index, "ip -brief address show host0")
            .unwrap();
        assert!(addresses.contains(&address), "{addresses}");
    }
    assert_ne!(
        test.ssh("root", 0, "cat /etc/machine-id"),
        test.ssh("root", 1, "cat /etc/machine-id")
    );
    test.ssh(
        "root",
        0,
        "ping -c 1 -W 2 n1 && ping -c 1 -W 2 192.168.56.22",
    )
    .unwrap();
    // Nothing to do: the machines stay as they are.
    let start = test.ssh("root", 0, BOOT);
    test.up();
    assert_eq!(test.ssh("root", 0, BOOT), start);
    assert_eq!(test.down(), Vec::<String>::new());
    assert_eq!(test.states(), [MachineState::Absent, MachineState::Absent]);
}

#[test]
#[ignore = "needs root: `./test container`"]
fn a_machine_has_what_a_kubelet_needs_and_the_computer_keeps_its_settings() {
    let test = TestLab::new("kubelet", 1);
    let panic = fs::read_to_string("/proc/sys/kernel/panic").unwrap();
    test.up();
    test.ssh("root", 0, include_str!("kubelet-needs.sh"))
        .unwrap_or_else(|output| panic!("{output}"));
    assert_eq!(fs::read_to_string("/proc/sys/kernel/panic").unwrap(), panic);
    assert_eq!(test.down(), Vec::<String>::new());
}

#[test]
#[ignore = "needs root: `./test container`"]
fn a_machine_that_is_rebooted_or_powered_off_from_inside() {
    let test = TestLab::new("reboot", 1);
    test.up();
    test.ssh("root", 0, "echo kept >/root/file").unwrap();
    reboot(&test);
    assert_eq!(test.ssh("root", 0, "cat /root/file").as_deref(), Ok("kept"));
    let _ = test.ssh("root", 0, "poweroff");
    eventually(|| match test.states()[0] {
        MachineState::Stopped => Ok(()),
        state => Err(format!("{state:?}")),
    });
    test.up();
    assert_eq!(test.ssh("root", 0, "cat /root/file").as_deref(), Ok("kept"));
    assert_eq!(test.down(), Vec::<String>::new());
}

#[test]
#[ignore = "needs root: `./test container`"]
fn halt_keeps_the_files() {
    let test = TestLab::new("stop", 1);
    test.up();
    test.ssh(
        "root",
        0,
        "echo kept >/root/file && mkdir /var/lib/etcd/member",
    )
    .unwrap();
    test.provider
        .power(&test.lab, &["n1"], Power::Halt, &|_, _| ())
        .unwrap();
    assert_eq!(test.states(), [MachineState::Stopped]);
    assert_eq!(test.processes(""), Vec::<u32>::new());
    test.up();
    assert_eq!(
        test.ssh("root", 0, "cat /root/file; ls /var/lib/etcd")
            .as_deref(),
        Ok("kept\nmember")
    );
    // A container that its runtime was changing, as cgroup v1 has it. Until it is `sleep`, it has the connection's output.
    let frozen = "cd /sys/fs/cgroup/freezer || exit 0; mkdir stuck; sleep 600 >/dev/null 2>&1 & \
         until grep -q sleep /proc/$!/comm; do :; done; echo $! >stuck/cgroup.procs; echo FROZEN >stuck/freezer.state; grep FROZEN stuck/freezer.state";
    test.ssh("root", 0, frozen).unwrap();
    assert_eq!(test.down(), Vec::<String>::new());
}

#[test]
#[ignore = "needs root: `./test container`"]
fn one_machine_is_halted_started_and_removed_and_the_others_go_on() {
    let test = TestLab::new("single", 3);
    test.up();
    let boot = test.ssh("root", 0, BOOT);
    test.ssh("root", 1, "echo kept >/root/file").unwrap();
    let power = |names: &[&str], power| {
        test.provider
            .power(&test.lab, names, power, &|_, _| ())
            .unwrap();
    };
    power(&["n2", "n3"], Power::Halt);
    let (running, stopped) = (MachineState::Running, MachineState::Stopped);
    assert_eq!(test.states(), [running, stopped, stopped]);
    // What is in that state already stays as it is.
    power(&["n2"], Power::Halt);
    power(&["n1", "n2"], Power::Start);
    assert_eq!(test.states(), [running, running, stopped]);
    assert_eq!(test.ssh("root", 1, "cat /root/file").as_deref(), Ok("kept"));
    test.provider
        .remove(&test.lab, &["n2", "n3"], &|_, _| ())
        .unwrap();
    assert_eq!(
        test.states(),
        [running, MachineState::Absent, MachineState::Absent]
    );
    assert!(!test.lab.directory.join("machines/n2").exists());
    assert_eq!(test.ssh("root", 0, BOOT), boot);
    // The last machine takes the supervisor and the network along; start brings both back.
    power(&["n1"], Power::Halt);
    assert_eq!(test.processes(""), Vec::<u32>::new());
    power(&["n1"], Power::Start);
    assert_eq!(test.ssh("root", 0, "hostname").as_deref(), Ok("n1"));
    assert_eq!(test.down(), Vec::<String>::new());
}

#[test]
#[ignore = "needs root: `./test container`"]
fn a_killed_supervisor_takes_its_machines_along_and_up_starts_again() {
    let test = TestLab::new("killed", 2);
    test.up();
    test.ssh("root", 1, "echo kept >/root/file; sync").unwrap();
    test.kill_supervisor();
    eventually(|| match test.processes("") {
        pids if pids.is_empty() => Ok(()),
        pids => Err(format!("{pids:?} are left")),
    });
    assert_eq!(
        test.states(),
        [MachineState::Stopped, MachineState::Stopped]
    );
    test.up();
    assert_eq!(test.ssh("root", 1, "cat /root/file").as_deref(), Ok("kept"));
    test.kill_supervisor();
    assert_eq!(test.down(), Vec::<String>::new());
}

#[test]
#[ignore = "needs root: `./test container`"]
fn a_machine_that_was_half_made_is_made_again() {
    let test = TestLab::new("half", 1);
    let folder = test.lab.directory.join("machines/n1");
    fs::create_dir_all(folder.join("upper/etc/ssh")).unwrap();
    fs::write(folder.join("upper/etc/hostname"), "wrong").unwrap();
    assert_eq!(test.states(), [MachineState::Unfinished]);
    test.up();
    assert_eq!(test.ssh("root", 0, "hostname").as_deref(), Ok("n1"));
    assert_eq!(test.down(), Vec::<String>::new());
}

#[test]
#[ignore = "needs root: `./test container`"]
fn labs_with_the_same_addresses_do_not_meet() {
    let (one, two) = (TestLab::new("one", 1), TestLab::new("two", 1));
    one.up();
    two.up();
    // Each lab has its own keys, so answering to the wrong one would fail.
    one.ssh("root", 0, "echo one >/root/file").unwrap();
    assert_eq!(two.ssh("root", 0, "ls /root").as_deref(), Ok(""));
    assert_eq!(one.down(), Vec::<String>::new());
    assert_eq!(two.ssh("root", 0, "hostname").as_deref(), Ok("n1"));
    assert_eq!(two.down(), Vec::<String>::new());
}

#[test]
#[ignore = "needs root: `./test container`"]
fn loopback_ports_and_dials_lead_into_the_lab() {
    let mut test = TestLab::new("forward", 1);
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let sshd: SocketAddr = "192.168.56.21:22".parse().unwrap();
    test.lab.forwards.push(Forward {
        listen: free,
        target: sshd,
        alternatives: Vec::new(),
    });
    test.up();
    assert_eq!(banner(TcpStream::connect(free).unwrap()), "SSH-2.0-");
    assert_eq!(
        banner(test.provider.dial(&test.lab, sshd).unwrap()),
        "SSH-2.0-"
    );

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap();
    let (provider, description) = (test.provider.clone(), test.lab.clone());
    std::thread::spawn(move || {
        forward::serve(&listener, move || provider.dial(&description, sshd))
    });
    assert_eq!(banner(TcpStream::connect(port).unwrap()), "SSH-2.0-");
    assert_eq!(test.down(), Vec::<String>::new());
    assert!(TcpStream::connect(free).is_err());
}

#[test]
#[ignore = "needs root: `./test container`"]
fn a_port_that_is_taken_is_named() {
    let mut test = TestLab::new("taken", 1);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    let target = "192.168.56.21:22".parse().unwrap();
    test.lab.forwards.push(Forward {
        listen,
        target,
        alternatives: Vec::new(),
    });
    let error = test.provider.up(&test.lab, &[], &|_, _| ()).unwrap_err();
    let expected =
        format!("failed to start the lab: failed to listen on {listen}: Address already in use");
    assert!(error.to_string().starts_with(&expected), "{error}");
    drop(taken);
    test.up();
    assert_eq!(test.down(), Vec::<String>::new());
}

#[test]
#[ignore = "needs root: `./test container`"]
fn a_mirror_that_does_not_answer_is_named() {
    let mut test = TestLab::new("mirror", 1);
    let cache = tempfile::tempdir().unwrap();
    test.provider.cache = cache.path().to_owned();
    test.provider.mirror = Some("http://127.0.0.1:9/debian".into());
    let error = test
        .provider
        .up(&test.lab, &[], &|_, _| ())
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("failed to build the base image from http://127.0.0.1:9/debian"),
        "{error}"
    );
    assert!(
        error.contains("Connection refused") || error.contains("Could not connect"),
        "{error}"
    );
}

/// Version 2 groups, on a computer with version 1 too: there, in a mount namespace that has nothing else.
#[test]
#[ignore = "needs root: `./test container`"]
fn machines_run_on_unified_control_groups() {
    let test = TestLab::new("unified", 2);
    if std::path::Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
        test.up();
        assert_eq!(
            test.ssh("root", 0, "stat -f -c %T /sys/fs/cgroup")
                .as_deref(),
            Ok("cgroup2fs")
        );
        test.ssh("root", 0, "mkdir /sys/fs/cgroup/kubepods")
            .unwrap();
        reboot(&test);
        assert_eq!(
            test.ssh("root", 1, "systemctl is-system-running --wait")
                .as_deref(),
            Ok("running")
        );
        assert_eq!(test.down(), Vec::<String>::new());
        return;
    }
    let output = Command::new("unshare")
        .args(["--mount", "--propagation=private", "sh", "-c"])
        .arg("umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec \"$@\"")
        .arg("sh")
        .arg(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "container::machines_run_on_unified_control_groups",
            "--nocapture",
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
