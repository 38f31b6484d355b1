//! Answers the nodes' questions for names by asking this computer's resolvers.
//!
//! It listens at this computer's address in the lab, and asks from outside of the lab: so resolvers on loopback
//! (systemd-resolved, dnsmasq) answer as well, and a computer that moves to another network takes the lab along. It
//! reads nothing of a question but its number.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::provision::namespace::Namespace;
use crate::relay::relay;

const PORT: u16 = 53;
/// How long one resolver may take; nodes ask again after five seconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// Questions that are asked at a time; what is more is not answered, and asked again.
const MOST: usize = 256;
/// Answers of RFC 1035.
const SERVER_FAILURE: u8 = 2;
const REFUSED: u8 = 5;

/// The lab's name server; it runs as long as the supervisor.
#[derive(Default)]
pub(super) struct NameServer {
    is_running: bool,
    is_open: Arc<AtomicBool>,
}

impl NameServer {
    /// Starts it where nodes have internet access; where they no longer have, it refuses.
    pub(super) fn settle(
        &mut self,
        namespace: &Namespace,
        address: IpAddr,
        is_wanted: bool,
    ) -> io::Result<()> {
        self.is_open.store(is_wanted, Ordering::Relaxed);
        if self.is_running || !is_wanted {
            return Ok(());
        }
        let (socket, listener) = namespace.on_thread(|| {
            Ok((
                UdpSocket::bind((address, PORT))?,
                TcpListener::bind((address, PORT))?,
            ))
        })?;
        let (socket, is_open) = (Arc::new(socket), Arc::clone(&self.is_open));
        thread::spawn(move || answer_datagrams(&socket, &is_open));
        let is_open = Arc::clone(&self.is_open);
        thread::spawn(move || answer_connections(&listener, &is_open));
        self.is_running = true;
        Ok(())
    }
}

fn answer_datagrams(socket: &Arc<UdpSocket>, is_open: &AtomicBool) {
    let busy = Arc::new(AtomicUsize::new(0));
    let mut buffer = vec![0; 65535];
    loop {
        // An error is that of an answer that a node didn't wait for.
        let Ok((length, client)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        let question = buffer[..length].to_vec();
        if !is_open.load(Ordering::Relaxed) {
            let _ = socket.send_to(&failure(question, REFUSED), client);
            continue;
        }
        if busy.fetch_add(1, Ordering::Relaxed) >= MOST {
            busy.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (socket, busy) = (Arc::clone(socket), Arc::clone(&busy));
        thread::spawn(move || {
            let answer = resolvers()
                .into_iter()
                .find_map(|it| ask(it, &question).ok());
            let answer = answer.unwrap_or_else(|| failure(question, SERVER_FAILURE));
            let _ = socket.send_to(&answer, client);
            busy.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

fn answer_connections(listener: &TcpListener, is_open: &AtomicBool) {
    for client in listener.incoming().flatten() {
        if is_open.load(Ordering::Relaxed) {
            thread::spawn(move || {
                let mut servers = resolvers().into_iter();
                let server = servers.find_map(|it| TcpStream::connect_timeout(&it, PATIENCE).ok());
                server.map(|server| relay(&client, &server))
            });
        }
    }
}

fn ask(resolver: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let any: IpAddr = match resolver {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(resolver)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.send(question)?;
    let mut buffer = vec![0; 65535];
    loop {
        let length = socket.recv(&mut buffer)?;
        if length >= 2 && buffer.get(..2) == question.get(..2) {
            buffer.truncate(length);
            return Ok(buffer);
        }
    }
}

/// Turns a question into the answer that there is none.
fn failure(mut question: Vec<u8>, code: u8) -> Vec<u8> {
    if let Some([flags, more]) = question.get_mut(2..4) {
        *flags |= 0x80;
        *more = (*more & 0xf0) | code;
    }
    question
}

/// This computer's resolvers, as they are now.
fn resolvers() -> Vec<SocketAddr> {
    read(&fs::read_to_string("/etc/resolv.conf").unwrap_or_default())
}

fn read(text: &str) -> Vec<SocketAddr> {
    let words = text.lines().map(|line| line.split_whitespace());
    let addresses = words.filter_map(|mut words| {
        (words.next() == Some("nameserver")).then_some(())?;
        words.next()?.parse::<IpAddr>().ok()
    });
    let mut resolvers: Vec<_> = addresses.map(|it| SocketAddr::new(it, PORT)).collect();
    if resolvers.is_empty() {
        // As resolv.conf(5) has it.
        resolvers.push((Ipv4Addr::LOCALHOST, PORT).into());
    }
    resolvers
}

#[cfg(test)]
mod tests {
    use super::{REFUSED, failure, read};

    #[test]
    fn resolvers_are_those_of_resolv_conf() {
        let shown = |text| {
            let servers = read(text).into_iter();
            servers
                .map(|it| it.to_string())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            shown(
                "# nameserver 192.0.2.9\nsearch example.com\nnameserver 127.0.0.53\nnameserver\t2001:db8::1 # x\n"
            ),
            "127.0.0.53:53 [2001:db8::1]:53"
        );
        assert_eq!(shown("nameserver fe80::1%eth0\n"), "127.0.0.1:53");
    }

    #[test]
    fn a_failure_answers_the_question_that_was_asked() {
        let question = vec![0xab, 0xcd, 0x01, 0x20, 0, 1];
        assert_eq!(failure(question, REFUSED), [0xab, 0xcd, 0x81, 0x25, 0, 1]);
        assert_eq!(failure(vec![1, 2], REFUSED), [1, 2]);
    }
}
