//! One look at one API server.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::standing::Standing;

/// Longest time for a connection; a machine that is off doesn't answer at all.
pub(super) const CONNECT: Duration = Duration::from_secs(1);
/// Longest time for an answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Asks an API server for its health, over one connection that is kept.
pub(super) struct Check {
    server: SocketAddr,
    agent: ureq::Agent,
}

impl Check {
    /// Prepares questions to a server whose certificate comes from one of `authorities`.
    pub(super) fn new(server: SocketAddr, authorities: Vec<Certificate<'static>>) -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(Arc::new(authorities)))
            .build();
        let agent = ureq::Agent::config_builder()
            .tls_config(tls)
            .proxy(None)
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(ANSWER))
            .max_idle_connections(1)
            .build()
            .new_agent();
        Self { server, agent }
    }

    /// Asks once.
    pub(super) fn look(&self) -> Standing {
        let url = format!("https://{}/readyz", self.server);
        let answer = self.agent.get(&url).call().and_then(|mut answer| {
            let status = answer.status().as_u16();
            // Read to its end, so that the connection can be used again.
            answer.body_mut().read_to_string().map(|_| status)
        });
        match answer {
            // Where anonymous requests are turned away, that is a sign of life. One that has just started forbids everything
            // until it has read who may do what, its clients' requests as well.
            Ok(200 | 401) => Standing::Ready,
            Ok(_) => Standing::Answers,
            // A kept connection may have ended with a restart, and a loaded machine may be slow.
            Err(_) if TcpStream::connect_timeout(&self.server, CONNECT).is_ok() => {
                Standing::Answers
            }
            Err(_) => Standing::Silent,
        }
    }
}
