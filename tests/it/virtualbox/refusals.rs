//! What VBoxManage refuses, as users are told.

use kinstall::provision::virtualbox::Manage;
use kinstall::provision::{MachineState, Provider, ProviderError};

use super::lab::TestLab;

/// Returns all that a user reads of an error.
pub fn told(error: &ProviderError) -> String {
    match error {
        ProviderError::Obstacle { message, hints } => format!("{message}\n{}", hints.join("\n")),
        other => other.to_string(),
    }
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn what_can_not_be_is_refused_before_anything_is_made() {
    let mut test = TestLab::new("refused", 1);
    let before = test.inventory();
    test.lab.gateway = "172.18.8.1/24".parse().unwrap();
    let error = test.up().unwrap_err();
    assert!(
        told(&error).contains("echo '* 172.18.8.0/24 192.168.56.0/21'"),
        "{}",
        told(&error)
    );

    test.lab.gateway = "192.168.56.11/24".parse().unwrap();
    let error = test.up().unwrap_err();
    insta::assert_snapshot!(error, @"machine `node1` has address 192.168.56.11, which is this computer's in that network");

    test.lab.gateway = "192.168.56.1/24".parse().unwrap();
    let image = std::mem::replace(&mut test.lab.machines[0].spec.image, "debain-13".into());
    let error = test.provider.check(&test.lab, &test.changes()).unwrap_err();
    insta::assert_snapshot!(told(&error));
    test.lab.machines[0].spec.image = image;
    test.provider.check(&test.lab, &test.changes()).unwrap();
    assert_eq!(test.inventory(), before);

    // A user's own interface, with a DHCP server that hands out the machine's address.
    test.manage(&["hostonlyif", "create"]);
    test.manage(&[
        "hostonlyif",
        "ipconfig",
        "vboxnet0",
        "--ip",
        "192.168.56.1",
        "--netmask",
        "255.255.255.0",
    ]);
    test.lab.machines[0].address = [192, 168, 56, 150].into();
    let error = test.up().unwrap_err();
    insta::assert_snapshot!(error, @"the DHCP server of `vboxnet0` gives out 192.168.56.101 to 192.168.56.254, and machine `node1` has 192.168.56.150");
    test.lab.machines[0].address = [192, 168, 56, 11].into();
    test.up().unwrap();
    assert_eq!(test.states(), [MachineState::Running]);
    test.down();
    assert!(
        test.manage(&["list", "hostonlyifs"]).contains("vboxnet0"),
        "a user's interface stays"
    );
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn a_port_that_is_taken_is_named() {
    let mut test = TestLab::new("busy", 1);
    test.lab.machines[0].spec.image = "./image.raw".into();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    test.lab.machines[0].spec.forwarded_ports = vec![format!("{port}:80").parse().unwrap()];
    let error = test.up().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("failed to start machine `node1`: port {port} of this computer is taken")
    );
    drop(listener);
    test.up().unwrap();
    test.down();
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn an_image_that_machines_stand_on_keeps_its_snapshot() {
    let test = TestLab::new("children", 2);
    test.up().unwrap();
    let machines = test.manage(&["list", "vms"]);
    let mut names = machines.lines().filter_map(|it| it.split('"').nth(1));
    let image = names.find(|it| it.starts_with("kinstall-image-")).unwrap();
    let deleted = test.try_manage(&["snapshot", image, "delete", "base"]);
    let said = String::from_utf8_lossy(&deleted.stderr);
    assert!(
        said.contains("has more than one child hard disk (3)"),
        "{said}"
    );
    assert_eq!(test.states(), [MachineState::Running; 2]);
    test.down();
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn errors_of_vboxmanage_are_short_and_have_their_code() {
    let test = TestLab::new("errors", 0);
    let manage = Manage::new(test.root().join("VBoxManage"));
    let root = test.root().display().to_string();
    let machine = [
        "createvm",
        "--name",
        "a",
        "--ostype",
        "Linux_64",
        "--register",
    ];
    manage.call(&machine).unwrap();
    let disk = format!("{root}/a.vdi");
    manage
        .call(&["createmedium", "disk", "--filename", &disk, "--size", "64"])
        .unwrap();
    manage.call(&["hostonlyif", "create"]).unwrap();
    let calls: [&[&str]; 9] = [
        &["showvminfo", "x"],
        &["controlvm", "a", "poweroff"],
        &["hostonlyif", "remove", "vboxnet7"],
        &["hostonlyif", "ipconfig", "vboxnet7", "--ip", "192.168.56.1"],
        &[
            "clonevm",
            "a",
            "--options",
            "link",
            "--name",
            "b",
            "--register",
        ],
        &["modifymedium", "disk", &disk, "--resize", "32"],
        &["createmedium", "disk", "--filename", &disk, "--size", "64"],
        &["snapshot", "a", "list"],
        &[
            "dhcpserver",
            "add",
            "--interface",
            "vboxnet0",
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
    let told = calls.map(|call| {
        manage
            .call(call)
            .unwrap_err()
            .to_string()
            .replace(&root, "ROOT")
    });
    insta::assert_snapshot!(told.join("\n"), @r"
    `VBoxManage showvminfo x` failed: Could not find a registered machine named 'x' (VBOX_E_OBJECT_NOT_FOUND)
    `VBoxManage controlvm a poweroff` failed: Machine 'a' is not currently running.
    `VBoxManage hostonlyif remove vboxnet7` failed: The host network interface named 'vboxnet7' could not be found (NS_ERROR_INVALID_ARG)
    `VBoxManage hostonlyif ipconfig vboxnet7 --ip 192.168.56.1` failed: The host network interface named 'vboxnet7' could not be found (NS_ERROR_INVALID_ARG)
    `VBoxManage clonevm a --options link --name b --register` failed: Linked clone can only be created from a snapshot (NS_ERROR_INVALID_ARG)
    `VBoxManage modifymedium disk ROOT/a.vdi --resize 32` failed: Failed to resize medium; Shrinking is not yet supported for medium 'ROOT/a.vdi' (VBOX_E_NOT_SUPPORTED)
    `VBoxManage createmedium disk --filename ROOT/a.vdi --size 64` failed: Failed to create medium; Could not create the medium storage unit 'ROOT/a.vdi'.; VDI: cannot create image 'ROOT/a.vdi' (VERR_ALREADY_EXISTS) (VBOX_E_FILE_ERROR)
    `VBoxManage snapshot a list` failed: This machine does not have any snapshots
    `VBoxManage dhcpserver add --interface vboxnet0 --server-ip 192.168.56.2 --netmask 255.255.255.0 --lower-ip 192.168.56.100 --upper-ip 192.168.56.200` failed: DHCP server already exists
    ");
}
