//! A refused login, with all that was tried.

use std::fmt;

/// The host wants nothing of what we have.
#[derive(Debug, thiserror::Error)]
#[error("{user}@{address} refused the login; {}", tried(.attempts))]
pub struct Refusal {
    pub user: String,
    pub address: String,
    pub attempts: Vec<Attempt>,
    /// Methods that the host would still accept: `publickey`, `password`; empty if it hung up.
    pub accepted: Vec<String>,
    /// What the host said about it; empty if nothing.
    pub banner: String,
}

impl Refusal {
    /// Tells whether the host refuses everybody but root because it is just booting.
    pub fn is_booting(&self) -> bool {
        self.banner.contains("pam_nologin(8)")
    }
}

/// One way to log in.
#[derive(Debug, PartialEq, Eq)]
pub struct Attempt {
    /// `key ‘/home/me/.ssh/id_ed25519’`.
    pub credential: String,
    /// What else there is to say: why it wasn't even offered.
    pub note: Option<String>,
}

impl fmt::Display for Attempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.credential)?;
        match &self.note {
            Some(note) => write!(formatter, " ({note})"),
            None => Ok(()),
        }
    }
}

fn tried(attempts: &[Attempt]) -> String {
    if attempts.is_empty() {
        return "there was no key and no password to try".to_owned();
    }
    let attempts: Vec<String> = attempts.iter().map(ToString::to_string).collect();
    format!("tried {}", attempts.join(", "))
}
