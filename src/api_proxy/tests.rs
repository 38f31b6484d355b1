//! The proxy before real TLS servers.

mod server;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{fs, thread};

use self::server::{Authority, Server};
use super::Settings;

/// A proxy that runs until the test ends.
struct Proxy {
    address: SocketAddr,
    health: SocketAddr,
    settings: Settings,
    authority: Authority,
    _folder: tempfile::TempDir,
}

impl Proxy {
    fn before(authority: Authority, servers: &[SocketAddr]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| -> PathBuf { folder.path().join(name) };
        let settings = Settings {
            port: 0,
            health_port: None,
            servers: path("servers"),
            authority: path("ca.crt"),
        };
        fs::write(&settings.authority, authority.certificate()).unwrap();
        let clients = TcpListener::bind("127.0.0.1:0").unwrap();
        let health = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            address: clients.local_addr().unwrap(),
            health: health.local_addr().unwrap(),
            settings: settings.clone(),
            authority,
            _folder: folder,
        };
        proxy.lead_to(servers);
        thread::spawn(move || super::serve(&clients, Some(health), &settings));
        proxy
    }

    fn lead_to(&self, servers: &[SocketAddr]) {
        let lines: Vec<String> = servers.iter().map(ToString::to_string).collect();
        fs::write(&self.settings.servers, lines.join("\n")).unwrap();
    }

    /// Returns the name of the server that a new connection reaches.
    fn reached(&self) -> Option<String> {
        self.authority.get(self.address, "/name")
    }

    fn eventually(&self, name: &str) {
        eventually(&format!("new connections reach {name}"), || {
            (0..6).all(|_| self.reached().as_deref() == Some(name))
        });
    }
}

#[track_caller]
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    while !condition() {
        assert!(Instant::now() < end, "never: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Reads until the connection ends.
fn wait_for_end(stream: &mut TcpStream) {
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    match stream.read(&mut [0; 16]) {
        Ok(0) => {}
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
        other => panic!("the connection goes on: {other:?}"),
    }
}

#[test]
fn connections_go_to_the_server_that_is_ready() {
    let authority = Authority::new();
    let (a, b) = (
        Server::start("a", &authority),
        Server::start("b", &authority),
    );
    let proxy = Proxy::before(authority, &[a.address, b.address]);
    a.answer_readiness_with(500);
    proxy.eventually("b");
    a.answer_readiness_with(200);
    b.answer_readiness_with(500);
    proxy.eventually("a");
    // None is ready, but they answer: better than nothing.
    a.answer_readiness_with(500);
    eventually("the health port says so", || {
        let mut health = TcpStream::connect(proxy.health).unwrap();
        health.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = String::new();
        health.read_to_string(&mut answer).unwrap();
        answer.starts_with("HTTP/1.1 503")
    });
    assert!(proxy.reached().is_some());
}

#[test]
fn a_server_that_turns_anonymous_requests_away_is_alive() {
    let authority = Authority::new();
    let (a, b) = (
        Server::start("a", &authority),
        Server::start("b", &authority),
    );
    let proxy = Proxy::before(authority, &[a.address, b.address]);
    a.answer_readiness_with(500);
    b.answer_readiness_with(401);
    proxy.eventually("b");
}

#[test]
fn a_server_that_has_not_read_yet_who_may_do_what_is_not_ready() {
    let authority = Authority::new();
    let (a, b) = (
        Server::start("a", &authority),
        Server::start("b", &authority),
    );
    let proxy = Proxy::before(authority, &[a.address, b.address]);
    a.answer_readiness_with(403);
    b.answer_readiness_with(200);
    proxy.eventually("b");
    b.answer_readiness_with(403);
    a.answer_readiness_with(200);
    proxy.eventually("a");
}

#[test]
fn a_server_with_a_foreign_certificate_is_the_last_choice() {
    let authority = Authority::new();
    let impostor = Server::start("impostor", &Authority::new());
    let server = Server::start("a", &authority);
    let proxy = Proxy::before(authority, &[impostor.address, server.address]);
    proxy.eventually("a");
}

#[test]
fn a_connection_that_one_server_refuses_reaches_the_next_at_once() {
    let authority = Authority::new();
    let a = Server::start("a", &authority);
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let refusing = free.local_addr().unwrap();
    drop(free);
    let proxy = Proxy::before(authority, &[refusing, a.address]);
    eventually("the list is read", || proxy.reached().is_some());
    assert!((0..20).all(|_| proxy.reached().as_deref() == Some("a")));
}

#[test]
fn a_changed_list_takes_effect_and_ends_connections_to_what_left() {
    let authority = Authority::new();
    let (a, b) = (
        Server::start("a", &authority),
        Server::start("b", &authority),
    );
    let proxy = Proxy::before(authority, &[a.address]);
    proxy.eventually("a");
    let mut open = TcpStream::connect(proxy.address).unwrap();
    // What can't be read is passed over.
    fs::write(
        &proxy.settings.servers,
        format!("# b\nnonsense\n{}\n", b.address),
    )
    .unwrap();
    proxy.eventually("b");
    wait_for_end(&mut open);
}

#[test]
fn connections_to_a_server_that_is_gone_are_cut_off() {
    // It accepted once, and then it neither answers nor accepts, as a machine without power.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::before(Authority::new(), &[listener.local_addr().unwrap()]);
    let accepting = thread::spawn(move || {
        let mut kept = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().unwrap();
            let mut first = [0; 5];
            stream
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
            let is_client = stream.read_exact(&mut first).is_ok() && &first == b"hello";
            kept.push(stream);
            if is_client {
                return kept;
            }
        }
    });
    // The proxy may have found the server gone, and cut the connection, before the greeting got through.
    let mut open = TcpStream::connect(proxy.address).unwrap();
    while !accepting.is_finished() {
        if open.write_all(b"hello").is_err() {
            open = TcpStream::connect(proxy.address).unwrap();
        }
        thread::sleep(Duration::from_millis(200));
    }
    let kept = accepting.join().unwrap();
    wait_for_end(&mut open);
    drop(kept);
}
