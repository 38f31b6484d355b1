//! A small HTTP server on loopback whose connections end as a test wants.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server does with one connection.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Sends what was asked for: with a range, that range.
    Whole(Vec<u8>),
    /// As `Whole`, but ends the connection after so many bytes.
    Cut(Vec<u8>, usize),
    /// As `Cut`, but keeps the connection open and silent.
    Silent(Vec<u8>, usize),
    /// Sends all of it, whatever range was asked for.
    WithoutRanges(Vec<u8>),
    Status(u16),
}

/// A server that gives one answer after the other; the last one again and again.
pub struct Server {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for (number, connection) in listener.incoming().enumerate() {
                let answer = answers[number.min(answers.len() - 1)].clone();
                let seen = Arc::clone(&seen);
                std::thread::spawn(move || serve(connection.unwrap(), answer, &seen));
            }
        });
        Self { url, requests }
    }

    /// Returns what was asked for so far: path, and range if any.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut connection: TcpStream, answer: Answer, seen: &Mutex<Vec<String>>) {
    let mut request = BufReader::new(connection.try_clone().unwrap()).lines();
    let first = request.next().unwrap().unwrap();
    let path = first.split(' ').nth(1).unwrap().to_owned();
    let headers: Vec<String> = request
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .collect();
    let range = headers.iter().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("range").then(|| value.to_owned())
    });
    let note = [Some(path), range.clone()].into_iter().flatten();
    seen.lock()
        .unwrap()
        .push(note.collect::<Vec<_>>().join(" "));
    let start = range.map_or(0, |range| {
        let start = range
            .strip_prefix("bytes=")
            .unwrap()
            .strip_suffix('-')
            .unwrap();
        start.parse::<usize>().unwrap()
    });
    let (content, end, silent) = match answer {
        Answer::Status(status) => {
            write!(
                connection,
                "HTTP/1.1 {status} Because\r\nContent-Length: 0\r\n\r\n"
            )
            .unwrap();
            return;
        }
        Answer::WithoutRanges(content) => {
            return send(&mut connection, &content, 0, 0, content.len());
        }
        Answer::Whole(content) => (content.clone(), content.len(), false),
        Answer::Cut(content, end) => (content, end, false),
        Answer::Silent(content, end) => (content, end, true),
    };
    if start >= content.len() {
        write!(
            connection,
            "HTTP/1.1 416 Too Far\r\nContent-Length: 0\r\n\r\n"
        )
        .unwrap();
        return;
    }
    send(&mut connection, &content, start, start, end.max(start));
    if silent {
        std::thread::sleep(Duration::from_secs(5));
    }
}

fn send(connection: &mut TcpStream, content: &[u8], range: usize, start: usize, end: usize) {
    let total = content.len();
    let status = match range {
        0 => "200 OK".to_owned(),
        _ => format!(
            "206 Part\r\nContent-Range: bytes {range}-{}/{total}",
            total - 1
        ),
    };
    let length = total - start;
    // The client may have gone: that is its business.
    let _ = write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let _ = connection.write_all(&content[start..end]);
}
