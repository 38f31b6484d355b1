//! What the user's SSH configuration says of a host, so that its aliases lead where they lead Ansible.
//!
//! `ssh -G` reads the file, as only OpenSSH itself knows `Match`, `Include` and patterns in full. What the inventory says wins,
//! as Ansible gives it to ssh on its command line.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;
use tracing::debug;

use super::error::SshError;
use super::target::Target;
use crate::model::host::{Connection, JumpHost, Method};
use crate::model::{expand_home, jump_hosts};

/// How many jump hosts in turn may name another one before them.
const LONGEST_WAY: usize = 8;

/// How long ssh may take: it may run programs of the user's (`Match exec`), or look names up.
const LIMIT: Duration = Duration::from_secs(20);

/// Keys that ssh takes where nothing names one; they are tried after the agent's.
const DEFAULT_KEYS: &str = "~/.ssh/id_";

/// Where it stands how a user reaches hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SshConfiguration {
    /// `~/.ssh/config`, and the system's behind it.
    OfUser,
    /// In place of both: `-F` in the inventory.
    File(PathBuf),
}

impl SshConfiguration {
    /// Fills in what the inventory leaves open of a connection: address, port, user, key and jump hosts.
    ///
    /// # Errors
    /// The file has a mistake, or names a way that kinstall can't go.
    pub async fn fill_in(&self, connection: &Connection) -> Result<Connection, SshError> {
        if connection.method == Method::Local {
            return Ok(connection.clone());
        }
        let user = connection.user.as_deref();
        let Some(said) = self.ask(&connection.host, connection.port, user).await? else {
            return Ok(connection.clone());
        };
        let jump = match &connection.jump {
            Some(jump) => jump.clone(),
            None => self.jump(&said)?,
        };
        Ok(Connection {
            jump: Some(self.way(jump).await?),
            // The name stands for an address of which the inventory need not know.
            fallback: connection.fallback.filter(|_| said.host.is_none()),
            host: said.host.unwrap_or_else(|| connection.host.clone()),
            port: connection.port.or(said.port),
            user: connection.user.clone().or(said.user),
            private_key: connection.private_key.clone().or(said.private_key),
            ..connection.clone()
        })
    }

    /// Returns the jump hosts with what the file says of each, and those that it puts before the first.
    async fn way(&self, mut open: Vec<JumpHost>) -> Result<Vec<JumpHost>, SshError> {
        // From the target outwards, as the first may name others before it.
        let mut hops: Vec<JumpHost> = Vec::new();
        while let Some(hop) = open.pop() {
            if hops.len() == LONGEST_WAY {
                return Err(self.error(format!("the way through `{}` has no beginning", hop.host)));
            }
            let said = self.ask(&hop.host, hop.port, hop.user.as_deref()).await?;
            let said = said.unwrap_or_default();
            if open.is_empty() {
                open = self.jump(&said)?;
            }
            hops.push(JumpHost {
                user: hop.user.or(said.user),
                host: said.host.unwrap_or(hop.host),
                port: hop.port.or(said.port),
                private_key: hop.private_key.or(said.private_key),
                password: hop.password,
            });
        }
        hops.reverse();
        Ok(hops)
    }

    /// Returns the jump hosts that it names for a host; what can't be followed is an error only where it counts.
    fn jump(&self, said: &Said) -> Result<Vec<JumpHost>, SshError> {
        let way = said.way.as_ref();
        way.map_or(Ok(Vec::new()), |(name, value)| {
            jump_hosts(name, value).map_err(|problem| self.error(problem))
        })
    }

    /// Asks OpenSSH; `None` where this computer doesn't have it, so that nothing reads the user's file.
    async fn ask(
        &self,
        host: &str,
        port: Option<u16>,
        user: Option<&str>,
    ) -> Result<Option<Said>, SshError> {
        let mut command = Command::new("ssh");
        command.arg("-G");
        if let Self::File(file) = self {
            command.arg("-F").arg(file);
        }
        // `Match user` and the like are to see what the inventory says.
        if let Some(port) = port {
            command.args(["-p", &port.to_string()]);
        }
        if let Some(user) = user {
            command.args(["-l", user]);
        }
        command.args(["--", host]).stdin(Stdio::null());
        let output = timeout(LIMIT, command.kill_on_drop(true).output()).await;
        let output = match output {
            Ok(Ok(output)) => output,
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound && *self == Self::OfUser => {
                return Ok(None);
            }
            Ok(Err(error)) => return Err(self.error(format!("ssh does not run: {error}"))),
            Err(_) => {
                let seconds = LIMIT.as_secs();
                return Err(self.error(format!("`ssh -G {host}` took more than {seconds} s")));
            }
        };
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            return Err(self.error(message.trim().replace('\n', "; ")));
        }
        let said = read(&String::from_utf8_lossy(&output.stdout), host);
        debug!(host, ?said, "read the SSH configuration");
        Ok(Some(said))
    }

    fn error(&self, problem: String) -> SshError {
        SshError::Configuration {
            file: match self {
                Self::OfUser => Path::new("~/.ssh/config").to_owned(),
                Self::File(file) => file.clone(),
            },
            problem,
        }
    }
}

/// Returns the target with what its SSH configuration says.
pub(super) async fn applied(target: &Target) -> Result<Target, SshError> {
    let mut target = target.clone();
    if let Some(configuration) = target.configuration.take() {
        target.connection = configuration.fill_in(&target.connection).await?;
    }
    Ok(target)
}

/// What a configuration says of one host.
#[derive(Debug, Default, PartialEq)]
struct Said {
    /// `None` where it is the name that was asked for.
    host: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    private_key: Option<PathBuf>,
    /// `ProxyJump` or `ProxyCommand`, with its value.
    way: Option<(String, String)>,
}

/// Reads what `ssh -G` prints: a setting a line, in small letters.
fn read(text: &str, asked: &str) -> Said {
    let mut said = Said::default();
    let mut keys = Vec::new();
    for (name, value) in text.lines().filter_map(|line| line.split_once(' ')) {
        match name {
            "hostname" if !value.eq_ignore_ascii_case(asked) => said.host = Some(value.to_owned()),
            "port" => said.port = value.parse().ok(),
            "user" => said.user = Some(value.to_owned()),
            "identityfile" if !value.starts_with(DEFAULT_KEYS) => keys.push(value),
            "proxyjump" | "proxycommand" => said.way = Some((name.to_owned(), value.to_owned())),
            _ => {}
        }
    }
    let keys = keys.into_iter().map(|key| key_file(key, asked, &said));
    // As ssh does it: one that can't be read is passed over.
    let mut keys = keys.filter(|key| fs::read_to_string(key).is_ok());
    said.private_key = keys.next();
    said
}

/// Expands the tokens that ssh knows in the path of a key, and leaves in what it prints.
fn key_file(path: &str, asked: &str, said: &Said) -> PathBuf {
    let path = path
        .replace("%d", "~")
        .replace("%h", said.host.as_deref().unwrap_or(asked))
        .replace("%n", asked)
        .replace("%r", said.user.as_deref().unwrap_or_default());
    expand_home(&path)
}
