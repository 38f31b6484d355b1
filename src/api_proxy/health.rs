//! `GET /healthz` of the proxy, as kubespray's has it.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::servers::Servers;

/// Longest time for a question.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers, one after the other: 200 if an API server is ready, else 503.
pub(super) fn serve(listener: TcpListener, servers: Arc<Servers>) {
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // Who doesn't wait for the answer doesn't need it.
            let _ = answer(&client, servers.any_ready());
        }
    });
}

fn answer(mut client: &TcpStream, is_ready: bool) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    for line in BufReader::new(client).lines() {
        if line?.is_empty() {
            break;
        }
    }
    let (status, body) = if is_ready {
        ("200 OK", "ok")
    } else {
        ("503 Service Unavailable", "no API server is ready")
    };
    write!(
        client,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
