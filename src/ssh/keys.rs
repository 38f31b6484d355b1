//! Ed25519 keys: the lab's own key, and host keys that machines get before first contact.

use std::io;
use std::path::{Path, PathBuf};

use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, HashAlg, PrivateKey, key};

use crate::private_file;
use crate::secret::Secret;

/// A private key and its public line, both in OpenSSH's text format.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// `-----BEGIN OPENSSH PRIVATE KEY-----` …
    pub private: Secret,
    /// `ssh-ed25519 AAAA… comment`, as it stands in `authorized_keys`.
    pub public: String,
}

/// Why a key can't be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("failed to {action} key `{path}`")]
    File {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("`{path}` isn't a private key that can be used")]
    Unusable {
        path: PathBuf,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("failed to make a key")]
    Make(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl KeyPair {
    /// Makes a new ed25519 key.
    pub fn generate(comment: &str) -> Result<Self, KeyError> {
        let mut private = PrivateKey::random(&mut key::safe_rng(), Algorithm::Ed25519)
            .map_err(|error| KeyError::Make(error.into()))?;
        private.set_comment(comment);
        Self::from_private(&private).map_err(|error| KeyError::Make(error.into()))
    }

    /// Reads the key at `path`, or makes one and saves it there.
    pub fn load_or_generate(path: &Path, comment: &str) -> Result<Self, KeyError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&Secret::new(text), path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pair = Self::generate(comment)?;
                pair.save(path)?;
                Ok(pair)
            }
            Err(source) => Err(KeyError::File {
                action: "read",
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Writes the private key to `path`, mode 0600, and the public line beside it as `path.pub`.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        let mut public = path.as_os_str().to_owned();
        public.push(".pub");
        let line = format!("{}\n", self.public);
        private_file::write(path, self.private.expose().as_bytes())
            .and_then(|()| private_file::write(Path::new(&public), line.as_bytes()))
            .map_err(|source| KeyError::File {
                action: "write",
                path: path.to_owned(),
                source,
            })
    }

    fn parse(text: &Secret, path: &Path) -> Result<Self, KeyError> {
        PrivateKey::from_openssh(text.expose())
            .and_then(|private| Self::from_private(&private))
            .map_err(|error| KeyError::Unusable {
                path: path.to_owned(),
                source: error.into(),
            })
    }

    fn from_private(private: &PrivateKey) -> Result<Self, russh::keys::ssh_key::Error> {
        Ok(Self {
            private: Secret::new(private.to_openssh(LineEnding::LF)?.as_str()),
            public: private.public_key().to_openssh()?,
        })
    }
}

/// Returns the SHA256 fingerprint of a public line, as `ssh-keygen -l` shows it.
pub fn fingerprint(public: &str) -> Option<String> {
    let key = russh::keys::PublicKey::from_openssh(public).ok()?;
    Some(key.fingerprint(HashAlg::Sha256).to_string())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{KeyPair, fingerprint};

    #[test]
    fn a_key_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/lab");
        let made = KeyPair::load_or_generate(&path, "kinstall lab").unwrap();
        let read = KeyPair::load_or_generate(&path, "other").unwrap();
        assert_eq!(made.public, read.public);
        assert_eq!(made.private, read.private);
        assert!(made.public.starts_with("ssh-ed25519 "));
        assert!(made.public.ends_with(" kinstall lab"));
        let permissions = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(permissions(&path), 0o600);
        assert_eq!(permissions(&folder.path().join("keys")), 0o700);
        let public = std::fs::read_to_string(folder.path().join("keys/lab.pub")).unwrap();
        assert_eq!(public.trim_end(), made.public);
    }

    #[test]
    fn a_broken_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lab");
        std::fs::write(&path, "not a key").unwrap();
        let error = KeyPair::load_or_generate(&path, "x").unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()));
    }

    #[test]
    fn fingerprint_is_that_of_ssh_keygen() {
        let line =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ x";
        // From `ssh-keygen -lf`.
        assert_eq!(
            fingerprint(line).unwrap(),
            "SHA256:T7SvZ2cslqpPj6nKzitCBHHlpVF3r3MvLwmFL0fk0IE"
        );
        assert_eq!(fingerprint("nonsense"), None);
    }
}
