//! TCP ports on loopback that lead into the lab.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// Passes every connection on to what `dial` opens; returns only when the listener fails.
pub fn serve(
    listener: &TcpListener,
    dial: impl Fn() -> io::Result<TcpStream> + Clone + Send + 'static,
) -> io::Error {
    loop {
        let client = match listener.accept() {
            Ok((client, _)) => client,
            // The client was gone before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => return error,
        };
        let dial = dial.clone();
        // A connection that can't be passed on is closed: that is what its client has to see.
        thread::spawn(move || dial().and_then(|server| relay(&client, &server)));
    }
}

/// Copies both ways until both sides have ended; an end on one side is passed on to the other.
fn relay(client: &TcpStream, server: &TcpStream) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    thread::scope(|scope| {
        scope.spawn(|| copy(client, server));
        copy(server, client);
    });
    Ok(())
}

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
