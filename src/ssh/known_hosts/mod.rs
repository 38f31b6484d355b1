//! Which key each host has: the lab's own known_hosts file, and the user's for hosts that they know.
//!
//! Machines that kinstall makes get their host key from kinstall ([`KnownHosts::learn`]), so that even
//! the first connection is verified. A host that answers with another key than the known one is
//! never talked to.

mod line;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::keys::{Algorithm, HashAlg, PublicKey};

use crate::private_file;
use line::Line;

/// The files that host keys are checked against.
#[derive(Clone, Debug)]
pub struct KnownHosts {
    file: PathBuf,
    trusted: Vec<PathBuf>,
    policy: Policy,
    /// Hosts are connected to in parallel, and each may add a line to the file.
    writing: Arc<Mutex<()>>,
    /// What the user hasn't been shown yet.
    accepted: Arc<Mutex<Vec<NewHostKey>>>,
}

/// A host key that was accepted without being known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHostKey {
    /// As it stands in known_hosts: `host`, or `[host]:port`.
    pub address: String,
    /// SHA256, as `ssh-keygen -l` shows it.
    pub fingerprint: String,
}

/// What to do with a host that no file knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Trust the key that it shows, remember it, and let the user see the fingerprint.
    AcceptNew,
    /// Refuse.
    Strict,
}

/// Why a host isn't the one that we know.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    #[error(
        "host key of {address} has changed: `{file}` line {line} says {known}, the host showed {shown}"
    )]
    Changed {
        address: String,
        file: PathBuf,
        line: usize,
        /// SHA256 fingerprints.
        known: String,
        shown: String,
    },
    #[error("host key of {address} is marked as revoked in `{file}` line {line}: {shown}")]
    Revoked {
        address: String,
        file: PathBuf,
        line: usize,
        shown: String,
    },
    #[error("host key of {address} isn't known: the host showed {shown}")]
    Unknown { address: String, shown: String },
    #[error("failed to {action} `{path}`")]
    File {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

/// The key is right.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Known,
    /// It was new and is remembered from now on.
    Accepted,
}

impl KnownHosts {
    /// Checks against `file`, which needn't exist; keys that are learned are written there.
    pub fn new(file: impl Into<PathBuf>, policy: Policy) -> Self {
        Self {
            file: file.into(),
            trusted: Vec::new(),
            policy,
            writing: Arc::default(),
            accepted: Arc::default(),
        }
    }

    /// Also believes a file that is never written: the user's `~/.ssh/known_hosts`.
    #[must_use]
    pub fn trusting(mut self, file: impl Into<PathBuf>) -> Self {
        self.trusted.push(file.into());
        self
    }

    /// Remembers a host's key (a public line); replaces what was known of this host.
    pub fn learn(&self, host: &str, port: u16, public: &str) -> Result<(), HostKeyError> {
        let mut words = public.split_whitespace();
        let key = [words.next(), words.next()].map(Option::unwrap_or_default);
        let address = address(host, port);
        let line = format!("{address} {}", key.join(" "));
        self.rewrite(&address, Some(&line))
    }

    /// Forgets a host: its machine was destroyed.
    pub fn forget(&self, host: &str, port: u16) -> Result<(), HostKeyError> {
        self.rewrite(&address(host, port), None)
    }

    /// Returns the keys that were accepted since the last call, jump hosts' included: the user has to
    /// see them, even where the login failed afterwards.
    pub fn take_accepted(&self) -> Vec<NewHostKey> {
        std::mem::take(&mut *self.not_shown())
    }

    /// Decides about the key that a host showed.
    pub(super) fn verify(
        &self,
        host: &str,
        port: u16,
        shown: &PublicKey,
    ) -> Result<Verdict, HostKeyError> {
        let address = address(host, port);
        let fingerprint = shown.fingerprint(HashAlg::Sha256).to_string();
        for file in self.files() {
            let lines = matching(file, &address)?;
            if let Some(line) = lines.iter().find(|line| line.revoked && line.is(shown)) {
                return Err(HostKeyError::Revoked {
                    address,
                    file: file.to_owned(),
                    line: line.number,
                    shown: fingerprint,
                });
            }
            let mut keys = lines.iter().filter(|line| !line.revoked);
            if keys.clone().any(|line| line.is(shown)) {
                return Ok(Verdict::Known);
            }
            if let Some(line) = keys.next() {
                return Err(HostKeyError::Changed {
                    address,
                    file: file.to_owned(),
                    line: line.number,
                    known: line.key.fingerprint(HashAlg::Sha256).to_string(),
                    shown: fingerprint,
                });
            }
        }
        match self.policy {
            Policy::Strict => Err(HostKeyError::Unknown {
                address,
                shown: fingerprint,
            }),
            Policy::AcceptNew => {
                let public = shown.to_openssh().map_err(|error| HostKeyError::File {
                    action: "write",
                    path: self.file.clone(),
                    source: io::Error::other(error),
                })?;
                self.learn(host, port, &public)?;
                self.not_shown().push(NewHostKey {
                    address,
                    fingerprint,
                });
                Ok(Verdict::Accepted)
            }
        }
    }

    /// Returns the kinds of keys that are known of a host: it must be asked for one of these, or it
    /// may show another, unknown one.
    pub(super) fn algorithms(&self, host: &str, port: u16) -> Result<Vec<Algorithm>, HostKeyError> {
        let address = address(host, port);
        let mut algorithms = Vec::new();
        for file in self.files() {
            let lines = matching(file, &address)?;
            algorithms.extend(lines.into_iter().map(|line| line.key.algorithm()));
        }
        Ok(algorithms)
    }

    fn files(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(&self.file)
            .chain(&self.trusted)
            .map(PathBuf::as_path)
    }

    fn not_shown(&self) -> MutexGuard<'_, Vec<NewHostKey>> {
        // A panic elsewhere can't have left the list half-changed.
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rewrite(&self, address: &str, line: Option<&str>) -> Result<(), HostKeyError> {
        // The lock guards no data that a panic could have left half-changed.
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let text = read(&self.file)?;
        let mut lines: Vec<&str> = text
            .lines()
            .filter(|old| {
                !Line::parse(0, old).is_some_and(|old| old.matches(address) && !old.revoked)
            })
            .collect();
        lines.extend(line);
        let mut new = lines.join("\n");
        if !new.is_empty() {
            new.push('\n');
        }
        private_file::write(&self.file, new.as_bytes()).map_err(|source| HostKeyError::File {
            action: "write",
            path: self.file.clone(),
            source,
        })
    }
}

/// Returns a host's name in known_hosts: `host`, or `[host]:port` for another port than 22.
fn address(host: &str, port: u16) -> String {
    match port {
        22 => host.to_owned(),
        port => format!("[{host}]:{port}"),
    }
}

fn matching(file: &Path, address: &str) -> Result<Vec<Line>, HostKeyError> {
    let text = read(file)?;
    Ok((1..)
        .zip(text.lines())
        .filter_map(|(number, text)| Line::parse(number, text))
        .filter(|line| line.matches(address))
        .collect())
}

fn read(file: &Path) -> Result<String, HostKeyError> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(HostKeyError::File {
            action: "read",
            path: file.to_owned(),
            source,
        }),
    }
}

#[cfg(test)]
mod tests;
