//! Who may log in, and what is said to those who mayn't.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use kinstall::secret::Secret;
use kinstall::ssh::{KeyPair, Session, SshError, Target, UserKeys};

use crate::sshd::namespace::{self, PASSWORD};
use crate::sshd::server::{Sshd, user};

#[tokio::test(flavor = "multi_thread")]
async fn the_labs_key_and_a_given_key_file_log_in() {
    let sshd = Sshd::start();
    Session::connect(&sshd.target()).await.unwrap();

    let mut target = without_lab_key(&sshd);
    target.connection.private_key = Some(sshd.path("key"));
    Session::connect(&target).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rsa_key_signs_with_sha2() {
    let sshd = Sshd::with("PubkeyAcceptedAlgorithms rsa-sha2-512,rsa-sha2-256");
    let key = generate(&sshd, "id_rsa", &["-t", "rsa", "-b", "2048", "-N", ""]);
    std::fs::write(sshd.path("authorized_keys"), key).unwrap();
    let mut target = without_lab_key(&sshd);
    // The folder of the user's own keys holds just this one.
    target.user_keys.folder = Some(sshd.path(""));
    Session::connect(&target).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn ssh_agent_signs() {
    let sshd = Sshd::start();
    let agent = Agent::start(&sshd);
    agent.add(&KeyPair::generate("another").unwrap());
    agent.add(&sshd.key);
    let mut target = without_lab_key(&sshd);
    target.user_keys.agent = Some(sshd.path("agent"));
    Session::connect(&target).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_says_what_was_tried() {
    let sshd = Sshd::start();
    let mut target = without_lab_key(&sshd);
    target.identity = Some(KeyPair::generate("wrong").unwrap());
    let locked = generate(&sshd, "id_ecdsa", &["-t", "ecdsa", "-N", "secret"]);
    assert!(locked.starts_with("ecdsa-"));
    target.connection.private_key = Some(sshd.path("id_ecdsa"));
    target.user_keys = UserKeys {
        agent: Some(sshd.path("nobody")),
        folder: None,
    };
    target.connection.password = Some(Secret::new("swordfish"));

    let error = Session::connect(&target).await.err().unwrap();

    let SshError::Refused(refusal) = &error else {
        panic!("{error}");
    };
    let tried: Vec<String> = refusal.attempts.iter().map(ToString::to_string).collect();
    assert_eq!(tried[0], "kinstall's key for this lab");
    assert!(tried[1].starts_with("key ‘") && tried[1].ends_with("passphrase)"));
    assert!(
        tried[2].starts_with("ssh-agent (not offered: "),
        "{tried:?}"
    );
    assert_eq!(tried[3..], ["password"]);
    let text = format!("{:?}", error.diagnostic("node1"));
    assert!(text.contains(&user()) && text.contains("ssh-add"));
    assert!(!text.contains("swordfish") && !format!("{error:?}").contains("swordfish"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_logs_in_by_either_method() {
    for settings in [
        "PasswordAuthentication yes",
        "UsePAM yes\nPasswordAuthentication no\nKbdInteractiveAuthentication yes",
    ] {
        let sshd = namespace::start(settings);
        let mut target = without_lab_key(&sshd);
        target.connection.user = Some("asked".to_owned());
        target.connection.password = Some(Secret::new(PASSWORD));
        Session::connect(&target).await.unwrap();

        target.connection.password = Some(Secret::new("wrong"));
        let error = Session::connect(&target).await.err().unwrap();
        let SshError::Refused(refusal) = &error else {
            panic!("{error}");
        };
        assert_eq!(refusal.attempts.len(), 1, "{refusal}");
        assert_eq!(refusal.attempts[0].to_string(), "password");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_keys_are_not_offered() {
    let sshd = Sshd::start();
    let agent = Agent::start(&sshd);
    for number in 0..8 {
        agent.add(&KeyPair::generate(&format!("key{number}")).unwrap());
    }
    let mut target = without_lab_key(&sshd);
    target.user_keys.agent = Some(sshd.path("agent"));

    let error = Session::connect(&target).await.err().unwrap();

    let SshError::Refused(refusal) = error else {
        panic!("{error}");
    };
    let offered = refusal.attempts.iter().filter(|one| one.note.is_none());
    assert_eq!(offered.count(), 5);
    assert_eq!(refusal.attempts.len(), 8);
    // sshd hadn't hung up: one attempt was left for a password.
    assert!(
        refusal.accepted.contains(&"password".to_owned()),
        "{refusal}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_authorized_once() {
    let sshd = Sshd::start();
    let new = KeyPair::generate("kinstall lab").unwrap();
    let mut target = sshd.target();
    let session = Session::connect(&target).await.unwrap();
    let folder = sshd.path("home/.ssh");
    std::fs::create_dir(&folder).unwrap();
    // An editor left the last line open.
    std::fs::write(folder.join("authorized_keys"), "# mine").unwrap();

    assert!(session.authorize(&new.public).await.unwrap());
    assert!(!session.authorize(&new.public).await.unwrap());

    let text = std::fs::read_to_string(folder.join("authorized_keys")).unwrap();
    assert_eq!(text, format!("# mine\n{}\n", new.public));
    target.identity = Some(new);
    Session::connect(&target).await.unwrap();
}

fn without_lab_key(sshd: &Sshd) -> Target {
    Target {
        identity: None,
        ..sshd.target()
    }
}

/// Makes a key by OpenSSH's own program and returns its public line.
fn generate(sshd: &Sshd, name: &str, options: &[&str]) -> String {
    let path = sshd.path(name);
    let made = Command::new("ssh-keygen")
        .arg("-q")
        .args(options)
        .arg("-f")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    std::fs::read_to_string(path.with_extension("pub")).unwrap()
}

/// A running ssh-agent.
struct Agent<'a> {
    child: Child,
    sshd: &'a Sshd,
}

impl<'a> Agent<'a> {
    fn start(sshd: &'a Sshd) -> Self {
        let socket = sshd.path("agent");
        let child = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("install openssh-client");
        while !socket.exists() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Self { child, sshd }
    }

    fn add(&self, key: &KeyPair) {
        let mut add = Command::new("ssh-add")
            .args(["-q", "-"])
            .env("SSH_AUTH_SOCK", self.sshd.path("agent"))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = add.stdin.take().unwrap();
        stdin.write_all(key.private.expose().as_bytes()).unwrap();
        drop(stdin);
        assert!(add.wait().unwrap().success());
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
