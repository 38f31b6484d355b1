//! Whole runs: the engine, real agents behind real sshds, each with state folders of its own.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use kinstall::bundle::Bundle;
use kinstall::plan::{LeftOut, Phase, Plan};
use kinstall::resource::{self, Guard, Resource};
use kinstall::run::cancel::Level;
use kinstall::run::{Cancel, Engine, HostRun, RunError, RunEvent, RunIdentity};
use kinstall::ssh::{AgentBinary, Session};
use kinstall::wire::{Batch, Step};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{mpsc, watch};

use crate::sshd::server::Sshd;

#[tokio::test(flavor = "multi_thread")]
async fn a_host_fails_while_others_go_on_and_those_who_need_it_say_so() {
    let mut lab = Lab::start(&["one", "two", "three"]).await;
    let plan = plan(vec![
        phase(
            "prepare",
            &[],
            [("one", "true"), ("two", "exit 7"), ("three", "true")],
        ),
        phase("join", &["prepare"], [("one", "touch $FOLDER/joined")]),
        phase("alone", &[], [("three", "touch $FOLDER/alone")]),
    ]);
    assert!(!lab.engine.apply(&plan).await.unwrap());
    assert!(lab.sshds[2].path("alone").exists());
    assert!(!lab.sshds[0].path("joined").exists());
    let failures = lab.failures();
    assert_eq!(failures["two"], "stopped at two/prepare");
    assert_eq!(failures["one"], "not done, because prepare failed on two");
    assert_eq!(failures.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_lost_while_it_is_looked_at_fails_alone() {
    let mut lab = Lab::start(&["one", "two"]).await;
    let mut prepare = phase(
        "prepare",
        &[],
        [("one", "true"), ("two", "touch $FOLDER/made")],
    );
    let script = "kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); sleep 20";
    if let Resource::Command(command) = &mut prepare.batches["one"].steps[0].resource {
        command.guard = Guard::Unless(["sh", "-c", script].map(str::to_owned).to_vec());
    }
    let plan = plan(vec![
        prepare,
        phase("join", &["prepare"], [("two", "touch $FOLDER/joined")]),
    ]);
    assert!(lab.engine.check(&plan, true).await.unwrap().failed);
    let applied = tokio::time::timeout(Duration::from_mins(1), lab.engine.apply(&plan)).await;
    assert!(!applied.unwrap().unwrap());
    assert!(lab.sshds[1].path("made").exists());
    assert!(!lab.sshds[1].path("joined").exists());
    let failures = lab.failures();
    assert!(failures["one"].starts_with("lost `one`"), "{failures:?}");
    assert_eq!(failures["two"], "not done, because prepare failed on one");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_of_a_plan_is_told_and_not_done() {
    let mut lab = Lab::start(&["one"]).await;
    let left_out = LeftOut {
        phases: vec!["join".to_owned()],
        reason: "cp1 doesn't answer".to_owned(),
    };
    let plan = Plan {
        phases: vec![phase("prepare", &[], [("one", "touch $FOLDER/prepared")])],
        left_out: vec![left_out.clone()],
    };
    let checked = lab.engine.check(&plan, true).await.unwrap();
    assert_eq!(checked.planned.left_out, plan.left_out);
    assert!(!lab.engine.apply(&plan).await.unwrap());
    assert!(lab.sshds[0].path("prepared").exists());
    let mut events = std::iter::from_fn(|| lab.events.try_recv().ok());
    assert!(events.any(|it| matches!(it, RunEvent::LeftOut(told) if told == left_out)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_drops_in_the_middle_fails_its_host_only() {
    let mut lab = Lab::start(&["one", "two"]).await;
    let script = "parent=$PPID; kill -9 $(cut -d' ' -f4 /proc/$parent/stat); sleep 20";
    let plan = plan(vec![phase(
        "prepare",
        &[],
        [("one", script), ("two", "sleep 1")],
    )]);
    assert!(!lab.engine.apply(&plan).await.unwrap());
    let failures = lab.failures();
    assert!(failures["one"].starts_with("lost `one`"), "{failures:?}");
    assert_eq!(failures.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ctrl_c_while_nothing_is_waited_for_reaches_the_agent() {
    let mut lab = Lab::start(&["one"]).await;
    lab.cancel.send_replace(Level::AfterStep);
    let plan = plan(vec![phase("prepare", &[], [("one", "sleep 60")])]);
    let applied = tokio::time::timeout(Duration::from_secs(20), lab.engine.apply(&plan)).await;
    assert!(matches!(applied.unwrap(), Err(RunError::Interrupted)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_ctrl_c_ends_after_the_step_and_releases_who_waits() {
    let mut lab = Lab::start(&["one", "two"]).await;
    let work = "touch $FOLDER/begun; sleep 1; touch $FOLDER/ended";
    let plan = plan(vec![
        phase("prepare", &[], [("one", work)]),
        phase("join", &["prepare"], [("two", "touch $FOLDER/joined")]),
    ]);
    let begun = lab.sshds[0].path("begun");
    let cancel = lab.cancel.clone();
    tokio::spawn(async move {
        while !begun.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cancel.send_replace(Level::AfterStep);
    });
    let applied = lab.engine.apply(&plan).await;
    assert!(matches!(applied, Err(RunError::Interrupted)));
    assert!(lab.sshds[0].path("ended").exists());
    assert!(!lab.sshds[1].path("joined").exists());
    assert!(lab.failures().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_ctrl_c_ends_at_once() {
    let mut lab = Lab::start(&["one"]).await;
    let plan = plan(vec![phase(
        "prepare",
        &[],
        [("one", "touch $FOLDER/begun; sleep 60")],
    )]);
    let begun = lab.sshds[0].path("begun");
    let cancel = lab.cancel.clone();
    tokio::spawn(async move {
        while !begun.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cancel.send_replace(Level::AfterStep);
        cancel.send_replace(Level::Now);
    });
    let applied = tokio::time::timeout(Duration::from_secs(20), lab.engine.apply(&plan)).await;
    assert!(matches!(applied.unwrap(), Err(RunError::Interrupted)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_asks_everything_at_once_and_tells_only_what_it_is_told_to() {
    let mut lab = Lab::start(&["one"]).await;
    let plan = plan(vec![
        phase("prepare", &[], [("one", "touch $FOLDER/made")]),
        phase("join", &["prepare"], [("one", "true")]),
    ]);
    let checked = lab.engine.check(&plan, true).await.unwrap();
    assert_eq!((checked.planned.count(), checked.failed), (2, false));
    assert!(lab.events.try_recv().is_err());
    assert!(lab.engine.apply(&plan).await.unwrap());
    while lab.events.try_recv().is_ok() {}
    let checked = lab.engine.check(&plan, false).await.unwrap();
    assert_eq!((checked.planned.count(), checked.failed), (0, false));
    lab.engine.tell(&checked);
    assert!(matches!(
        lab.events.try_recv(),
        Ok(RunEvent::HostDone {
            changed: 0,
            unchanged: 2,
            ..
        })
    ));
    lab.engine.finish().await;
}

/// Hosts with agents, and what is heard of them.
pub(super) struct Lab {
    pub(super) sshds: Vec<Sshd>,
    pub(super) engine: Engine,
    events: UnboundedReceiver<RunEvent>,
    cancel: watch::Sender<Level>,
}

impl Lab {
    pub(super) async fn start(names: &[&str]) -> Self {
        let (sender, events) = mpsc::unbounded_channel();
        let (cancel, level) = watch::channel(Level::Running);
        let (mut sshds, mut hosts) = (Vec::new(), Vec::new());
        for name in names {
            let sshd = Sshd::launch("", in_own_state_folders);
            let session = Session::connect(&sshd.target()).await.unwrap();
            let channel = session.agent(&agent(&sshd)).await.unwrap();
            hosts.push(HostRun::new(
                (*name).to_owned(),
                channel,
                Arc::new(empty_bundle(&sshd.path(""))),
                sender.clone(),
                Cancel::of(level.clone()),
            ));
            sshds.push(sshd);
        }
        let identity = RunIdentity {
            run: "test".to_owned(),
            project: "lab".to_owned(),
            break_lock: false,
        };
        let engine = Engine::new(identity, hosts, sender);
        Self {
            sshds,
            engine,
            events,
            cancel,
        }
    }

    /// Returns why hosts failed, by their names.
    pub(super) fn failures(&mut self) -> IndexMap<String, String> {
        std::iter::from_fn(|| self.events.try_recv().ok())
            .filter_map(|event| match event {
                RunEvent::HostFailed { host, message } => Some((host, message)),
                _ => None,
            })
            .collect()
    }
}

/// The agent's state and lock are not this computer's.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the harness hands the command over"
)]
fn in_own_state_folders(folder: &Path, sshd: Command) -> Command {
    let script = "mount -t tmpfs tmpfs /var/lib; mount -t tmpfs tmpfs /run; mkdir -m 755 /run/sshd\n\
                  FOLDER=$1; export FOLDER; shift; exec \"$@\" -o SetEnv=FOLDER=$FOLDER";
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-e", "-c", script, "sh"])
        .arg(folder)
        .arg(sshd.get_program())
        .args(sshd.get_args());
    command
}

/// This build, which the host has already.
fn agent(sshd: &Sshd) -> Arc<AgentBinary> {
    let program = Path::new(env!("CARGO_BIN_EXE_kinstall"));
    let mut agent = AgentBinary::open(program, &sshd.path("cache")).unwrap();
    let folder = sshd.path("agents");
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink(program, folder.join(agent.sha256.to_string())).unwrap();
    agent.folders = vec![folder.display().to_string()];
    Arc::new(agent)
}

fn empty_bundle(folder: &Path) -> Bundle {
    let manifest = r#"{"format": 2, "kinstall": "0", "blobs": {}, "releases": {"1.37": {"architecture": "amd64",
            "components": {}, "programs": {}, "images": {}, "files": {}, "node_programs": []}}}"#;
    std::fs::write(folder.join("manifest.json"), manifest).unwrap();
    Bundle::open(folder).unwrap()
}

/// A plan of these phases.
pub(super) fn plan(phases: Vec<Phase>) -> Plan {
    Plan {
        phases,
        ..Plan::default()
    }
}

/// A phase of one shell command a host.
pub(super) fn phase<const COUNT: usize>(
    name: &str,
    after: &[&str],
    scripts: [(&str, &str); COUNT],
) -> Phase {
    let batch = |(host, script): (&str, &str)| {
        // Steps get nothing of the host's environment: only the agent knows the folder.
        let folder = r"FOLDER=$(tr '\0' '\n' </proc/$PPID/environ | sed -n s/^FOLDER=//p)";
        let script = format!("{folder}; {script}");
        let argv = ["sh", "-c", script.as_str()].map(str::to_owned).to_vec();
        let command = resource::Command::new(argv, Guard::Once);
        let batch = Batch {
            phase: name.to_owned(),
            steps: vec![Step {
                id: format!("{host}/{name}"),
                resource: Resource::Command(command),
                notify: Vec::new(),
                host: None,
            }],
            handlers: Vec::new(),
        };
        (host.to_owned(), batch)
    };
    Phase {
        name: name.to_owned(),
        after: after.iter().map(ToString::to_string).collect(),
        batches: scripts.into_iter().map(batch).collect(),
        over: Vec::new(),
        host: None,
    }
}
