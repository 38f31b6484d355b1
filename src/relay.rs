//! Copies between two TCP connections.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::thread;

/// Copies both ways until both sides have ended; an end on one side is passed on to the other.
pub fn relay(client: &TcpStream, server: &TcpStream) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    thread::scope(|scope| {
        // A program with many connections must not reserve megabytes for each.
        let there = thread::Builder::new().stack_size(STACK);
        there.spawn_scoped(scope, || copy(client, server))?;
        copy(server, client);
        Ok(())
    })
}

/// Bytes of stack that a thread needs to copy.
pub const STACK: usize = 128 << 10;

fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    if io::copy(&mut from, &mut to).is_err() {
        // The other direction must not wait for a peer that is gone.
        let _ = from.shutdown(Shutdown::Both);
    }
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::thread;

    use super::relay;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (near, listener.accept().unwrap().0)
    }

    #[test]
    fn an_end_of_sending_is_passed_on_and_the_answer_still_comes() {
        let (mut user, client) = pair();
        let (server, mut service) = pair();
        let relaying = thread::spawn(move || relay(&client, &server));
        user.write_all(b"question").unwrap();
        user.shutdown(Shutdown::Write).unwrap();
        let mut heard = String::new();
        service.read_to_string(&mut heard).unwrap();
        service.write_all(b"answer").unwrap();
        drop(service);
        let mut answer = String::new();
        user.read_to_string(&mut answer).unwrap();
        assert_eq!((heard.as_str(), answer.as_str()), ("question", "answer"));
        relaying.join().unwrap().unwrap();
    }
}
