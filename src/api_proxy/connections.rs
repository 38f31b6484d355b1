//! The connections of clients, each to one API server.

use std::collections::BTreeMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::check::CONNECT;
use super::servers::Servers;
use crate::relay::{STACK, relay};

/// All connections that are open.
#[derive(Default)]
pub(super) struct Connections(Mutex<State>);

#[derive(Default)]
struct State {
    open: BTreeMap<u64, Connection>,
    next: u64,
}

#[derive(Clone)]
struct Connection {
    address: SocketAddr,
    client: Arc<TcpStream>,
    server: Arc<TcpStream>,
}

/// Passes every client on to a server; returns only when the listener fails.
pub(super) fn accept(
    listener: &TcpListener,
    servers: &Arc<Servers>,
    connections: &Arc<Connections>,
) -> io::Error {
    loop {
        let client = match listener.accept() {
            Ok((client, _)) => client,
            // The client was gone before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
            Err(error) => return error,
        };
        let (servers, connections) = (Arc::clone(servers), Arc::clone(connections));
        // A client that can't be served is closed, as a server that is down would have it.
        let _ = thread::Builder::new()
            .stack_size(STACK)
            .spawn(move || serve(client, &servers, &connections));
    }
}

/// Connects a client with the first server that accepts, and copies until both have ended.
fn serve(client: TcpStream, servers: &Servers, connections: &Connections) {
    for address in servers.best_first(connections) {
        let Ok(server) = TcpStream::connect_timeout(&address, CONNECT) else {
            servers.refused(address);
            continue;
        };
        let connection = Connection {
            address,
            client: Arc::new(client),
            server: Arc::new(server),
        };
        let number = connections.add(connection.clone());
        // The end of a connection, however it comes, is all that there is to know.
        let _ = relay(&connection.client, &connection.server);
        connections.remove(number);
        return;
    }
}

impl Connections {
    /// Ends all connections to a server: its clients open new ones, to another.
    pub(super) fn cut(&self, address: SocketAddr) {
        let state = self.state();
        for connection in state.open.values().filter(|it| it.address == address) {
            // It may have ended just now.
            let _ = connection.client.shutdown(Shutdown::Both);
            let _ = connection.server.shutdown(Shutdown::Both);
        }
    }

    /// Returns how many a server has.
    pub(super) fn count(&self, address: SocketAddr) -> usize {
        let state = self.state();
        let all = state.open.values();
        all.filter(|it| it.address == address).count()
    }

    fn add(&self, connection: Connection) -> u64 {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.open.insert(number, connection);
        number
    }

    fn remove(&self, number: u64) {
        self.state().open.remove(&number);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
