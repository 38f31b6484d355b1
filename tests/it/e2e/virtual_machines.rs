//! The whole way on real Linux in real machines: from nothing to a cluster in them, and back to nothing.
//!
//! QEMU interprets the machines' processors, which takes minutes. VirtualBox's are the very machines that the real
//! VBoxManage was told to make, run by QEMU in its place.

use std::fs;

use super::kinstall::{Kinstall, eventually};
use super::traces::Traces;
use crate::guest::image;
use crate::guest::virtualbox::VirtualBox;

const NODES: [(&str, &str); 2] = [("master", "192.168.56.11"), ("node1", "192.168.56.21")];

#[test]
#[ignore = "needs root and a bundle: `./test virtual_machines`"]
fn a_lab_of_virtual_box_comes_up_and_goes_away() {
    let virtual_box = VirtualBox::new();
    // Somebody else's machine has the name of one of ours.
    let stranger = [
        "createvm",
        "--name",
        "node1",
        "--ostype",
        "Linux_64",
        "--register",
    ];
    assert!(virtual_box.manage(stranger).status.success());
    let before = virtual_box.inventory();
    let mut lab = lab("virtualbox");
    // The one is made of a cloud image, the other of a box.
    let of_a_box = format!("machine_image: {}\n", image::vagrant_box().display());
    fs::create_dir_all(lab.path("host_vars")).unwrap();
    fs::write(lab.path("host_vars/node1.yml"), of_a_box).unwrap();
    lab.run_in(virtual_box);
    comes_up(&lab);
    a_snapshot_holds_the_whole_lab(&lab);
    a_suspended_lab_goes_on(&lab);
    a_setting_that_needs_a_halt_is_applied(&lab);
    down_leaves_no_trace(&lab);
    let virtual_box = lab.virtual_box().unwrap();
    assert_eq!(virtual_box.inventory(), before);
}

#[test]
#[ignore = "needs root and a bundle: `./test virtual_machines`"]
fn a_lab_of_qemu_comes_up_and_goes_away() {
    let before = Traces::now();
    let lab = lab("qemu");
    fs::create_dir(lab.path("data")).unwrap();
    fs::write(lab.path("data/greeting"), "hello").unwrap();
    let shared = "machine_shared_folders: ['./data:/srv/data']\n";
    fs::create_dir_all(lab.path("host_vars")).unwrap();
    fs::write(lab.path("host_vars/node1.yml"), shared).unwrap();
    comes_up(&lab);
    assert_eq!(ssh(&lab, "node1", "cat /srv/data/greeting"), "hello");
    // Snapshots and sleep are tested in tests/it/qemu: they ask nothing of the guest.
    let id = lab.lab_id();
    down_leaves_no_trace(&lab);
    assert_eq!(Traces::now().since(&before, &id), Traces::default());
}

fn lab(provider: &str) -> Kinstall {
    let inventory = include_str!("virtual_machines.ini");
    let lab = Kinstall::with_inventory(inventory);
    let settings = format!(
        "kinstall_provider: {provider}\nmachine_image: {}\n",
        image::cloud().display()
    );
    fs::create_dir_all(lab.path("group_vars/all")).unwrap();
    fs::write(lab.path("group_vars/all/machines.yml"), settings).unwrap();
    lab
}

fn comes_up(lab: &Kinstall) {
    let plan = lab.run(&["plan"]).expect_code(2);
    eprintln!("{plan}");
    // It takes minutes: where it is, is of interest.
    assert!(lab.command(&["up"]).status().unwrap().success());
    for (name, address) in NODES {
        is_as_the_inventory_says(lab, name, address);
    }
    nodes_are_ready(lab);
    a_second_up_changes_nothing(lab);
}

/// What a user has let kinstall write elsewhere goes as well.
fn down_leaves_no_trace(lab: &Kinstall) {
    let (hosts, kubeconfig) = (lab.path("hosts"), lab.path("config"));
    fs::write(&hosts, "127.0.0.1 localhost\n").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = lab.command(arguments);
        assert!(
            command
                .env("KUBECONFIG", &kubeconfig)
                .status()
                .unwrap()
                .success()
        );
    };
    let hosts_file = hosts.to_str().unwrap();
    run(&["hosts", "--write", "--hosts-file", hosts_file]);
    run(&["kubeconfig"]);
    let names = fs::read_to_string(&hosts).unwrap();
    assert!(names.contains("192.168.56.21 node1"), "{names}");
    let has_server = || {
        fs::read_to_string(&kubeconfig)
            .unwrap()
            .contains("https://")
    };
    assert!(has_server());
    run(&["down", "--yes", "--hosts-file", hosts_file]);
    assert_eq!(fs::read_to_string(&hosts).unwrap(), "127.0.0.1 localhost\n");
    assert!(!has_server());
    assert!(!lab.path(".kinstall").exists());
}

/// Name, user, address, disks, and the host key: OpenSSH checks it against the one that was made beforehand.
fn is_as_the_inventory_says(lab: &Kinstall, name: &str, address: &str) {
    assert_eq!(
        ssh(lab, name, "hostname; id -un; sudo -n id -un"),
        format!("{name}\nkinstall\nroot")
    );
    let addresses = ssh(lab, name, "ip -brief address");
    assert!(addresses.contains(&format!("{address}/24")), "{addresses}");
    let size = ssh(lab, name, "df --output=size -BG / | tail -n 1 | tr -dc 0-9");
    assert_eq!(size.parse::<u64>().unwrap().clamp(11, 12).to_string(), size);
    let keys = ssh(lab, name, "ls /etc/ssh/ssh_host_*_key");
    assert_eq!(keys, "/etc/ssh/ssh_host_ed25519_key");
    let disks = ssh(lab, name, "lsblk --nodeps --noheadings --output SIZE,TYPE");
    assert_eq!(disks.contains("1G disk"), name == "node1", "{disks}");
}

fn nodes_are_ready(lab: &Kinstall) {
    eventually("both nodes are ready", 300, || {
        // The API server may just be starting.
        let nodes = ssh(lab, "master", "sudo kubectl get nodes --no-headers || true");
        nodes
            .lines()
            .filter(|line| line.contains(" Ready "))
            .count()
            == NODES.len()
    });
}

fn a_second_up_changes_nothing(lab: &Kinstall) {
    let before = boots(lab);
    let recap = lab.run(&["up"]);
    recap.expect_code(0);
    let told = recap.stderr();
    for (name, _) in NODES {
        let mut lines = told.lines().filter(|line| line.starts_with(name));
        assert!(lines.any(|line| line.contains(" 0 changed")), "{told}");
    }
    lab.run(&["plan"]).expect_code(0);
    assert_eq!(boots(lab), before);
}

fn a_snapshot_holds_the_whole_lab(lab: &Kinstall) {
    let before = boots(lab);
    lab.ok(&["snapshot", "save", "clean"]);
    ssh(lab, "node1", "sudo touch /after && sync");
    lab.ok(&["snapshot", "restore", "clean", "--yes"]);
    assert_eq!(boots(lab), before);
    assert_eq!(ssh(lab, "node1", "ls /after 2>/dev/null || true"), "");
    let listed = lab.ok(&["snapshot", "list"]);
    assert!(listed.contains("clean"), "{listed}");
    lab.ok(&["snapshot", "delete", "clean", "--yes"]);
    nodes_are_ready(lab);
}

fn a_suspended_lab_goes_on(lab: &Kinstall) {
    let before = boots(lab);
    lab.ok(&["suspend"]);
    std::thread::sleep(std::time::Duration::from_secs(30));
    lab.ok(&["resume"]);
    assert_eq!(boots(lab), before);
    for (name, _) in NODES {
        let clock: u64 = ssh(lab, name, "date +%s").parse().unwrap();
        let now = std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .unwrap()
            .as_secs();
        // Commands take their time on a loaded computer; a clock that was left alone is behind by more.
        assert!(now.abs_diff(clock) <= 15, "{name}: {clock} is not {now}");
    }
    nodes_are_ready(lab);
}

fn a_setting_that_needs_a_halt_is_applied(lab: &Kinstall) {
    let before = boots(lab);
    lab.edit(
        "inventory.ini",
        "machine_memory=1536",
        "machine_memory=1792",
    );
    let plan = lab.run(&["plan"]).expect_code(2);
    assert!(plan.contains("1792") && plan.contains("halt"), "{plan}");
    lab.ok(&["up"]);
    let after = boots(lab);
    assert_eq!(
        (before[0] == after[0], before[1] == after[1]),
        (true, false)
    );
    let memory = ssh(lab, "node1", "grep MemTotal /proc/meminfo | tr -dc 0-9");
    assert!(memory.parse::<u64>().unwrap() > 1600 << 10, "{memory} KiB");
    nodes_are_ready(lab);
}

fn boots(lab: &Kinstall) -> Vec<String> {
    let boot = |(name, _)| ssh(lab, name, "cat /proc/sys/kernel/random/boot_id");
    NODES.map(boot).to_vec()
}

/// Runs a command on a machine with OpenSSH, as `kinstall ssh-config` tells it to.
fn ssh(lab: &Kinstall, name: &str, command: &str) -> String {
    let config = lab.path("ssh.config");
    fs::write(&config, lab.ok(&["ssh-config"])).unwrap();
    let output = lab
        .outside("ssh")
        .arg("-F")
        .arg(&config)
        .args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=60"])
        .args(["-o", "ServerAliveInterval=15", name, command])
        .output()
        .unwrap();
    assert!(output.status.success(), "{name}: {command}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
