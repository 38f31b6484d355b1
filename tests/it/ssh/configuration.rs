//! The user's SSH configuration: aliases, and the ways behind them, lead where they lead ssh.

use std::fs;

use kinstall::model::JumpHost;
use kinstall::ssh::{Exit, Session, SshConfiguration, SshError, Target};

use crate::free_port::free_port;
use crate::sshd::server::{Sshd, user};

/// A target of which the inventory says a name, and the configuration all else.
fn named(name: &str, node: &Sshd, hops: &[&Sshd], configuration: &str) -> Target {
    let mut target = node.target();
    for hop in hops {
        let known = &target.known_hosts;
        known
            .learn("127.0.0.1", hop.port, &hop.host_key.public)
            .unwrap();
    }
    let file = node.path("config");
    fs::write(&file, configuration).unwrap();
    target.identity = None;
    name.clone_into(&mut target.connection.host);
    target.connection.port = None;
    target.connection.user = None;
    target.configuration = Some(SshConfiguration::File(file));
    target
}

/// A section of the configuration that leads to a server, with its key.
fn section(pattern: &str, sshd: &Sshd, more: &str) -> String {
    let (port, user, key) = (sshd.port, user(), sshd.path("key"));
    format!(
        "Host {pattern}\n  HostName 127.0.0.1\n  Port {port}\n  User {user}\n  IdentityFile {}\n{more}\n",
        key.display()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_leads_through_the_hosts_that_it_names() {
    let (outer, gate, node) = (Sshd::start(), Sshd::start(), Sshd::start());
    let configuration = [
        section("n*", &node, "  ProxyJump gate"),
        section("gate", &gate, "  ProxyCommand ssh -q -W %h:%p outer"),
        section("outer", &outer, ""),
    ];
    let target = named("n1", &node, &[&outer, &gate], &configuration.concat());
    let session = Session::connect(&target).await.unwrap();
    assert!(session.exec("exit 7", b"").await.unwrap().exit == Exit::Code(7));
    for sshd in [&outer, &gate, &node] {
        assert_eq!(sshd.log().matches("Accepted publickey").count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_inventory_says_wins() {
    let (gate, node) = (Sshd::start(), Sshd::start());
    let elsewhere = format!(
        "Host node\n  HostName 127.0.0.1\n  Port {}\n  User nobody\n  IdentityFile /none\n  ProxyCommand cloud tunnel %h\n",
        free_port()
    );
    // A jump host of the inventory may be an alias as well.
    let configuration = elsewhere + &section("gate", &gate, "");
    let mut target = named("node", &node, &[&gate], &configuration);
    target.connection.port = Some(node.port);
    target.connection.user = Some(user());
    target.connection.private_key = Some(node.path("key"));
    target.connection.jump = Some(vec![JumpHost {
        user: None,
        host: "gate".to_owned(),
        port: None,
        private_key: None,
        password: None,
    }]);
    Session::connect(&target).await.unwrap();
    for sshd in [&gate, &node] {
        assert_eq!(sshd.log().matches("Accepted publickey").count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_jump_host_in_the_inventory_is_a_word_as_well() {
    let node = Sshd::start();
    let nowhere = format!("  ProxyJump 127.0.0.1:{}", free_port());
    let mut target = named("node", &node, &[], &section("node", &node, &nowhere));
    target.connection.jump = Some(Vec::new());
    Session::connect(&target).await.unwrap();
    target.connection.jump = None;
    assert!(Session::connect(&target).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_cannot_be_followed_is_an_error() {
    let node = Sshd::start();
    for (text, expected) in [
        ("Host n1\n  Prot 22\n", "Bad configuration option: prot"),
        (
            "Host n1\n  ProxyCommand cloud tunnel %h\n",
            "the ProxyCommand `cloud tunnel %h` is not of the form",
        ),
        (
            "Host a\n  ProxyJump b\nHost b\n  ProxyJump a\nHost n1\n  ProxyJump a\n",
            "has no beginning",
        ),
    ] {
        let target = named("n1", &node, &[], text);
        let error = Session::connect(&target).await.err().unwrap();
        assert!(matches!(error, SshError::Configuration { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        let hints = error.diagnostic("n1").hints.join("\n");
        assert!(hints.contains("-F /dev/null"), "{hints}");
    }
}
