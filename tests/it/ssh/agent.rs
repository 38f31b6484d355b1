//! Starting an agent and talking to it.
//!
//! The agent here is a small program of the test's own: what is under test is everything around it.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kinstall::ssh::{AgentBinary, AgentError, BootstrapError, ElevationError, Session, SshError};
use kinstall::wire::{Event, Facts, PROTOCOL, Request, frame};

use crate::sshd::server::Sshd;

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_is_pushed_once_and_answers() {
    let sshd = Sshd::start();
    let request = Request::NoBlob {
        blob: "0".repeat(64).parse().unwrap(),
        reason: "x".repeat(3 << 20),
    };
    let size = frame::encode(&request).unwrap().len();
    let answers = events(&[Event::Waiting {
        holder: "y".repeat(3 << 20),
        other: None,
    }]);
    std::fs::write(sshd.path("answers"), answers).unwrap();
    let folder = sshd.path("").display().to_string();
    let agent = payload(
        &sshd,
        &format!("cat {folder}/answers; head -c {size} > {folder}/request; cat > /dev/null"),
    );
    let session = Session::connect(&sshd.target()).await.unwrap();
    for pushed in [true, false] {
        let mut channel = session.agent(&agent).await.unwrap();
        assert_eq!(channel.pushed, pushed);
        assert_eq!(channel.facts.hostname, "tested");
        channel.requests.send(&request).await.unwrap();
        let event = channel.events.next().await.unwrap();
        assert!(matches!(event, Some(Event::Waiting { holder, .. }) if holder.len() == 3 << 20));
        drop(channel.requests);
        assert!(channel.events.next().await.unwrap().is_none());
        let arrived = std::fs::read(sshd.path("request")).unwrap();
        assert!(arrived == frame::encode(&request).unwrap());
    }
    let stored = sshd.path("agents").join(agent.sha256.to_string());
    let mode = std::fs::metadata(stored).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_builds_are_kept() {
    let sshd = Sshd::start();
    let session = Session::connect(&sshd.target()).await.unwrap();
    let mut newest = None;
    for build in 0..4 {
        let agent = payload(&sshd, &format!("exit {build}"));
        session.agent(&agent).await.unwrap();
        newest = Some(agent.sha256.to_string());
        // File times decide which build is the oldest.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let stored: Vec<_> = std::fs::read_dir(sshd.path("agents")).unwrap().collect();
    assert_eq!(stored.len(), 2, "{stored:?}");
    assert!(sshd.path("agents").join(newest.unwrap()).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_of_the_login_shell_does_no_harm() {
    let sshd = Sshd::start();
    std::fs::write(sshd.path("home/.bashrc"), "echo Welcome; echo oops >&2\n").unwrap();
    let session = Session::connect(&sshd.target()).await.unwrap();
    let seen = session.exec("true", b"").await.unwrap();
    assert_eq!(
        seen.stdout, b"Welcome\n",
        "this test needs bash as login shell"
    );
    let channel = session
        .agent(&payload(&sshd, "cat > /dev/null"))
        .await
        .unwrap();
    assert_eq!(channel.facts.hostname, "tested");
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_instead_of_frames_is_shown() {
    let sshd = Sshd::start();
    let session = Session::connect(&sshd.target()).await.unwrap();
    let agent = program(
        &sshd,
        "echo Segmentation fault; echo bad memory >&2; exit 1",
    );
    let error = session.agent(&agent).await.err().unwrap();
    let SshError::Agent(AgentError::Garbage { text, stderr }) = &error else {
        panic!("{error}");
    };
    assert_eq!(text, "Segmentation fault\n");
    assert_eq!(stderr, "bad memory");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_dies_leaves_its_last_words() {
    let sshd = Sshd::start();
    let session = Session::connect(&sshd.target()).await.unwrap();
    let agent = payload(&sshd, "echo out of luck >&2; exit 3");
    let mut channel = session.agent(&agent).await.unwrap();
    let error = channel.events.next().await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "the agent ended with exit code 3; it said: out of luck"
    );
    // Nobody takes requests any more; the first may have been queued before that was known.
    let deadline = Instant::now() + Duration::from_secs(10);
    while channel.requests.send(&Request::Bye).await.is_ok() {
        assert!(Instant::now() < deadline);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_protocol_is_named() {
    let sshd = Sshd::start();
    let session = Session::connect(&sshd.target()).await.unwrap();
    let hello = Event::Hello {
        protocol: PROTOCOL + 1,
        facts: Facts::default(),
    };
    std::fs::write(sshd.path("hello"), events(&[hello])).unwrap();
    let agent = program(&sshd, &format!("cat {}", sshd.path("hello").display()));
    let error = session.agent(&agent).await.err().unwrap();
    assert!(
        matches!(error, SshError::Agent(AgentError::OtherProtocol { theirs }) if theirs == PROTOCOL + 1),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_of_another_kind_is_refused_before_anything_is_sent() {
    let sshd = Sshd::start();
    let session = Session::connect(&sshd.target()).await.unwrap();
    let mut agent = Arc::into_inner(payload(&sshd, "exit 0")).unwrap();
    agent.system = "Linux riscv64".to_owned();
    let error = session.agent(&Arc::new(agent)).await.err().unwrap();
    assert!(
        matches!(&error, SshError::Bootstrap(BootstrapError::OtherSystem { ours, .. }) if ours == "Linux riscv64"),
        "{error}"
    );
    // The host notices our hanging up and cleans up.
    let deadline = Instant::now() + Duration::from_secs(10);
    while std::fs::read_dir(sshd.path("agents")).unwrap().count() > 0 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_programs_and_shells_are_named() {
    let sshd = Sshd::with("SetEnv PATH=/nowhere");
    let session = Session::connect(&sshd.target()).await.unwrap();
    let error = session
        .agent(&payload(&sshd, "exit 0"))
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&error, SshError::Elevation(ElevationError::NotStarted { said, .. }) if said.contains("sh")),
        "{error}"
    );

    let sshd = Sshd::with("ForceCommand echo This account is not available; exit 1");
    let session = Session::connect(&sshd.target()).await.unwrap();
    let error = session
        .agent(&payload(&sshd, "exit 0"))
        .await
        .err()
        .unwrap();
    let text = error.to_string();
    assert_eq!(
        text,
        "the host didn't run kinstall's command (exit code 1); it said: This account is not available"
    );

    let sshd = Sshd::start();
    let session = Session::connect(&sshd.target()).await.unwrap();
    let bin = sshd.path("home/bin");
    std::fs::create_dir(&bin).unwrap();
    for tool in ["sh", "id", "head", "gzip"] {
        let real = which(tool);
        std::os::unix::fs::symlink(real, bin.join(tool)).unwrap();
    }
    std::fs::write(sshd.path("home/.bashrc"), "PATH=$HOME/bin\n").unwrap();
    let error = session
        .agent(&payload(&sshd, "exit 0"))
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&error, SshError::Bootstrap(BootstrapError::NoTool { tool }) if tool == "sha256sum"),
        "{error}"
    );
}

/// Makes an agent that greets and then does what the shell script says.
pub fn payload(sshd: &Sshd, script: &str) -> Arc<AgentBinary> {
    let hello = Event::Hello {
        protocol: PROTOCOL,
        facts: Facts {
            hostname: "tested".to_owned(),
            ..Facts::default()
        },
    };
    std::fs::write(sshd.path("hello"), events(&[hello])).unwrap();
    program(
        sshd,
        &format!("cat {}; {script}", sshd.path("hello").display()),
    )
}

/// Makes an agent that is just a shell script; hosts keep it in the server's own folder.
fn program(sshd: &Sshd, script: &str) -> Arc<AgentBinary> {
    let file = sshd.path("program");
    let check = "[ $# = 1 ] && [ \"$1\" = agent ] || exit 64";
    std::fs::write(&file, format!("#!/bin/sh\n{check}\n{script}\n")).unwrap();
    let mut agent = AgentBinary::open(&file, &sshd.path("cache")).unwrap();
    agent.folders = vec![sshd.path("agents").display().to_string()];
    Arc::new(agent)
}

fn events(events: &[Event]) -> Vec<u8> {
    let frames = events.iter().map(|event| frame::encode(event).unwrap());
    frames.collect::<Vec<_>>().concat()
}

fn which(tool: &str) -> PathBuf {
    let folders = ["/usr/bin", "/bin", "/usr/local/bin"].map(PathBuf::from);
    let mut found = folders.into_iter().map(|folder| folder.join(tool));
    found.find(|path| path.exists()).unwrap()
}
