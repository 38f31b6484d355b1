//! Downloads from a real HTTP server on loopback that has its moods.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use super::*;

/// What the server does with one request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Serve,
    /// Ends the connection after half of what was asked for.
    BreakOff,
    Refuse(u16),
}

struct Server {
    url: String,
    /// First byte asked for, of each request.
    starts: Arc<Mutex<Vec<usize>>>,
}

impl Server {
    fn start(content: &'static [u8], moods: Vec<Mood>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/file", listener.local_addr().unwrap());
        let starts = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&starts);
        std::thread::spawn(move || {
            for mood in moods {
                let (mut stream, _) = listener.accept().unwrap();
                let mut start = 0;
                for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                    let line = line.unwrap().to_lowercase();
                    if let Some(range) = line.strip_prefix("range: bytes=") {
                        start = range.trim_end_matches('-').parse().unwrap();
                    }
                    if line.is_empty() {
                        break;
                    }
                }
                seen.lock().unwrap().push(start);
                let rest = &content[start..];
                let (status, sent) = match mood {
                    Mood::Serve => (if start > 0 { 206 } else { 200 }, rest),
                    Mood::BreakOff => (if start > 0 { 206 } else { 200 }, &rest[..rest.len() / 2]),
                    Mood::Refuse(status) => (status, &b""[..]),
                };
                let length = if let Mood::Refuse(_) = mood {
                    0
                } else {
                    rest.len()
                };
                let head = format!(
                    "HTTP/1.1 {status} x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).unwrap();
                stream.write_all(sent).unwrap();
            }
        });
        Self { url, starts }
    }
}

const CONTENT: &[u8] = &[42; 100_000];

fn download(server: &Server, content: &[u8]) -> Download {
    Download {
        url: server.url.clone(),
        sha256: Sha256::of(content),
        path: "/opt/file".into(),
        mode: 0o755,
    }
}

fn converge(download: &Download, root: &tempfile::TempDir) -> Result<(), ResourceError> {
    let mut node = Node::at(root.path());
    let changes = download.diff(&download.probe(&node)?);
    assert!(!changes.is_empty());
    download.apply(&changes, &mut node)?;
    assert_eq!(download.diff(&download.probe(&node)?), []);
    Ok(())
}

#[test]
fn a_broken_connection_is_continued_where_it_broke() {
    let root = tempfile::tempdir().unwrap();
    let server = Server::start(
        CONTENT,
        vec![Mood::BreakOff, Mood::Refuse(503), Mood::Serve],
    );
    converge(&download(&server, CONTENT), &root).unwrap();
    assert_eq!(*server.starts.lock().unwrap(), [0, 50_000, 50_000]);
    let parts = root.path().join("var/lib/kinstall/downloads");
    assert_eq!(parts.read_dir().unwrap().count(), 0);
}

#[test]
fn wrong_content_is_refused_and_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let server = Server::start(CONTENT, vec![Mood::Serve]);
    let error = converge(&download(&server, b"other"), &root).unwrap_err();
    assert!(
        error.to_string().contains("has the wrong content"),
        "{error}"
    );
    assert!(!root.path().join("opt").exists());
    let parts = root.path().join("var/lib/kinstall/downloads");
    assert_eq!(parts.read_dir().unwrap().count(), 0);
}

#[test]
fn what_is_not_there_is_not_asked_for_again() {
    let root = tempfile::tempdir().unwrap();
    let server = Server::start(CONTENT, vec![Mood::Refuse(404)]);
    let error = converge(&download(&server, CONTENT), &root).unwrap_err();
    assert!(error.to_string().ends_with("HTTP 404"), "{error}");
    assert_eq!(server.starts.lock().unwrap().len(), 1);
}
