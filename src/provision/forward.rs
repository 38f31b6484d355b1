//! TCP ports on loopback that lead into the lab.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::Forward;
use crate::relay::relay;

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

/// Where a forward leads: to the first of its addresses that answers, the one that answered last before
/// the others.
#[derive(Debug)]
pub struct Targets(Mutex<Vec<SocketAddr>>);

impl Targets {
    /// Begins with the forward's own target.
    pub fn of(forward: &Forward) -> Self {
        let mut targets = vec![forward.target];
        targets.extend(&forward.alternatives);
        Self(Mutex::new(targets))
    }

    /// Leads to other addresses from now on.
    pub fn set(&self, forward: &Forward) {
        let Self(new) = Self::of(forward);
        let new = new.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut targets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = targets.first().copied();
        *targets = new;
        // What answers keeps its place.
        targets.sort_by_key(|target| Some(*target) != answered);
    }

    /// Connects to the first address that answers.
    pub fn dial(
        &self,
        connect: impl Fn(SocketAddr) -> io::Result<TcpStream>,
    ) -> io::Result<TcpStream> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let targets = lock().clone();
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for target in targets {
            match connect(target) {
                Ok(stream) => {
                    lock().sort_by_key(|other| *other != target);
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io;
    use std::net::{SocketAddr, TcpListener, TcpStream};

    use super::{Forward, Targets};

    fn forward(target: u16, alternatives: &[u16]) -> Forward {
        let address = |port: u16| SocketAddr::from(([192, 0, 2, 1], port));
        Forward {
            listen: address(1),
            target: address(target),
            alternatives: alternatives.iter().copied().map(address).collect(),
        }
    }

    #[test]
    fn what_answered_last_is_tried_first() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let tried = RefCell::new(Vec::new());
        let dial = |targets: &Targets, alive: u16| {
            let found = targets.dial(|target| {
                tried.borrow_mut().push(target.port());
                if target.port() == alive {
                    return TcpStream::connect(listener.local_addr()?);
                }
                Err(io::ErrorKind::ConnectionRefused.into())
            });
            (found.is_ok(), tried.take())
        };
        let targets = Targets::of(&forward(11, &[12, 13]));
        assert_eq!(dial(&targets, 12), (true, vec![11, 12]));
        assert_eq!(dial(&targets, 12), (true, vec![12]));
        assert_eq!(dial(&targets, 0), (false, vec![12, 11, 13]));
        targets.set(&forward(14, &[12]));
        assert_eq!(dial(&targets, 14), (true, vec![12, 14]));
    }
}
