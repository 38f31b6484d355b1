//! The agent's greeting lists what kinstall made on the node and is still there.

use super::controller::{Controller, batch, file, step};
use crate::resource::{Content, Made, NoLongerWanted, Resource, Thing};
use crate::wire::{Mode, Request, Step};

fn run(root: &std::path::Path, mode: Mode, steps: Vec<Step>) -> Vec<Made> {
    let mut controller = Controller::connect(root);
    let listed = controller.facts().made.clone();
    controller.start("run", mode);
    controller.send(Request::Batch(batch("phase", steps)));
    controller.until_done("phase");
    controller.bye().unwrap();
    listed
}

#[test]
fn what_a_run_made_is_in_the_next_greeting_until_a_run_removes_it() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let text = || Content::Text("a\n".to_owned());
    let steps = || {
        vec![
            file("found", "/etc/found", text()),
            file("made", "/etc/made", text()),
        ]
    };
    std::fs::create_dir(root.join("etc")).unwrap();
    std::fs::write(root.join("etc/found"), "b\n").unwrap();
    let made = |is_changed| Made {
        thing: Thing::File("/etc/made".to_owned()),
        is_changed,
    };
    let removal = || {
        let thing = made(false).thing;
        let inside = Vec::new();
        let resource = Resource::NoLongerWanted(NoLongerWanted { thing, inside });
        vec![step("gone", resource)]
    };

    assert_eq!(run(root, Mode::Check, steps()), []);
    assert_eq!(run(root, Mode::Apply, steps()), []);
    assert_eq!(run(root, Mode::Check, removal()), [made(false)]);
    std::fs::write(root.join("etc/made"), "by hand\n").unwrap();
    assert_eq!(run(root, Mode::Apply, removal()), [made(true)]);
    // The step brings its content back, and so it is kinstall's again.
    assert_eq!(run(root, Mode::Apply, steps()), [made(true)]);
    assert_eq!(run(root, Mode::Apply, removal()), [made(false)]);
    assert_eq!(run(root, Mode::Check, steps()), []);
    assert!(!root.join("etc/made").exists() && root.join("etc/found").exists());
}
