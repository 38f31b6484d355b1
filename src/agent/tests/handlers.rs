//! Handlers: run once, announced by check, and owed until they are done.

use std::fs;

use super::controller::{Controller, batch, command, file, state_of, step};
use super::wait_for;
use crate::resource::{Content, Guard, Sha256};
use crate::wire::{Handler, Mode, Request, StepState};

/// A step that notifies `restart`, which appends to a log.
fn notifying(id: &str, text: &str) -> crate::wire::Step {
    let mut step = file(id, "/etc/config", Content::Text(text.to_owned()));
    step.notify.push("restart".to_owned());
    step
}

fn restart() -> Handler {
    Handler {
        id: "restart".into(),
        resource: command("", "echo restarted >> log", Guard::Always).resource,
    }
}

#[test]
fn a_handler_runs_once_at_the_end_and_only_when_notified() {
    let root = tempfile::tempdir().unwrap();
    let log = || fs::read_to_string(root.path().join("log")).unwrap_or_default();
    for expected in ["restarted\n", "restarted\n"] {
        let mut controller = Controller::connect(root.path());
        controller.start("one", Mode::Apply);
        let mut second = notifying("second", "x");
        second.resource = file("", "/etc/other", Content::Text("x".into())).resource;
        let mut batch = batch("phase", vec![notifying("first", "x"), second]);
        batch.handlers.push(restart());
        controller.send(Request::Batch(batch));
        controller.until_done("phase");
        controller.bye().unwrap();
        assert_eq!(log(), expected);
    }
}

#[test]
fn a_lost_connection_cannot_lose_a_handler() {
    let root = tempfile::tempdir().unwrap();
    let with_handler = |steps| {
        let mut batch = batch("phase", steps);
        batch.handlers.push(restart());
        batch
    };
    let mut controller = Controller::connect(root.path());
    controller.start("one", Mode::Apply);
    let slow = step(
        "slow",
        command("", "touch begun; sleep 60", Guard::Once).resource,
    );
    controller.send(Request::Batch(with_handler(vec![
        notifying("a", "x"),
        slow,
    ])));
    wait_for(&root.path().join("begun"));
    controller.hang_up();
    assert!(!root.path().join("log").exists());

    // Nothing changes any more, and still the restart is owed: the greeting says so, check shows it.
    let mut controller = Controller::connect(root.path());
    assert_eq!(controller.facts().pending_handlers, ["restart"]);
    controller.start("two", Mode::Check);
    controller.send(Request::Batch(with_handler(vec![notifying("a", "x")])));
    let events = controller.until_done("phase");
    assert!(matches!(
        state_of(&events, "restart"),
        StepState::WouldChange(_)
    ));
    controller.start("two", Mode::Apply);
    controller.send(Request::Batch(with_handler(vec![notifying("a", "x")])));
    let events = controller.until_done("phase");
    assert_eq!(state_of(&events, "a"), StepState::Unchanged);
    assert!(matches!(
        state_of(&events, "restart"),
        StepState::Changed { .. }
    ));
    controller.bye().unwrap();
    let controller = Controller::connect(root.path());
    assert!(controller.facts().pending_handlers.is_empty());
}

#[test]
fn a_handler_that_another_version_wrote_down_is_run_all_the_same() {
    let root = tempfile::tempdir().unwrap();
    let pending = root.path().join("var/lib/kinstall/pending");
    fs::create_dir_all(&pending).unwrap();
    let file = pending.join(Sha256::of(b"restart").to_string());
    fs::write(&file, r#"{"stage": "phase", "handler": "restart"}"#).unwrap();
    let mut controller = Controller::connect(root.path());
    controller.start("one", Mode::Apply);
    let mut batch = batch("phase", Vec::new());
    batch.handlers.push(restart());
    controller.send(Request::Batch(batch));
    controller.until_done("phase");
    controller.bye().unwrap();
    assert_eq!(
        fs::read_to_string(root.path().join("log")).unwrap(),
        "restarted\n"
    );
    assert!(!file.exists());
}

#[test]
fn check_announces_a_handler_whose_guard_the_change_will_break() {
    let root = tempfile::tempdir().unwrap();
    let with_text = |text: &str| {
        let mut batch = batch("phase", vec![notifying("first", text)]);
        let newer = "test made -nt etc/config";
        let guard = ["sh", "-c", newer].map(str::to_owned).to_vec();
        let mut restart = restart();
        restart.resource = command("", "touch made", Guard::Unless(guard)).resource;
        batch.handlers.push(restart);
        batch
    };
    let mut controller = Controller::connect(root.path());
    for text in ["x", "y"] {
        controller.start("one", Mode::Check);
        controller.send(Request::Batch(with_text(text)));
        let events = controller.until_done("phase");
        let StepState::WouldChange(changes) = state_of(&events, "restart") else {
            panic!("{events:?}");
        };
        assert!(
            changes[0]
                .to
                .as_ref()
                .unwrap()
                .starts_with("unless by then")
        );
        controller.start("one", Mode::Apply);
        controller.send(Request::Batch(with_text(text)));
        let events = controller.until_done("phase");
        assert!(matches!(
            state_of(&events, "restart"),
            StepState::Changed { .. }
        ));
    }
    controller.bye().unwrap();
}
