//! Boxes and appliances, made by the real VBoxManage and imported by it.

use std::fs;
use std::net::TcpStream;
use std::process::Command;

use kinstall::provision::{MachineState, Provider};

use super::lab::TestLab;

/// Exports a machine with an empty disk; returns the folder with `box.ovf` and its disk.
fn export(test: &TestLab, format: &str) -> std::path::PathBuf {
    let folder = test.root().join("export");
    fs::create_dir(&folder).unwrap();
    let disk = folder.join("made.vdi").display().to_string();
    let target = folder.join(format).display().to_string();
    let create = [
        "createvm",
        "--name",
        "made",
        "--ostype",
        "Debian_64",
        "--register",
    ];
    test.manage(&create);
    test.manage(&["modifyvm", "made", "--memory", "64", "--nic1", "nat"]);
    test.manage(&[
        "storagectl",
        "made",
        "--name",
        "SATA",
        "--add",
        "sata",
        "--portcount",
        "4",
    ]);
    test.manage(&["createmedium", "disk", "--filename", &disk, "--size", "64"]);
    let attach = [
        "storageattach",
        "made",
        "--storagectl",
        "SATA",
        "--port",
        "0",
        "--type",
        "hdd",
    ];
    test.manage(&[&attach, ["--medium", &disk].as_slice()].concat());
    test.manage(&["export", "made", "--output", &target]);
    test.manage(&["unregistervm", "made", "--delete"]);
    folder
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn a_box_comes_up_and_shows_its_way_in() {
    let mut test = TestLab::new("box", 1);
    let folder = export(&test, "box.ovf");
    fs::write(folder.join("metadata.json"), r#"{"provider":"virtualbox"}"#).unwrap();
    let settings = "Vagrant.configure('2') { |config|\n  config.vm.base_mac = '080027C0FFEE'\n}\n";
    fs::write(folder.join("Vagrantfile"), settings).unwrap();
    let mut tar = Command::new("tar");
    tar.arg("-C")
        .arg(&folder)
        .arg("-czf")
        .arg(test.root().join("small.box"));
    assert!(tar.arg(".").status().unwrap().success());
    let before = test.inventory();

    test.lab.machines[0].spec.image = "./small.box".into();
    test.up().unwrap();
    assert_eq!(test.states(), [MachineState::Running]);
    assert_eq!(test.changes(), []);
    let info = || test.manage(&["showvminfo", "node1", "--machinereadable"]);
    assert!(
        info().contains("macaddress1=\"080027C0FFEE\""),
        "{}",
        info()
    );
    assert!(!info().contains("seed.iso"), "{}", info());

    let machine = &test.lab.machines[0];
    let contact = test
        .provider
        .first_contact(&test.lab, machine)
        .unwrap()
        .unwrap();
    assert_eq!(contact.user, "vagrant");
    let rule = format!("127.0.0.1,{},,22\"", contact.address.port());
    assert!(info().contains(&rule), "{}", info());
    assert_eq!(test.changes(), [], "it is no change of the machine's");
    // An interrupted run opens another port.
    let again = test
        .provider
        .first_contact(&test.lab, machine)
        .unwrap()
        .unwrap();
    assert!(!info().contains(&rule), "{}", info());
    test.provider.end_first_contact(&test.lab, machine).unwrap();
    assert!(!info().contains("Forwarding("), "{}", info());
    assert!(TcpStream::connect(again.address).is_err());
    test.down();
    assert_eq!(test.inventory(), before);
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn an_appliance_reads_a_seed() {
    let mut test = TestLab::new("appliance", 1);
    export(&test, "small.ova");
    let before = test.inventory();
    test.lab.machines[0].spec.image = "./export/small.ova".into();
    test.up().unwrap();
    let info = test.manage(&["showvminfo", "node1", "--machinereadable"]);
    assert!(info.contains("seed.iso"), "{info}");
    let machine = &test.lab.machines[0];
    assert_eq!(
        test.provider.first_contact(&test.lab, machine).unwrap(),
        None
    );
    test.down();
    assert_eq!(test.inventory(), before);
}
