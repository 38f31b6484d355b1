//! Ways from this computer to addresses that only the lab's network or a node has: ports on loopback that lead
//! there.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::install::passage;
use crate::provision::forward;
use crate::ssh::{Session, Target};

/// The opened ways, by where they lead.
pub(super) struct Ways {
    outside: Outside,
    open: Mutex<HashMap<SocketAddr, SocketAddr>>,
}

/// How the network outside of the cluster is reached.
enum Outside {
    /// This computer is in it.
    Directly,
    /// By the provider of the lab.
    Lab(Arc<crate::ssh::Dial>),
    /// This computer is behind jump hosts: by the control plane.
    Through(Box<Target>, Session),
}

impl Ways {
    /// Finds out how the network of a host is reached.
    pub(super) fn of(target: &Target, session: &Session) -> Self {
        let outside = match &target.dial {
            Some(dial) => Outside::Lab(Arc::clone(dial)),
            None if target.connection.jumps().is_empty() => Outside::Directly,
            None => Outside::Through(Box::new(target.clone()), session.clone()),
        };
        Self {
            outside,
            open: Mutex::default(),
        }
    }

    /// Returns an address of this computer's that leads to an address outside of the cluster.
    pub(super) async fn outside(&self, target: SocketAddr) -> io::Result<SocketAddr> {
        let opened = |ways: &Self| {
            let open = ways.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.get(&target).copied()
        };
        if let Some(address) = opened(self) {
            return Ok(address);
        }
        let address = match &self.outside {
            Outside::Directly => return Ok(target),
            Outside::Lab(dial) => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
                let address = listener.local_addr()?;
                let dial = Arc::clone(dial);
                thread::spawn(move || forward::serve(&listener, move || dial(target)));
                address
            }
            Outside::Through(host, session) => through((**host).clone(), session, target).await?,
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(target, address);
        Ok(address)
    }
}

/// Returns an address of this computer's that leads to where a host would connect, and does so again when the
/// host has been away.
pub(super) async fn through(
    host: Target,
    session: &Session,
    target: SocketAddr,
) -> io::Result<SocketAddr> {
    if session.is_local() {
        return Ok(target);
    }
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(passage::serve(listener, host, session.clone(), target));
    Ok(address)
}
