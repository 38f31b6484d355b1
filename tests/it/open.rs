//! `kinstall open`: pages behind a control plane, without a cluster around it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use crate::free_port::free_port;
use crate::program::Project;
use crate::sshd::namespace;
use crate::sshd::server::Sshd;

/// A lab of one host, which is this server.
fn lab(sshd: &Sshd) -> Project {
    let port = sshd.port;
    let line = format!("node1 ansible_host=127.0.0.1 ansible_port={port} ansible_user=free");
    let project = Project::of_host(&line)
        .hiding(format!(":{port}"), ":PORT")
        .without_steps();
    let key = fs::read_to_string(sshd.path("key")).unwrap();
    project.write("home/.ssh/id_ed25519", &key);
    let up = project.run(&["up"]);
    assert!(up.starts_with("exit code 0"), "{up}");
    project
}

#[test]
fn a_page_leads_through_the_control_plane_until_ctrl_c() {
    let sshd = namespace::start_node("", "192m");
    let project = lab(&sshd);
    let page = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = page.local_addr().unwrap();
    thread::spawn(move || {
        for client in page.incoming() {
            let _ = client.unwrap().write_all(b"a page");
        }
    });

    let target = address.to_string();
    let mut open = project
        .command(&["open", &target])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    let mut stdout = BufReader::new(open.stdout.take().unwrap());
    stdout.read_line(&mut url).unwrap();
    let local = url.trim_end().strip_prefix("http://").unwrap();
    let local = local.strip_suffix('/').unwrap();
    // Its own port is taken by the page itself.
    assert!(local.starts_with("127.0.0.1:") && local != target, "{url}");
    for _ in 0..2 {
        let mut text = String::new();
        let mut client = TcpStream::connect(local).unwrap();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a page");
    }
    kill_process(Pid::from_child(&open), Signal::INT).unwrap();
    assert!(open.wait().unwrap().success());
}

#[test]
fn what_can_not_be_opened_is_told_with_what_to_do() {
    let sshd = namespace::start_node("", "192m");
    let port = free_port();
    let project = lab(&sshd).hiding(format!(":{port}"), ":FREE");
    insta::assert_snapshot!(project.run(&["open", &format!("127.0.0.1:{port}")]), @r"
    exit code 4
    --- stderr
    error: nothing answers at 127.0.0.1:FREE: Failed to open channel (ConnectFailed)
     |
     = hint: `kinstall status` shows whether its pods are ready
    ");
    insta::assert_snapshot!(project.run(&["open", "metrics"]), @r"
    exit code 3
    --- stderr
    error: the add-on `victoria-metrics` is off
     |
     = hint: set `victoria_metrics_enabled: true` in the inventory and run `kinstall up`
    ");
}
