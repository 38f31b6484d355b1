//! What the user's SSH configuration says of a host, so that its aliases lead where they lead Ansible.
//!
//! `ssh -G` reads the file, as only OpenSSH itself knows `Match`, `Include` and patterns in full; it connects to
//! nothing. What the inventory says wins, as Ansible gives it to ssh on its command line.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tokio::task::spawn_blocking;
use tracing::debug;

use super::error::SshError;
use super::target::Target;
use crate::model::host::{Connection, JumpHost, Method};
use crate::model::{expand_home, jump_hosts};

/// How many jump hosts in turn may name another one before them.
const LONGEST_WAY: usize = 8;

/// Returns the target with what its SSH configuration says.
pub(super) async fn applied(target: &Target) -> Result<Target, SshError> {
    let mut target = target.clone();
    if let Some(file) = target.configuration.take() {
        let connection = target.connection.clone();
        let read = spawn_blocking(move || configured(&connection, &file)).await;
        target.connection = read.map_err(|error| SshError::Local {
            action: "run ssh",
            source: error.into(),
        })??;
    }
    Ok(target)
}

/// Fills in what the inventory leaves open of a connection: address, port, user, key and jump hosts; blocks.
///
/// # Errors
/// The file has a mistake, or names a way that kinstall can't go.
pub fn configured(connection: &Connection, file: &Path) -> Result<Connection, SshError> {
    if connection.method == Method::Local {
        return Ok(connection.clone());
    }
    let Some(said) = ask(
        &connection.host,
        connection.port,
        connection.user.as_deref(),
        file,
    )?
    else {
        return Ok(connection.clone());
    };
    let jump = if connection.jump.is_empty() {
        &said.jump
    } else {
        &connection.jump
    };
    Ok(Connection {
        jump: way(jump, file)?,
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
fn way(jump: &[JumpHost], file: &Path) -> Result<Vec<JumpHost>, SshError> {
    let mut open = jump.to_vec();
    // From the target outwards, as the first may name others before it.
    let mut hops: Vec<JumpHost> = Vec::new();
    while let Some(hop) = open.pop() {
        if hops.len() == LONGEST_WAY {
            return Err(SshError::Configuration {
                file: file.to_owned(),
                problem: format!("the way through `{}` has no beginning", hop.host),
            });
        }
        let said = ask(&hop.host, hop.port, hop.user.as_deref(), file)?.unwrap_or_default();
        if open.is_empty() {
            open = said.jump;
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

/// What a configuration says of one host.
#[derive(Debug, Default, PartialEq)]
struct Said {
    /// `None` where it is the name that was asked for.
    host: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    private_key: Option<PathBuf>,
    jump: Vec<JumpHost>,
}

/// Asks OpenSSH; `None` where this computer doesn't have it, so that nothing reads the file.
fn ask(
    host: &str,
    port: Option<u16>,
    user: Option<&str>,
    file: &Path,
) -> Result<Option<Said>, SshError> {
    let mut command = Command::new("ssh");
    command.arg("-G").arg("-F").arg(file);
    // `Match user` and the like are to see what the inventory says.
    if let Some(port) = port {
        command.args(["-p", &port.to_string()]);
    }
    if let Some(user) = user {
        command.args(["-l", user]);
    }
    command.args(["--", host]).stdin(Stdio::null());
    let refused = |problem: String| SshError::Configuration {
        file: file.to_owned(),
        problem,
    };
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(format!("ssh does not run: {error}"))),
    };
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(refused(message.trim().replace('\n', "; ")));
    }
    let said = read(&String::from_utf8_lossy(&output.stdout), host).map_err(refused)?;
    debug!(host, file = %file.display(), ?said, "read the SSH configuration");
    Ok(Some(said))
}

/// Reads what `ssh -G` prints: a setting a line, in small letters.
fn read(text: &str, asked: &str) -> Result<Said, String> {
    let mut said = Said::default();
    for (name, value) in text.lines().filter_map(|line| line.split_once(' ')) {
        match name {
            "hostname" if !value.eq_ignore_ascii_case(asked) => said.host = Some(value.to_owned()),
            "port" => said.port = value.parse().ok(),
            "user" => said.user = Some(value.to_owned()),
            "identityfile" if said.private_key.is_none() => {
                let key = expand_home(value);
                // As ssh does it: one that can't be read is passed over.
                said.private_key = std::fs::File::open(&key).is_ok().then_some(key);
            }
            "proxyjump" | "proxycommand" => said.jump = jump_hosts(name, value)?,
            _ => {}
        }
    }
    Ok(said)
}
