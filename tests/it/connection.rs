//! Hosts that can't be reached, aren't who they were, or don't let us in: what the program says.

use std::fs;
use std::net::TcpListener;
use std::process::Stdio;

use kinstall::ssh::KeyPair;
use kinstall::ssh::keys::fingerprint;
use rustix::process::{Pid, Signal, kill_process};

use crate::free_port::free_port;
use crate::program::Project;
use crate::sshd::namespace::{self, PASSWORD};
use crate::sshd::server::Sshd;

/// A project of one host, which is this server.
fn project(sshd: &Sshd, variables: &str) -> Project {
    let port = sshd.port;
    let line =
        format!("node1 ansible_host=127.0.0.1 ansible_port={port} ip=192.168.56.21 {variables}");
    Project::of_host(&line)
        .hiding(sshd.path("").display().to_string(), "SSHD/")
        .hiding(format!(":{port}"), ":PORT")
        .hiding(fingerprint(&sshd.host_key.public).unwrap(), "FINGERPRINT")
}

fn with_key(sshd: &Sshd, variables: &str) -> Project {
    let key = sshd.path("key").display().to_string();
    project(
        sshd,
        &format!("ansible_ssh_private_key_file={key} {variables}"),
    )
}

#[test]
fn nobody_answers_and_nothing_says_who_makes_machines() {
    let port = free_port();
    let line = format!("node1 ansible_host=127.0.0.1 ansible_port={port} ip=192.168.56.21");
    let project = Project::of_host(&line).hiding(format!(":{port}"), ":PORT");
    let text = project.run(&["up"]);
    // Which machines a computer can run differs from computer to computer.
    let (text, hints) = text
        .split_once(" = hint: to have kinstall")
        .unwrap_or_else(|| text.split_once(" = hint: this computer can't").unwrap());
    assert!(hints.contains("look at ansible_host"), "{hints}");
    insta::assert_snapshot!(text);
    assert!(!project.path(".kinstall/lab.json").exists());
    // So the user can still choose.
    insta::assert_snapshot!(
        "nobody_answers_existing",
        project.run(&["up", "--provider", "existing"])
    );
    assert!(!project.path(".kinstall/lab.json").exists());
}

#[test]
fn unreachable_hosts() {
    let port = free_port();
    let inventory = format!(
        "[all]\n\
         node1 ansible_host=127.0.0.1 ansible_port={port} ip=192.168.56.21\n\
         node2 ansible_host=node2.invalid ip=192.168.56.22\n\
         [all:vars]\nkinstall_provider=existing\n\
         [kube_control_plane]\nnode1\n[etcd]\nnode1\n[kube_node]\nnode1\nnode2\n"
    );
    let project = Project::with_inventory(&inventory).hiding(format!(":{port}"), ":PORT");
    let runs = [
        project.run(&["plan"]),
        project.run(&["ssh", "node1", "--", "true"]),
        project.run(&["status"]),
    ];
    insta::assert_snapshot!(runs.join("\n\n"));
}

#[test]
fn changed_host_key() {
    let sshd = Sshd::start();
    let project = with_key(&sshd, "");
    let other = KeyPair::generate("other").unwrap();
    project.write(
        ".kinstall/ssh/known_hosts",
        &format!("[127.0.0.1]:{} {}\n", sshd.port, other.public),
    );
    let project = project.hiding(fingerprint(&other.public).unwrap(), "OTHER-FINGERPRINT");
    let runs = [
        project.run(&["up"]),
        project.run(&["ssh", "node1", "--", "true"]),
    ];
    insta::assert_snapshot!(runs.join("\n\n"));
}

#[test]
fn refused_login() {
    let sshd = namespace::start("PasswordAuthentication yes");
    let project = project(&sshd, "ansible_user=free ansible_password=swordfish");
    let text = project.run(&["plan"]);
    assert!(!text.contains("swordfish"), "{text}");
    let again = project.run(&["ssh", "node1", "--", "true"]);
    // The fingerprint is shown by whoever sees it first, even if the login fails.
    insta::assert_snapshot!([text, again].join("\n\n"));
}

#[test]
fn each_way_sudo_says_no() {
    let sshd = namespace::start_node("", "192m");
    let run = |variables: &str, command: &[&str]| {
        let text = with_key(&sshd, variables).run(command);
        assert!(!text.contains("swordfish"), "{text}");
        text
    };
    let (wrong, none) = (
        "ansible_user=asked ansible_become_password=swordfish",
        "ansible_user=asked",
    );
    let stranger = format!("ansible_user=stranger ansible_become_password=\"{PASSWORD}\"");
    let runs = [
        run(wrong, &["plan"]),
        run(wrong, &["status"]),
        run(none, &["plan"]),
        run(none, &["status"]),
        run(&stranger, &["plan"]),
    ];
    insta::assert_snapshot!(runs.join("\n\n"));
}

#[test]
fn full_disk_on_a_node() {
    let sshd = namespace::start_node("", "256k");
    let project = with_key(&sshd, "ansible_user=free");
    insta::assert_snapshot!(project.run(&["up"]));
    assert!(!fs::exists(sshd.path("home/.ssh")).unwrap());
}

#[test]
fn unreachable_jump_host() {
    let sshd = Sshd::start();
    let port = free_port();
    let jump = format!("ansible_ssh_common_args='-o ProxyJump=jumper@127.0.0.1:{port}'");
    let project = with_key(&sshd, &jump).hiding(format!(":{port}"), ":JUMP-PORT");
    insta::assert_snapshot!(project.run(&["plan"]));
}

#[test]
fn ctrl_c_ends_the_wait_for_a_silent_host() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let line = format!("node1 ansible_host=127.0.0.1 ansible_port={port} ip=192.168.56.21");
    let project = Project::of_host(&line).hiding(format!(":{port}"), ":PORT");
    let mut command = project.command(&["up", "--provider", "existing"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let _connection = silent.accept().unwrap();
    let process = Pid::from_child(&child);
    kill_process(process, Signal::INT).unwrap();
    insta::assert_snapshot!(project.text(&child.wait_with_output().unwrap()));
    assert!(!project.path(".kinstall/lab.json").exists());
}
