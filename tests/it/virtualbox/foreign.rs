//! What others have in the same VirtualBox, and what a user does to the lab's machines by hand.

use std::fs;

use kinstall::provision::virtualbox::Uuid;
use kinstall::provision::{MachineAction, MachineState, Snapshots};

use super::lab::TestLab;

/// In the locale `C` VBoxManage's lists end at the first such letter.
#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn letters_of_other_languages_are_no_obstacle() {
    let mut test = TestLab::new("letters", 1);
    let folder = test.root().join("Téléchargements");
    fs::create_dir(&folder).unwrap();
    fs::rename(test.root().join("image.qcow2"), folder.join("image.qcow2")).unwrap();
    let shared = test.root().join("Übung");
    fs::create_dir(&shared).unwrap();
    let spec = &mut test.lab.machines[0].spec;
    spec.image = "./Téléchargements/image.qcow2".into();
    spec.shared_folders = vec![kinstall::model::SharedFolder {
        host: shared,
        guest: "/srv/data".into(),
    }];
    test.own_machine("Prüfung");
    let before = test.inventory();
    test.up().unwrap();
    assert_eq!(test.states(), [MachineState::Running]);
    assert_eq!(test.changes(), []);
    test.down();
    assert_eq!(test.inventory(), before);
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn a_users_disk_in_a_machine_outlives_it() {
    let test = TestLab::new("own-disk", 1);
    let before = test.inventory();
    test.up().unwrap();
    let id = Uuid::of_machine(&test.lab.id, "node1").to_string();
    let disk = test.root().join("work.vdi");
    let path = disk.display().to_string();
    test.manage(&["controlvm", &id, "poweroff"]);
    test.manage(&["createmedium", "disk", "--filename", &path, "--size", "8"]);
    let info = test.manage(&["showvminfo", &id, "--machinereadable"]);
    let controller = info
        .lines()
        .find_map(|it| it.strip_prefix("storagecontrollername0="));
    let controller = controller.unwrap().trim_matches('"');
    let place = ["--storagectl", controller, "--port", "9", "--device", "0"];
    let medium = ["--type", "hdd", "--medium", &path];
    test.manage(&[&["storageattach", &id], place.as_slice(), &medium].concat());
    test.down();
    assert!(disk.exists());
    test.manage(&["closemedium", "disk", &path]);
    assert_eq!(test.inventory(), before);
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn a_machine_whose_files_are_gone_is_told_and_removed() {
    let test = TestLab::new("gone", 2);
    let before = test.inventory();
    test.up().unwrap();
    for name in ["node1", "node2"] {
        let id = Uuid::of_machine(&test.lab.id, name).to_string();
        test.manage(&["controlvm", &id, "poweroff"]);
    }
    test.kill_server();
    let folder = test.root().join("machines/kinstall-0123abcd/node1");
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(
        test.states(),
        [MachineState::Unreadable, MachineState::Stopped]
    );
    let changes = test.changes();
    let reason = changes[0].impossible().next().unwrap().impossible.unwrap();
    assert!(reason.contains("kinstall down NODE"), "{reason}");
    test.remove(&["node1"]);
    assert_eq!(test.states(), [MachineState::Absent, MachineState::Stopped]);
    test.up().unwrap();
    assert_eq!(test.states(), [MachineState::Running; 2]);
    test.down();
    assert_eq!(test.inventory(), before);
}

/// Such as after a downgrade: a machine that works must not be taken for a half-made one.
#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn a_machine_that_another_version_wrote_down_stays() {
    let test = TestLab::new("version", 1);
    let before = test.inventory();
    test.up().unwrap();
    let key = format!(
        "kinstall/machine/{}",
        Uuid::of_machine(&test.lab.id, "node1")
    );
    let record = r#"{"host":"node1","of":"the future"}"#;
    test.manage(&["setextradata", "global", &key, record]);
    assert_eq!(test.states(), [MachineState::Unreadable]);
    assert!(
        !test
            .changes()
            .iter()
            .any(|it| it.action == MachineAction::Create)
    );
    test.down();
    assert_eq!(test.inventory(), before);
}

#[test]
#[ignore = "needs root and VirtualBox: `./test virtualbox`"]
fn a_snapshot_that_one_machine_refuses_is_taken_back_from_the_others() {
    let test = TestLab::new("half", 2);
    test.up().unwrap();
    let id = Uuid::of_machine(&test.lab.id, "node2").to_string();
    // VirtualBox can't write where the machine's snapshots would go.
    let snapshots = test.root().join("no-folder");
    fs::write(&snapshots, "").unwrap();
    test.manage(&["controlvm", &id, "poweroff"]);
    test.manage(&[
        "modifyvm",
        &id,
        "--snapshotfolder",
        &snapshots.display().to_string(),
    ]);
    test.up().unwrap();
    let names = ["node1", "node2"];
    let report = |machine: &str, what: &str| test.hear(machine, what);
    let saved = test.provider.save(&test.lab, &names, "clean", &report);
    assert!(saved.is_err());
    assert_eq!(Snapshots::list(&test.provider, &test.lab).unwrap(), []);
    assert_eq!(test.states(), [MachineState::Running; 2]);
    test.down();
}
