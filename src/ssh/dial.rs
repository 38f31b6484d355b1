//! TCP connections to the first hop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::debug;

use super::error::SshError;
use super::target::{Dial, address};

/// Connects to a host, by way of the provider if it has one; tries each of the name's addresses.
pub(super) async fn connect(
    host: &str,
    port: u16,
    dial: Option<&Arc<Dial>>,
    limit: Duration,
) -> Result<TcpStream, SshError> {
    let resolved = tokio::net::lookup_host((host, port)).await;
    let addresses = resolved.map_err(|source| SshError::Resolve {
        host: host.to_owned(),
        source,
    })?;
    let mut failure = io::Error::other("the name has no address");
    for candidate in addresses {
        debug!(address = %candidate, "connects");
        match timeout(limit, connect_to(candidate, dial)).await {
            Ok(Ok(stream)) => {
                // Requests are small and waited for; Nagle's algorithm would hold them back. Where
                // the option is refused, the connection still works.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => failure = error,
            Err(_) => failure = io::ErrorKind::TimedOut.into(),
        }
    }
    let address = address(host, port);
    Err(if failure.kind() == io::ErrorKind::TimedOut {
        SshError::Timeout {
            address,
            after: limit,
        }
    } else {
        SshError::Connect {
            address,
            source: failure,
        }
    })
}

async fn connect_to(address: SocketAddr, dial: Option<&Arc<Dial>>) -> io::Result<TcpStream> {
    let Some(dial) = dial else {
        return TcpStream::connect(address).await;
    };
    let dial = Arc::clone(dial);
    let stream = tokio::task::spawn_blocking(move || dial(address)).await??;
    stream.set_nonblocking(true)?;
    TcpStream::from_std(stream)
}
