//! What the user is told about a failed connection: what happened, why, and what to do.

use super::agent_channel::AgentError;
use super::bootstrap_error::BootstrapError;
use super::error::SshError;
use super::known_hosts::HostKeyError;
use super::refusal::Refusal;
use crate::diagnostic::{Diagnostic, Kind};

impl SshError {
    /// Makes the message about a host, by its inventory name.
    pub fn diagnostic(&self, host: &str) -> Diagnostic {
        let kind = match self {
            Self::Local { .. } | Self::Bootstrap(BootstrapError::Binary(_)) => Kind::Environment,
            Self::Agent(
                AgentError::OtherProtocol { .. } | AgentError::NoHello | AgentError::Encode(_),
            ) => Kind::Internal,
            _ => Kind::Connection,
        };
        let chain = Diagnostic::from_error(kind, self).message;
        let diagnostic = Diagnostic::error(kind, format!("{host}: {chain}"));
        self.hints().into_iter().fold(diagnostic, Diagnostic::hint)
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::Resolve { host, .. } => vec![format!(
                "set `ansible_host` (or `ip`) to an address, or make `{host}` known to DNS"
            )],
            Self::Connect { .. } | Self::Timeout { .. } | Self::NotReady { .. } => vec![
                "check that the machine runs, that its address is right, that sshd listens there, and that no \
                 firewall blocks it"
                    .to_owned(),
                "`ansible_host`, `ansible_port` and the jump host are taken from the inventory, else from \
                 `~/.ssh/config`"
                    .to_owned(),
            ],
            Self::Configuration { .. } => vec![
                "`ssh -G HOST` shows what it says of a host; what the inventory says wins over it".to_owned(),
                "to leave it out: `ansible_ssh_common_args: -F /dev/null`".to_owned(),
            ],
            Self::Handshake { .. } => {
                vec!["is it really sshd that answers at this address and port?".to_owned()]
            }
            Self::HostKey(error) => error.hints(),
            Self::Refused(refusal) => refusal.hints(),
            Self::Jump { source, .. } => source.hints(),
            Self::Tunnel { .. } => vec![
                "is the host reachable from there, and does sshd there have \
                 `AllowTcpForwarding yes`?"
                    .to_owned(),
            ],
            Self::Lost { .. } => {
                vec!["run the same command again: it continues where it stopped".to_owned()]
            }
            Self::Elevation(error) => error.hints(),
            Self::Bootstrap(error) => error.hints(),
            Self::Agent(error) => error.hints(),
            Self::Key(_)
            | Self::Command { .. }
            | Self::Authorize { .. }
            | Self::Local { .. }
            | Self::Protocol(_) => Vec::new(),
        }
    }
}

impl HostKeyError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Changed {
                address,
                file,
                line,
                ..
            } => vec![
                "either the machine was reinstalled, another machine has its address now, or someone \
                 intercepts the connection"
                    .to_owned(),
                format!(
                    "if you know why it changed: compare with `ssh-keygen -lf \
                     /etc/ssh/ssh_host_ed25519_key.pub` on its console, then remove line {line} \
                     (`ssh-keygen -R '{address}' -f '{}'`)",
                    file.display()
                ),
            ],
            Self::Revoked { .. } => {
                vec!["known_hosts marks this key as stolen: the host needs a new one".to_owned()]
            }
            Self::Unknown { address, shown } => vec![format!(
                "if {shown} is what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` shows on \
                 the machine's console, log in to {address} once with `ssh` and accept it"
            )],
            Self::File { .. } => Vec::new(),
        }
    }
}

impl Refusal {
    fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        if !self.banner.is_empty() {
            hints.push(format!("the host said: {}", self.banner));
        }
        if !self.accepted.is_empty() {
            hints.push(format!("the host accepts: {}", self.accepted.join(", ")));
        }
        hints.push(
            "set `ansible_user`, and `ansible_ssh_private_key_file` or `ansible_password`; a key \
             with a passphrase is used through ssh-agent (`ssh-add`)"
                .to_owned(),
        );
        hints
    }
}

impl BootstrapError {
    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::NoTool { .. } => "install it with the host's package manager (coreutils, gzip)",
            Self::NoFolder { .. } => {
                "the agent needs one folder that is writable and not mounted with `noexec`"
            }
            Self::DiskFull { .. } => "make room on the host (`df -h`), then run the command again",
            Self::Damaged => "check the host's disk and memory",
            Self::OtherSystem { .. } => {
                "run a kinstall that is built for the hosts' architecture; clusters of several \
                 architectures aren't supported"
            }
            Self::Write { .. } | Self::Unexpected { .. } | Self::Binary(_) => return Vec::new(),
        };
        vec![hint.to_owned()]
    }
}

impl AgentError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Garbage { .. } => vec![
                "something on the host prints into the agent's output; is it the login shell's \
                 profile, or a `ForceCommand`?"
                    .to_owned(),
            ],
            Self::Ended { .. } | Self::Silent | Self::Gone => {
                vec!["run the same command again: it continues where it stopped".to_owned()]
            }
            _ => Vec::new(),
        }
    }
}
