//! Our side of the SSH protocol: what is offered to hosts, and what is made of their events.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use russh::Names;
use russh::client::{self, DisconnectReason, Handler};
use russh::keys::{Algorithm, PublicKeyOrCertificate};
use russh::{Preferred, cipher};
use tracing::debug;

use super::error::SshError;
use super::known_hosts::KnownHosts;
use super::target::Target;

/// How long a connection may be without any progress.
const STILL: Duration = Duration::from_mins(3);

/// Returns the settings for a connection to the target.
pub(super) fn config(target: &Target) -> Result<client::Config, SshError> {
    let connection = &target.connection;
    let known = target
        .known_hosts
        .algorithms(&connection.host, connection.port())?;
    Ok(client::Config {
        nodelay: true,
        keepalive_interval: Some(Duration::from_secs(15)),
        keepalive_max: 4,
        // Counts while a write waits, too, which keeps the signs of life from being looked at.
        inactivity_timeout: Some(STILL),
        preferred: Preferred {
            key: Cow::Owned(host_key_order(&known)),
            // The first is the fastest where the processor knows AES, as practically all do.
            cipher: Cow::Borrowed(&[
                cipher::AES_128_GCM,
                cipher::AES_256_GCM,
                cipher::CHACHA20_POLY1305,
                cipher::AES_256_CTR,
            ]),
            compression: Cow::Borrowed(&[russh::compression::NONE]),
            ..Preferred::DEFAULT
        },
        ..client::Config::default()
    })
}

/// Returns the kinds of host keys to ask for: first those that are known, never RSA with SHA-1.
fn host_key_order(known: &[Algorithm]) -> Vec<Algorithm> {
    let is_rsa = |algorithm: &Algorithm| matches!(algorithm, Algorithm::Rsa { .. });
    let is_known = |algorithm: &&Algorithm| {
        known.contains(algorithm) || (is_rsa(algorithm) && known.iter().any(is_rsa))
    };
    let usable = Preferred::DEFAULT.key;
    let (first, rest): (Vec<_>, Vec<_>) = usable
        .iter()
        .filter(|algorithm| !matches!(algorithm, Algorithm::Rsa { hash: None }))
        .partition(is_known);
    first.into_iter().chain(rest).cloned().collect()
}

/// Checks the host's key and listens to what the host says.
pub(super) struct Client {
    host: String,
    port: u16,
    known_hosts: KnownHosts,
    notes: Shared,
}

impl Client {
    pub(super) fn new(target: &Target, notes: Shared) -> Self {
        Self {
            host: target.connection.host.clone(),
            port: target.connection.port(),
            known_hosts: target.known_hosts.clone(),
            notes,
        }
    }
}

impl Handler for Client {
    type Error = SshError;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, SshError> {
        // Certificates aren't asked for.
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else {
            return Ok(false);
        };
        self.known_hosts.verify(&self.host, self.port, key)?;
        Ok(true)
    }

    async fn kex_done(
        &mut self,
        _: Option<&[u8]>,
        names: &Names,
        session: &mut client::Session,
    ) -> Result<(), SshError> {
        debug!(
            host = self.host,
            server = %String::from_utf8_lossy(session.remote_sshid()),
            key_exchange = names.kex.as_ref(),
            host_key = names.key.as_str(),
            cipher = names.cipher.as_ref(),
            "keys are exchanged"
        );
        Ok(())
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut client::Session) -> Result<(), SshError> {
        self.notes.lock().banner.push_str(banner);
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<SshError>) -> Result<(), SshError> {
        let reason = match reason {
            DisconnectReason::ReceivedDisconnect(info) => info.message,
            DisconnectReason::Error(error) => error.to_string(),
        };
        self.notes.lock().ended = Some(reason);
        Ok(())
    }
}

/// What the connection's own task has to tell.
#[derive(Default)]
pub(super) struct Notes {
    /// What the host says before it lets us in.
    pub(super) banner: String,
    /// Why the connection ended.
    pub(super) ended: Option<String>,
}

/// The notes, as both sides have them.
#[derive(Clone, Default)]
pub(super) struct Shared(Arc<Mutex<Notes>>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Notes> {
        // Notes are whole at any time: a panic elsewhere can't have left them half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
