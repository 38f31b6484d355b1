//! What there is to log in with.

use std::path::{Path, PathBuf};

use russh::keys::PrivateKey;

use super::keys::{KeyError, KeyPair};
use super::user_agent;
use crate::secret::Secret;

/// The user's own keys, tried after those that the inventory names.
#[derive(Clone, Debug, Default)]
pub struct UserKeys {
    /// Socket (Windows: pipe) of the running ssh-agent.
    pub agent: Option<PathBuf>,
    /// Folder that holds `id_ed25519` and the like: `~/.ssh`.
    pub folder: Option<PathBuf>,
}

impl UserKeys {
    /// Takes the running agent and the keys in `~/.ssh`.
    pub fn from_environment() -> Self {
        Self {
            agent: user_agent::address(),
            folder: std::env::home_dir().map(|home| home.join(".ssh")),
        }
    }
}

/// All credentials for one host.
pub(super) struct Credentials<'a> {
    pub(super) identity: Option<&'a KeyPair>,
    pub(super) private_key: Option<&'a Path>,
    pub(super) user_keys: &'a UserKeys,
    pub(super) password: Option<&'a Secret>,
}

/// Reads a private key's text.
pub(super) fn read(path: &Path) -> Result<Secret, KeyError> {
    let text = std::fs::read_to_string(path).map_err(|source| KeyError::File {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    Ok(Secret::new(text))
}

/// Decodes a private key of any usual format; it may still be encrypted.
pub(super) fn decode(text: &str, path: &Path) -> Result<PrivateKey, KeyError> {
    // OpenSSH's own format shows its public key without the passphrase; the others don't.
    PrivateKey::from_openssh(text)
        .or_else(|_| russh::keys::decode_secret_key(text, None))
        .map_err(|error| KeyError::Unusable {
            path: path.to_owned(),
            source: error.into(),
        })
}
