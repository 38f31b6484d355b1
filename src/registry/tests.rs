//! Logins and tokens, against a server that gives the answers that registries give.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};

use super::{Access, Reference, Registry};
use crate::secret::Secret;

/// Gives one answer after the other; returns the first lines of the requests and their logins.
fn serve(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let origin = format!("http://{address}");
    let served = thread::spawn(move || {
        let mut seen = Vec::new();
        for answer in answers {
            let (mut connection, _) = listener.accept().unwrap();
            let lines = BufReader::new(connection.try_clone().unwrap()).lines();
            let lines = lines.map(Result::unwrap).take_while(|it| !it.is_empty());
            let wanted = |it: &String| it.starts_with("GET") || it.starts_with("authorization");
            seen.push(lines.filter(wanted).collect::<Vec<_>>().join(", "));
            let answer = answer.replace("ORIGIN", &origin);
            connection.write_all(answer.as_bytes()).unwrap();
        }
        seen
    });
    (address, served)
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

fn registry(address: &str, login: Option<&str>) -> Registry {
    let reference: Reference = format!("oci://{address}/a/b:1").parse().unwrap();
    let mut registry = Registry::open(reference, &Access::default()).unwrap();
    registry.login = OnceLock::from(login.map(Secret::new));
    registry
}

#[test]
fn a_token_is_got_with_the_login_and_shown_from_then_on() {
    let wants = "401 Who\r\nWWW-Authenticate: Bearer realm=\"ORIGIN/token\",service=\"r\",scope=\"repository:a/b:pull\"";
    let (address, served) = serve(vec![
        answer(wants, ""),
        answer(
            "200 OK",
            r#"{"token": "T1", "access_token": "T1", "expires_in": 30}"#,
        ),
        answer("200 OK", "first"),
        answer("200 OK", r#"{"access_token": "T2", "expires_in": 300}"#),
        answer("200 OK", "second"),
        answer("200 OK", "third"),
    ]);
    let registry = registry(&address, Some("dTpw"));
    let read: Vec<_> = (0..3).map(|_| registry.manifest().unwrap()).collect();
    assert_eq!(read, [&b"first"[..], b"second", b"third"]);
    let token =
        "GET /token?service=r&scope=repository%3Aa%2Fb%3Apull HTTP/1.1, authorization: Basic dTpw";
    let manifest = "GET /v2/a/b/manifests/1 HTTP/1.1";
    assert_eq!(
        served.join().unwrap(),
        [
            manifest,
            token,
            &format!("{manifest}, authorization: Bearer T1"),
            // The first one has ended.
            token,
            &format!("{manifest}, authorization: Bearer T2"),
            &format!("{manifest}, authorization: Bearer T2"),
        ]
    );
}

#[test]
fn a_login_is_shown_where_it_is_wanted_and_missed_where_there_is_none() {
    let wants = answer("401 Who\r\nWWW-Authenticate: Basic realm=\"r\"", "");
    let (address, served) = serve(vec![wants.clone(), answer("200 OK", "it"), wants.clone()]);
    assert_eq!(registry(&address, Some("dTpw")).manifest().unwrap(), b"it");
    let error = registry(&address, None).manifest().unwrap_err().to_string();
    assert_eq!(error, format!("`{address}` wants a login"));
    let seen = served.join().unwrap();
    assert!(seen[1].ends_with("authorization: Basic dTpw"), "{seen:?}");
}
