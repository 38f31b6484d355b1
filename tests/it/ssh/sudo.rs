//! Becoming root, and hosts that can't take the agent.

use std::fmt::Write as _;

use kinstall::model::host::Become;
use kinstall::secret::Secret;
use kinstall::ssh::{
    AgentChannel, BootstrapError, ElevationError, Exit, Session, SshError, Target,
};
use kinstall::wire::{Request, frame};

use super::agent::payload;
use crate::sshd::namespace::{self, PASSWORD};
use crate::sshd::server::Sshd;

#[tokio::test(flavor = "multi_thread")]
async fn sudo_gets_the_password_when_it_asks_and_never_otherwise() {
    let sshd = namespace::start("");
    let password = || Become::SudoWithPassword(Secret::new(PASSWORD));
    for (user, escalation) in [
        ("asked", password()),
        ("piped", password()),
        ("free", Become::Sudo),
        // A password that sudo doesn't ask for must not become part of the agent's input.
        ("free", password()),
    ] {
        let mut channel = agent(&sshd, user, escalation).await.unwrap();
        let request = Request::NoBlob {
            blob: "0".repeat(64).parse().unwrap(),
            reason: "\0\r\n\u{4}".repeat(100_000),
        };
        channel.requests.send(&request).await.unwrap();
        drop(channel.requests);
        assert!(channel.events.next().await.unwrap().is_none());
        let arrived = std::fs::read(sshd.path("request")).unwrap();
        assert!(arrived == frame::encode(&request).unwrap(), "{user}");
        let who = std::fs::read_to_string(sshd.path("who")).unwrap();
        assert_eq!(who, "0\n", "{user}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_run_as_root_in_every_way() {
    let sshd = namespace::start("");
    std::fs::write(sshd.path("home/.profile"), "echo Welcome\n").unwrap();
    let password = || Become::SudoWithPassword(Secret::new(PASSWORD));
    for (user, escalation, id) in [
        ("asked", password(), "0"),
        ("piped", password(), "0"),
        ("free", Become::Sudo, "0"),
        ("free", password(), "0"),
        ("root", Become::Sudo, "0"),
        ("root", Become::No, "0"),
        ("stranger", Become::No, "64004"),
    ] {
        let session = Session::connect(&target(&sshd, user, escalation))
            .await
            .unwrap();
        let line = "id -u; echo problem >&2; exit 3";
        let finished = session.exec_as_root(line).await.unwrap();
        assert_eq!(finished.exit, Exit::Code(3), "{user}");
        assert_eq!(finished.stdout, format!("{id}\n").as_bytes(), "{user}");
        let stderr = String::from_utf8_lossy(&finished.stderr);
        // In a terminal of sudo's own there is just one stream.
        assert!(user == "piped" || stderr == "problem\n", "{user}: {stderr}");
    }
    let session = Session::connect(&target(&sshd, "asked", Become::Sudo))
        .await
        .unwrap();
    let error = session.exec_as_root("id -u").await.err().unwrap();
    assert!(
        matches!(&error, SshError::Elevation(ElevationError::PasswordNeeded)),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_sudo_says_no_is_told_apart() {
    let sshd = namespace::start("");
    let wrong = Become::SudoWithPassword(Secret::new("wrong"));
    let error = agent(&sshd, "asked", wrong).await.err().unwrap();
    assert!(
        matches!(&error, SshError::Elevation(ElevationError::PasswordWrong)),
        "{error}"
    );
    let diagnostic = error.diagnostic("node1");
    assert_eq!(
        diagnostic.message,
        "node1: sudo on the host says that the password is wrong"
    );
    assert_eq!(diagnostic.hints, ["check `ansible_become_password`"]);

    let error = agent(&sshd, "asked", Become::Sudo).await.err().unwrap();
    assert!(
        matches!(&error, SshError::Elevation(ElevationError::PasswordNeeded)),
        "{error}"
    );

    let password = Become::SudoWithPassword(Secret::new(PASSWORD));
    let error = agent(&sshd, "stranger", password).await.err().unwrap();
    assert!(
        matches!(&error, SshError::Elevation(ElevationError::SudoRefused { detail }) if detail.contains("stranger")),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_escalation_the_agent_is_the_login_user() {
    let sshd = namespace::start("");
    let mut target = target(&sshd, "stranger", Become::No);
    target.connection.password = None;
    let session = Session::connect(&target).await.unwrap();
    // This user can write nowhere but to a home of their own.
    let home = sshd.path("home");
    std::os::unix::fs::chown(&home, Some(64_004), None).unwrap();
    let binary = payload(&sshd, "id -u > $HOME/who; cat > /dev/null");
    let mut channel = session.agent(&binary).await.unwrap();
    drop(channel.requests);
    assert!(channel.events.next().await.unwrap().is_none());
    let who = std::fs::read_to_string(home.join("who")).unwrap();
    assert_eq!(who, "64004\n");
    let stored = home.join(".cache/kinstall").join(binary.sha256.to_string());
    assert!(stored.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_and_noexec_folders_are_noticed() {
    let sshd = namespace::start("");
    let session = Session::connect(&target(&sshd, "free", Become::Sudo))
        .await
        .unwrap();
    let folder = |name: &str| sshd.path(name).display().to_string();
    let binary = |folders: &[&str], script: &str| {
        let mut binary = std::sync::Arc::into_inner(payload(&sshd, script)).unwrap();
        binary.folders = folders.iter().map(|name| folder(name)).collect();
        std::sync::Arc::new(binary)
    };

    let big = format!("exit 0\n# {}", noise(2 << 20));
    let error = session
        .agent(&binary(&["small"], &big))
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&error, SshError::Bootstrap(BootstrapError::DiskFull { .. })),
        "{error}"
    );
    assert_eq!(
        error.diagnostic("node1").message,
        "node1: the host's disk is full: gzip: stdout: No space left on device"
    );
    let listed = session
        .exec(&format!("ls {}", folder("small")), b"")
        .await
        .unwrap();
    assert_eq!(listed.stdout, b"", "the part that fitted was left behind");

    let small = binary(&["noexec", "agents"], "cat > /dev/null");
    session.agent(&small).await.unwrap();
    assert!(sshd.path("agents").join(small.sha256.to_string()).exists());

    // The last resort, a folder in root's home, can't be made either.
    std::fs::write(sshd.path("home/.cache"), "").unwrap();
    let nowhere = binary(&["noexec"], "exit 0");
    let error = session.agent(&nowhere).await.err().unwrap();
    assert!(
        matches!(&error, SshError::Bootstrap(BootstrapError::NoFolder { folders }) if folders.len() == 1),
        "{error}"
    );
}

async fn agent(sshd: &Sshd, user: &str, escalation: Become) -> Result<AgentChannel, SshError> {
    let script = format!(
        "id -u > {0}/who; cat > {0}/request",
        sshd.path("").display()
    );
    let session = Session::connect(&target(sshd, user, escalation)).await?;
    session.agent(&payload(sshd, &script)).await
}

fn target(sshd: &Sshd, user: &str, escalation: Become) -> Target {
    let mut target = sshd.target();
    target.connection.user = Some(user.to_owned());
    target.connection.escalation = escalation;
    target
}

/// Returns text that gzip can't make much smaller.
fn noise(length: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut text = String::new();
    while text.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        write!(text, "{state:016x}").unwrap();
    }
    text
}
