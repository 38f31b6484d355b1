//! A verified, authenticated connection to one host.

use std::sync::Arc;
use std::time::Duration;

use russh::Channel;
use russh::client::{Handle, Msg};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::auth::{Credential, Login};
use super::client::{self, Client, Shared};
use super::configuration;
use super::credentials::Credentials;
use super::dial;
use super::error::SshError;
use super::fallback;
use super::process::Process;
use super::refusal::Refusal;
use super::target::{Target, address};
use super::terminal::Size;
use super::tunnel;
use crate::model::host::Method;

/// How long a TCP connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// How long key exchange and login may take; name lookups of sshd and PAM are known to be slow.
const LOGIN_LIMIT: Duration = Duration::from_mins(1);

/// A connection to a host. Clones share it; it is closed when the last one and all its processes are
/// gone.
#[derive(Clone)]
pub struct Session {
    /// `None` for this computer itself.
    connected: Option<Connected>,
    target: Arc<Target>,
    by_lab_key: bool,
}

/// The connection of a session.
#[derive(Clone)]
struct Connected {
    handle: Arc<Handle<Client>>,
    notes: Shared,
    /// The connection that this one goes through, open for as long as this one is.
    _via: Option<Box<Session>>,
}

impl Session {
    /// Connects to a host, through its jump hosts if it has any, verifies it, and logs in.
    pub async fn connect(target: &Target) -> Result<Self, SshError> {
        Self::connect_within(target, CONNECT_LIMIT).await
    }

    /// Connects with another limit for the TCP connection.
    pub(super) async fn connect_within(target: &Target, limit: Duration) -> Result<Self, SshError> {
        if target.connection.method == Method::Local {
            return Ok(Self {
                connected: None,
                target: Arc::new(target.clone()),
                by_lab_key: true,
            });
        }
        let target = configuration::applied(target).await?;
        let Some(hop) = target.jumps.open(&target, limit).await? else {
            let target = fallback::looked_up(&target, limit).await;
            let (connection, dial) = (&target.connection, target.dial.as_ref());
            let stream = dial::connect(&connection.host, connection.port(), dial, limit).await?;
            return Self::over(stream, &target, None).await;
        };
        let connection = &target.connection;
        let by_name = hop.tunnel(&connection.host, connection.port()).await;
        // The name is looked up there.
        if let (Err(SshError::Tunnel { .. }), Some(target)) =
            (&by_name, fallback::by_address(&target))
        {
            let connection = &target.connection;
            let stream = hop.tunnel(&connection.host, connection.port()).await?;
            return Self::over(stream, &target, Some(hop)).await;
        }
        Self::over(by_name?, &target, Some(hop)).await
    }

    /// Sets up SSH on a byte stream that leads to the target.
    pub(super) async fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        target: &Target,
        via: Option<Self>,
    ) -> Result<Self, SshError> {
        let address = target.address();
        let set_up = Self::set_up(stream, target, via);
        timeout(LOGIN_LIMIT, set_up)
            .await
            .unwrap_or_else(|_| {
                Err(SshError::Timeout {
                    address: address.clone(),
                    after: LOGIN_LIMIT,
                })
            })
            .map_err(|error| match error {
                SshError::Protocol(source) => SshError::Handshake { address, source },
                error => error,
            })
    }

    async fn set_up(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        target: &Target,
        via: Option<Self>,
    ) -> Result<Self, SshError> {
        let notes = Shared::default();
        let client = Client::new(target, notes.clone());
        let config = Arc::new(client::config(target)?);
        let mut handle = russh::client::connect_stream(config, stream, client).await?;
        let credential = log_in(&mut handle, target, &notes).await?;
        Ok(Self {
            connected: Some(Connected {
                handle: Arc::new(handle),
                notes,
                _via: via.map(Box::new),
            }),
            target: Arc::new(target.clone()),
            by_lab_key: credential == Credential::LabKey,
        })
    }

    /// Tells whether the host is this computer, without SSH.
    pub fn is_local(&self) -> bool {
        self.connected.is_none()
    }

    /// Returns what this session was made from.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Tells whether the lab's key logged in, so that it needn't be authorized.
    pub fn by_lab_key(&self) -> bool {
        self.by_lab_key
    }

    /// Tells whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        let connected = self.connected.as_ref();
        connected.is_some_and(|connected| connected.handle.is_closed())
    }

    /// Starts a command in the login shell; its streams are the process's.
    pub async fn start(&self, command: &str) -> Result<Process, SshError> {
        let Some(connected) = &self.connected else {
            return Process::local(command, self.clone());
        };
        let channel = self.open(connected).await?;
        channel
            .exec(true, command)
            .await
            .map_err(|error| self.refused(error))?;
        Ok(Process::new(channel, self.clone()))
    }

    /// Starts a login shell; with the kind (`xterm`) and size of a terminal, an interactive one.
    pub async fn start_shell(&self, terminal: Option<(&str, Size)>) -> Result<Process, SshError> {
        let Some(connected) = &self.connected else {
            return Process::local("exec \"${SHELL:-sh}\"", self.clone());
        };
        let channel = self.open(connected).await?;
        let start = async {
            if let Some((kind, size)) = terminal {
                let (columns, rows) = (size.columns.into(), size.rows.into());
                channel
                    .request_pty(false, kind, columns, rows, 0, 0, &[])
                    .await?;
            }
            channel.request_shell(true).await
        };
        start.await.map_err(|error| self.refused(error))?;
        Ok(Process::new(channel, self.clone()))
    }

    /// Opens a byte stream from this host to another one; the host may take as long as a TCP connection.
    pub async fn tunnel(
        &self,
        host: &str,
        port: u16,
    ) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static, SshError> {
        let failed = |source| SshError::Tunnel {
            hop: self.target.address(),
            address: address(host, port),
            source,
        };
        let Some(connected) = &self.connected else {
            return Err(failed("this computer is no jump host".into()));
        };
        let opening = connected
            .handle
            .channel_open_direct_tcpip(host, port.into(), "127.0.0.1", 0);
        let opened = timeout(CONNECT_LIMIT, opening).await.map_err(|_| {
            let seconds = CONNECT_LIMIT.as_secs();
            failed(format!("no answer within {seconds} s").into())
        })?;
        let channel = opened.map_err(|error| failed(error.into()))?;
        Ok(tunnel::stream(channel))
    }

    /// Returns the error for a connection that ended while it was needed.
    pub(super) fn lost(&self) -> SshError {
        SshError::Lost {
            address: self.target.address(),
            reason: self
                .connected
                .as_ref()
                .and_then(|connected| connected.notes.lock().ended.clone()),
        }
    }

    /// Returns the error for a command that the host didn't start.
    pub(super) fn refused(
        &self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> SshError {
        if self.is_closed() {
            return self.lost();
        }
        SshError::Command {
            address: self.target.address(),
            source: source.into(),
        }
    }

    async fn open(&self, connected: &Connected) -> Result<Channel<Msg>, SshError> {
        let opened = connected.handle.channel_open_session().await;
        opened.map_err(|error| self.refused(error))
    }
}

async fn log_in(
    handle: &mut Handle<Client>,
    target: &Target,
    notes: &Shared,
) -> Result<Credential, SshError> {
    let connection = &target.connection;
    let user = match &connection.user {
        Some(user) => user.clone(),
        None => current_user()?,
    };
    let credentials = Credentials {
        identity: target.identity.as_ref(),
        private_key: connection.private_key.as_deref(),
        user_keys: &target.user_keys,
        password: connection.password.as_ref(),
    };
    let (attempts, accepted) = match Login::new(handle, &user).run(&credentials).await? {
        Ok(credential) => return Ok(credential),
        Err(refused) => refused,
    };
    let notes = notes.lock();
    let banner = match &notes.ended {
        Some(reason) => format!("{}\n{reason}", notes.banner),
        None => notes.banner.clone(),
    };
    Err(SshError::Refused(Refusal {
        user,
        address: target.address(),
        attempts,
        accepted,
        banner: banner.trim().to_owned(),
    }))
}

/// Returns the name of the user who runs kinstall: as the environment has it, else as their home is called.
fn current_user() -> Result<String, SshError> {
    let home = || Some(std::env::home_dir()?.file_name()?.to_str()?.to_owned());
    ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty())
        .or_else(home)
        .ok_or_else(|| SshError::Local {
            action: "find out your user name",
            source: std::io::Error::other("none of USER, LOGNAME and USERNAME is set"),
        })
}
