//! The proxy to the API servers that runs on every node: an endpoint that outlives each of them.
//!
//! ```text
//! kubelet, kube-proxy, … ── 127.0.0.1:7443 ──► accept ──► the best of the servers ──► relay
//!                                                              ▲                       │ cut off when
//! servers (file, read every second) ──► one check a server ────┘◄──────────────────────┘ its server is gone
//! ```
//!
//! It passes bytes on: TLS and who may do what are between a client and its API server. Plain threads, and
//! a few MB of memory.

mod check;
mod connections;
mod health;
mod servers;
mod standing;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use self::connections::Connections;
use self::servers::Servers;

/// Time between two looks at a server, and at the files.
const INTERVAL: Duration = Duration::from_secs(1);

/// What a proxy is told when it starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Port on 127.0.0.1 where `GET /healthz` says whether an API server is healthy.
    pub health_port: Option<u16>,
    /// File with the `address:port` of an API server in each line; changes take effect while it runs.
    pub servers: PathBuf,
    /// PEM file of the authority that the API servers' certificates come from.
    pub authority: PathBuf,
}

/// Runs until a port can't be listened on.
pub fn run(settings: &Settings) -> io::Error {
    let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let (clients, health) = match (listen(settings.port), settings.health_port.map(listen)) {
        (Ok(clients), None) => (clients, None),
        (Ok(clients), Some(Ok(health))) => (clients, Some(health)),
        (Err(error), _) | (_, Some(Err(error))) => return error,
    };
    serve(&clients, health, settings)
}

fn serve(clients: &TcpListener, health: Option<TcpListener>, settings: &Settings) -> io::Error {
    let servers = Arc::new(Servers::default());
    let connections = Arc::new(Connections::default());
    if let Some(listener) = health {
        health::serve(listener, Arc::clone(&servers));
    }
    let (watched, cut) = (Arc::clone(&servers), Arc::clone(&connections));
    let files = settings.clone();
    thread::spawn(move || {
        loop {
            watched.read(&files.servers, &files.authority, &cut);
            thread::sleep(INTERVAL);
        }
    });
    connections::accept(clients, &servers, &connections)
}

#[cfg(test)]
mod tests;
