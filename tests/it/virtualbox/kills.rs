//! `up` killed at every call of VBoxManage: whatever is there then, the next `up` and `down` deal with it.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;

use kinstall::provision::{MachineState, Provider};

use super::lab::{self, TestLab};

/// In this process's place a second one calls `up`, so that it can be killed: this very test, told so by
/// its environment.
const VICTIM: &str = "KINSTALL_TEST_VICTIM";

#[test]
#[ignore = "takes ten minutes: `./test kills` runs it"]
fn up_is_taken_over_wherever_it_was_killed() {
    if let Some(root) = std::env::var_os(VICTIM) {
        let root = PathBuf::from(root);
        let lab = lab::description(&root, 2);
        let provider = lab::provider(&root.join("VBoxManage"), &root);
        let changes = kinstall::provision::plan::changes(&lab, &provider.observe(&lab).unwrap());
        provider.up(&lab, &changes, &|_, _| {}).unwrap();
        return;
    }
    // Several at a time, each with a VirtualBox of its own: after a client was killed, VirtualBox answers the next
    // one only after ten seconds.
    std::thread::scope(|scope| {
        for first in 1..=SIDE_BY_SIDE {
            scope.spawn(move || killed_at_some_calls(first));
        }
    });
}

const SIDE_BY_SIDE: usize = 12;

/// Kills at the call of this number, and at every twelfth one from there on.
fn killed_at_some_calls(first: usize) {
    let test = TestLab::new(&format!("killed{first}"), 2);
    // A user's own machine has the name of one of the lab's.
    let own = test.own_machine("node1");
    let before = test.inventory();
    let mut at = first;
    loop {
        let killed = kill_at(&test, at);
        test.up()
            .unwrap_or_else(|error| panic!("killed at call {at}: {error:?}"));
        let states = test.states();
        assert_eq!(states, [MachineState::Running; 2], "killed at call {at}");
        assert_eq!(test.changes(), []);
        test.down();
        assert_eq!(test.inventory(), before, "killed at call {at}, up, down");
        if !killed {
            break;
        }
        kill_at(&test, at);
        test.down();
        assert_eq!(test.inventory(), before, "killed at call {at}, down");
        assert!(!test.lab.directory.exists());
        assert!(own.iter().all(|file| file.exists()), "killed at call {at}");
        at += SIDE_BY_SIDE;
    }
    assert!(at > 25, "{at}");
}

/// Lets another process call `up` and die at its nth call of VBoxManage; tells whether it came that far.
fn kill_at(test: &TestLab, call: usize) -> bool {
    test.forget_calls();
    let mark = test.root().join("kill-at");
    fs::write(&mark, call.to_string()).unwrap();
    let victim = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact"])
        .arg("virtualbox::kills::up_is_taken_over_wherever_it_was_killed")
        .env(VICTIM, test.root())
        .output()
        .unwrap();
    fs::remove_file(mark).unwrap();
    let is_killed = victim.status.signal() == Some(9);
    assert!(is_killed || victim.status.success(), "{victim:?}");
    is_killed
}
