//! The agent's loop in this process, over pipes, on a folder as the node.

mod controller;
mod handlers;
mod made;

use std::fs;
use std::time::{Duration, Instant};

use self::controller::{Controller, batch, command, file, state_of, step};
use crate::resource::{BlobRef, Condition, Content, Guard, Resource, Sha256, Wait};
use crate::wire::{Event, Mode, Outcome, Request, StepState};

#[test]
fn check_tells_and_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut controller = Controller::connect(root.path());
    controller.start("one", Mode::Check);
    // Two batches at once: one round trip.
    let text = || Content::Text("a\n".to_owned());
    controller.send(Request::Batch(batch(
        "first",
        vec![file("a", "/etc/a", text())],
    )));
    controller.send(Request::Batch(batch(
        "second",
        vec![file("b", "/etc/b", text())],
    )));
    let first = controller.until_done("first");
    assert!(matches!(state_of(&first, "a"), StepState::WouldChange(_)));
    assert!(matches!(
        first.last(),
        Some(Event::PhaseDone {
            outcome: Outcome::Done {
                changed: 1,
                unchanged: 0
            },
            ..
        })
    ));
    controller.until_done("second");
    controller.bye().unwrap();
    assert_eq!(root.path().read_dir().unwrap().count(), 0);
}

#[test]
fn apply_makes_the_changes_once_and_keeps_a_journal() {
    let root = tempfile::tempdir().unwrap();
    let steps = || {
        vec![
            file("a", "/etc/a", Content::Text("a\n".to_owned())),
            command("c", "echo printed; touch ran", Guard::Once),
        ]
    };
    for (run, expected) in [("one", (2, 0)), ("two", (0, 2))] {
        let mut controller = Controller::connect(root.path());
        controller.start(run, Mode::Apply);
        controller.send(Request::Batch(batch("phase", steps())));
        let events = controller.until_done("phase");
        let Some(Event::PhaseDone {
            outcome: Outcome::Done { changed, unchanged },
            ..
        }) = events.last()
        else {
            panic!("{events:?}");
        };
        assert_eq!((*changed, *unchanged), expected);
        let printed = events
            .iter()
            .any(|event| matches!(event, Event::Output { line, .. } if line == "printed"));
        assert_eq!(printed, expected.0 > 0);
        controller.bye().unwrap();
    }
    assert!(root.path().join("ran").exists());
    let journal = root.path().join("var/lib/kinstall/runs/one.jsonl");
    let lines = fs::read_to_string(journal).unwrap();
    assert!(
        lines.contains("printed") && lines.contains("PhaseDone"),
        "{lines}"
    );
}

#[test]
fn the_first_failure_ends_the_batch_with_its_reason() {
    let root = tempfile::tempdir().unwrap();
    let mut controller = Controller::connect(root.path());
    controller.start("one", Mode::Apply);
    let steps = vec![
        command(
            "bad",
            "echo '[ERROR Port-6443]: Port 6443 is in use'; exit 1",
            Guard::Once,
        ),
        command("never", "touch never", Guard::Once),
    ];
    controller.send(Request::Batch(batch("phase", steps)));
    let events = controller.until_done("phase");
    let StepState::Failed(error) = state_of(&events, "bad") else {
        panic!("{events:?}");
    };
    assert!(
        error
            .message
            .ends_with("exit code 1: [ERROR Port-6443]: Port 6443 is in use"),
        "{error:?}"
    );
    assert_eq!(error.output, ["[ERROR Port-6443]: Port 6443 is in use"]);
    assert!(error.hint.unwrap().contains("kubeadm reset"));
    assert!(!root.path().join("never").exists());
    controller.bye().unwrap();
}

#[test]
fn missing_blobs_are_asked_for_once_and_cleared_away() {
    let root = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let blob = BlobRef {
        sha256: Sha256::of(&content),
        size: content.len() as u64,
    };
    let mut controller = Controller::connect(root.path());
    controller.start("one", Mode::Apply);
    let steps = vec![
        file("a", "/opt/a", Content::Blob(blob)),
        file("b", "/opt/b", Content::Blob(blob)),
    ];
    controller.send(Request::Batch(batch("phase", steps)));
    assert_eq!(controller.next_need(), blob.sha256);
    controller.send_blob(blob.sha256, &content);
    let events = controller.until_done("phase");
    let asked = events
        .iter()
        .any(|event| matches!(event, Event::NeedBlob { .. }));
    assert!(!asked, "asked for the same blob twice");
    assert_eq!(fs::read(root.path().join("opt/b")).unwrap(), content);
    assert!(!root.path().join("var/lib/kinstall/blobs").exists());
    controller.bye().unwrap();
}

#[test]
fn a_damaged_or_missing_blob_is_an_error_and_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let blob = BlobRef {
        sha256: Sha256::of(b"right"),
        size: 5,
    };
    let answers: [fn(&mut Controller, Sha256); 3] = [
        |controller, sha256| controller.send_blob(sha256, b"wrong"),
        |controller, sha256| {
            controller.send(Request::Chunk {
                blob: sha256,
                bytes: b"no zstd".to_vec(),
            });
            controller.send(Request::Chunk {
                blob: sha256,
                bytes: Vec::new(),
            });
        },
        |controller, sha256| {
            let reason = "the bundle has no such part".to_owned();
            controller.send(Request::NoBlob {
                blob: sha256,
                reason,
            });
        },
    ];
    let messages = [
        "bundle part damaged",
        "bundle part damaged",
        "the bundle has no such part",
    ];
    let mut controller = Controller::connect(root.path());
    controller.start("one", Mode::Apply);
    for (answer, message) in answers.iter().zip(messages) {
        let steps = vec![file("a", "/opt/a", Content::Blob(blob))];
        controller.send(Request::Batch(batch("phase", steps)));
        let asked = controller.next_need();
        answer(&mut controller, asked);
        let events = controller.until_done("phase");
        let StepState::Failed(error) = state_of(&events, "a") else {
            panic!("{events:?}");
        };
        assert!(error.message.starts_with(message), "{error:?}");
        let store = root.path().join("var/lib/kinstall/blobs");
        assert_eq!(store.read_dir().unwrap().count(), 0);
        assert!(!root.path().join("opt").exists());
    }
    controller.bye().unwrap();
}

#[test]
fn a_critical_step_outlives_the_connection_and_any_other_does_not() {
    for critical in [true, false] {
        let root = tempfile::tempdir().unwrap();
        let mut controller = Controller::connect(root.path());
        controller.start("one", Mode::Apply);
        let mut slow = command("slow", "touch begun; sleep 1; touch ended", Guard::Once);
        if let Resource::Command(command) = &mut slow.resource {
            command.critical = critical;
        }
        let next = command("next", "touch next", Guard::Once);
        controller.send(Request::Batch(batch("phase", vec![slow, next])));
        wait_for(&root.path().join("begun"));
        controller.hang_up();
        assert_eq!(root.path().join("ended").exists(), critical);
        assert!(!root.path().join("next").exists());
    }
}

#[test]
fn cancel_finishes_the_step_in_flight_and_begins_no_other() {
    let root = tempfile::tempdir().unwrap();
    let mut controller = Controller::connect(root.path());
    controller.start("one", Mode::Apply);
    let slow = command("slow", "touch begun; sleep 1; touch ended", Guard::Once);
    let next = command("next", "touch next", Guard::Once);
    controller.send(Request::Batch(batch("phase", vec![slow, next])));
    wait_for(&root.path().join("begun"));
    controller.send(Request::Cancel);
    let events = controller.until_done("phase");
    assert!(is_interrupted(&events), "{events:?}");
    assert!(root.path().join("ended").exists());
    assert!(!root.path().join("next").exists());
    controller.bye().unwrap();
}

#[test]
fn cancel_does_not_wait_for_what_only_waits() {
    let root = tempfile::tempdir().unwrap();
    let mut controller = Controller::connect(root.path());
    controller.start("one", Mode::Apply);
    let never = Wait {
        condition: Condition::Path("/never".into()),
        timeout: 600,
    };
    let steps = vec![step("never", Resource::Wait(never))];
    controller.send(Request::Batch(batch("phase", steps)));
    controller.send(Request::Cancel);
    let events = controller.until_done("phase");
    assert!(is_interrupted(&events), "{events:?}");
    controller.bye().unwrap();
}

fn is_interrupted(events: &[Event]) -> bool {
    matches!(
        events.last(),
        Some(Event::PhaseDone {
            outcome: Outcome::Interrupted,
            ..
        })
    )
}

#[test]
fn two_runs_take_turns() {
    let root = tempfile::tempdir().unwrap();
    let mut first = Controller::connect(root.path());
    first.start("one", Mode::Apply);
    first.send(Request::Batch(batch("phase", Vec::new())));
    first.until_done("phase");
    let mut second = Controller::connect(root.path());
    second.start("two", Mode::Apply);
    let Event::Waiting { holder, other } = second.next() else {
        panic!("the second run did not wait");
    };
    assert!(holder.starts_with("run one by tester since 20"), "{holder}");
    assert_eq!(other, None);
    first.bye().unwrap();
    second.send(Request::Batch(batch("phase", Vec::new())));
    second.until_done("phase");
    second.bye().unwrap();
}

#[test]
fn a_controller_that_is_lost_in_silence_frees_the_node() {
    let root = tempfile::tempdir().unwrap();
    let mut first = Controller::connect_with(root.path(), Duration::from_secs(2));
    first.start("one", Mode::Apply);
    let steps = vec![command("slow", "touch begun; sleep 60", Guard::Once)];
    first.send(Request::Batch(batch("phase", steps)));
    wait_for(&root.path().join("begun"));
    // As long as it says that it is there, it is waited for.
    for _ in 0..6 {
        std::thread::sleep(Duration::from_millis(500));
        first.send(Request::Alive);
    }
    let mut second = Controller::connect(root.path());
    second.start("two", Mode::Apply);
    assert!(matches!(second.next(), Event::Waiting { .. }));
    second.send(Request::Batch(batch("phase", Vec::new())));
    second.until_done("phase");
    first.wait_for_the_end().unwrap();
    second.bye().unwrap();
}

#[test]
fn a_request_that_can_not_be_read_is_no_interruption() {
    let root = tempfile::tempdir().unwrap();
    let mut controller = Controller::connect(root.path());
    controller.start("one", Mode::Apply);
    let steps = vec![command("slow", "touch begun; sleep 60", Guard::Once)];
    controller.send(Request::Batch(batch("phase", steps)));
    wait_for(&root.path().join("begun"));
    // No request has this number.
    controller.send_bytes(&[1, 0, 0, 0, 0x7f]);
    let events = controller.rest();
    assert!(!is_interrupted(&events), "{events:?}");
    let error = controller.wait_for_the_end().unwrap_err().to_string();
    assert!(
        error.starts_with("a request of the controller can't be read: "),
        "{error}"
    );
}

#[test]
fn what_is_no_frame_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let input = "Last login: today\n".as_bytes();
    let error = super::run_at(root.path(), input, std::io::sink()).unwrap_err();
    assert!(
        error.to_string().contains(": not a kinstall frame"),
        "{error}"
    );
}

#[test]
fn who_goes_away_while_waiting_for_the_lock_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let mut first = Controller::connect(root.path());
    first.start("one", Mode::Apply);
    first.send(Request::Batch(batch("phase", Vec::new())));
    first.until_done("phase");
    let mut second = Controller::connect(root.path());
    second.start("two", Mode::Apply);
    assert!(matches!(second.next(), Event::Waiting { .. }));
    second.hang_up();
    first.bye().unwrap();
}

#[test]
fn secrets_are_not_in_the_journal() {
    let root = tempfile::tempdir().unwrap();
    let mut controller = Controller::connect(root.path());
    controller.start("one", Mode::Apply);
    let secret = crate::secret::Secret::new("hunter2");
    let steps = vec![
        file("a", "/etc/secret", Content::Secret(secret)),
        command(
            "b",
            "echo --token abcdef.0123456789abcdef; exit 1",
            Guard::Once,
        ),
    ];
    controller.send(Request::Batch(batch("phase", steps)));
    let events = controller.until_done("phase");
    controller.bye().unwrap();
    let journal = root.path().join("var/lib/kinstall/runs/one.jsonl");
    let journal = fs::read_to_string(journal).unwrap();
    assert!(journal.contains("--token ***"), "{journal}");
    assert!(!journal.contains("0123456789abcdef"), "{journal}");
    assert!(!journal.contains("hunter2"));
    assert!(!format!("{events:?}").contains("hunter2"));
}

fn wait_for(path: &std::path::Path) {
    let end = Instant::now() + Duration::from_secs(20);
    while !path.exists() {
        assert!(Instant::now() < end, "{} did not appear", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}
