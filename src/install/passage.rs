//! From a port on loopback to where a host would connect.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use crate::ssh::{Session, SshError, Target};

/// Passes every connection on, and connects to the host again when it has been away; returns only when the listener fails.
pub(super) async fn serve(
    listener: TcpListener,
    host: Target,
    mut session: Session,
    to: SocketAddr,
) {
    while let Ok((client, _)) = listener.accept().await {
        if session.is_closed()
            && let Ok(again) = Session::connect(&host).await
        {
            session = again;
        }
        let session = session.clone();
        // What can't be passed on is closed: that is what a client has to see.
        tokio::spawn(async move { pass_on(client, &session, to).await.ok() });
    }
}

/// Fails where the host can't connect.
pub(super) async fn probe(session: &Session, to: SocketAddr) -> Result<(), SshError> {
    if session.is_local() {
        let connected = TcpStream::connect(to).await;
        return connected.map(drop).map_err(|error| SshError::Tunnel {
            hop: "this computer".to_owned(),
            address: to.to_string(),
            source: error.into(),
        });
    }
    let host = to.ip().to_string();
    session.tunnel(&host, to.port()).await.map(drop)
}

async fn pass_on(mut client: TcpStream, session: &Session, to: SocketAddr) -> Result<(), SshError> {
    // An end in the middle is told to both sides by their own ends.
    if session.is_local() {
        if let Ok(mut server) = TcpStream::connect(to).await {
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
        return Ok(());
    }
    let host = to.ip().to_string();
    let mut server = session.tunnel(&host, to.port()).await?;
    let _ = copy_bidirectional(&mut client, &mut server).await;
    Ok(())
}
