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

/// A browser that keeps the key it got, and no more of one than that.
struct Browser {
    address: String,
    key: String,
}

impl Browser {
    /// Returns the whole answer.
    fn ask(&self, method: &str, path: &str) -> String {
        self.ask_as(method, path, &self.address)
    }

    fn ask_as(&self, method: &str, path: &str, host: &str) -> String {
        let mut server = TcpStream::connect(&self.address).unwrap();
        let key = &self.key;
        write!(
            server,
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        server.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// Without a cluster, each view says what it lacks; the machines are shown, and who isn't let in sees nothing.
#[test]
fn the_dashboard_lets_one_browser_in_and_only_reads() {
    let sshd = namespace::start_node("", "192m");
    let project = lab(&sshd);
    let mut open = project
        .command(&["open", "dashboard"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut url = String::new();
    let mut stdout = BufReader::new(open.stdout.take().unwrap());
    stdout.read_line(&mut url).unwrap();
    let rest = url.trim_end().strip_prefix("http://").unwrap();
    let (address, entry) = rest.split_once('/').unwrap();
    assert!(address.starts_with("127.0.0.1:"), "{url}");
    let elsewhere = address.replace("127.0.0.1", "127.0.0.2");
    assert!(TcpStream::connect(elsewhere).is_err());

    let mut browser = Browser {
        address: address.to_owned(),
        key: String::new(),
    };
    for path in ["/api/nodes", "/api/overview", "/?token=guessed"] {
        let answer = browser.ask("GET", path);
        assert!(answer.starts_with("HTTP/1.1 401"), "{path}: {answer}");
    }
    let page = browser.ask("GET", &format!("/{entry}"));
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    for header in [
        "cache-control: no-store",
        "content-security-policy: default-src 'none'; script-src 'self';",
    ] {
        assert!(page.contains(header), "{page}");
    }
    assert!(!page.contains("set-cookie"), "every port would get it");
    let key = page.split("name=\"key\" content=\"").nth(1).unwrap();
    browser.key = key.split('"').next().unwrap().to_owned();
    let again = browser.ask("GET", "/");
    assert!(again.starts_with("HTTP/1.1 200"), "{again}");
    assert!(!again.contains(&browser.key), "{again}");

    let overview = browser.ask("GET", "/api/overview");
    assert!(overview.starts_with("HTTP/1.1 200"), "{overview}");
    assert!(overview.contains(r#""name":"node1""#), "{overview}");
    assert!(
        overview.contains("the API server did not answer"),
        "{overview}"
    );
    let nodes = browser.ask("GET", "/api/nodes");
    assert!(nodes.starts_with("HTTP/1.1 502"), "{nodes}");
    assert!(nodes.contains(r#"{"error":"kubectl failed: "#), "{nodes}");
    for (answer, status) in [
        (browser.ask("POST", "/api/nodes"), "405"),
        (browser.ask("GET", "/api/secrets"), "404"),
        (
            browser.ask_as("GET", "/api/overview", "rebound.example.com"),
            "403",
        ),
    ] {
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
    }
    browser.key.clear();
    let again = browser.ask("GET", &format!("/{entry}"));
    assert!(again.starts_with("HTTP/1.1 401"), "{again}");

    kill_process(Pid::from_child(&open), Signal::INT).unwrap();
    assert!(open.wait().unwrap().success());
    assert!(TcpStream::connect(address).is_err(), "it still listens");
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
