//! Logs in: one key at a time, in a fixed order, and an error that says what was tried.
//!
//! sshd allows six attempts per connection and, from OpenSSH 9.8 on, locks out addresses that fail
//! often. So the likeliest key comes first, the number of keys is limited, and nothing here retries.

use std::path::Path;
use std::sync::Arc;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodKind, MethodSet};
use tracing::debug;

use super::client::Client;
use super::credentials::{Credentials, decode, read};
use super::error::SshError;
use super::keys::KeyError;
use super::refusal::Attempt;
use super::user_agent;
use crate::secret::Secret;

/// Keys that are offered at most; sshd's limit is six attempts, and one is left for the password.
const MAX_KEYS: usize = 5;

/// What a login was done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    /// [`Credentials::identity`].
    LabKey,
    /// Another key.
    Key,
    Password,
}

/// A login that is under way.
pub(super) struct Login<'a> {
    handle: &'a mut Handle<Client>,
    user: &'a str,
    attempts: Vec<Attempt>,
    offered: Vec<PublicKey>,
    accepted: MethodSet,
}

impl<'a> Login<'a> {
    pub(super) fn new(handle: &'a mut Handle<Client>, user: &'a str) -> Self {
        Self {
            handle,
            user,
            attempts: Vec::new(),
            offered: Vec::new(),
            accepted: MethodSet::client_supported(),
        }
    }

    /// Tries the credentials in turn; the attempts and the methods that are left, if none was right.
    pub(super) async fn run(
        mut self,
        credentials: &Credentials<'_>,
    ) -> Result<Result<Credential, (Vec<Attempt>, Vec<String>)>, SshError> {
        if let Some(pair) = credentials.identity {
            let key = decode(pair.private.expose(), Path::new("lab key"))?;
            let name = "kinstall's key for this lab".to_owned();
            if self.key(name, key).await? {
                return Ok(Ok(Credential::LabKey));
            }
        }
        if self.keys(credentials).await? {
            return Ok(Ok(Credential::Key));
        }
        if let Some(password) = credentials.password
            && self.password(password).await?
        {
            return Ok(Ok(Credential::Password));
        }
        let accepted = self.accepted.iter().map(String::from).collect();
        Ok(Err((self.attempts, accepted)))
    }

    /// Offers the inventory's and the user's own keys.
    async fn keys(&mut self, credentials: &Credentials<'_>) -> Result<bool, SshError> {
        if let Some(path) = credentials.private_key {
            let text = read(path)?;
            if self.key_file(path, &text).await? {
                return Ok(true);
            }
        }
        if let Some(socket) = &credentials.user_keys.agent
            && self.agent(socket).await?
        {
            return Ok(true);
        }
        if let Some(folder) = &credentials.user_keys.folder {
            for name in ["id_ed25519", "id_ecdsa", "id_rsa"] {
                let path = folder.join(name);
                // A key that isn't there or can't be read is no default key.
                if let Ok(text) = read(&path)
                    && self.key_file(&path, &text).await?
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    async fn key_file(&mut self, path: &Path, text: &Secret) -> Result<bool, SshError> {
        let name = format!("key ‘{}’", path.display());
        match decode(text.expose(), path) {
            Ok(key) => self.key(name, key).await,
            Err(KeyError::Unusable { source, .. }) => {
                self.skip(name, source);
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn key(&mut self, name: String, key: PrivateKey) -> Result<bool, SshError> {
        let public = key.public_key().clone();
        if key.is_encrypted() {
            if !self.was_offered(&public) {
                self.skip(name, "it needs a passphrase");
            }
            return Ok(false);
        }
        if !self.may_offer(&name, &public) {
            return Ok(false);
        }
        let hash = self.rsa_hash(&public).await?;
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
        let result = self.handle.authenticate_publickey(self.user, key).await?;
        Ok(self.judge(name, result))
    }

    async fn agent(&mut self, socket: &Path) -> Result<bool, SshError> {
        let listed = async {
            let mut agent = user_agent::connect(socket).await?;
            let identities = agent.request_identities().await?;
            Ok::<_, russh::keys::Error>((agent, identities))
        };
        let (mut agent, identities) = match listed.await {
            Ok(listed) => listed,
            Err(error) => {
                self.skip("ssh-agent".to_owned(), error);
                return Ok(false);
            }
        };
        for identity in identities {
            let AgentIdentity::PublicKey { key, comment } = identity else {
                continue;
            };
            let name = format!("ssh-agent's key ‘{comment}’");
            if !self.may_offer(&name, &key) {
                continue;
            }
            let hash = self.rsa_hash(&key).await?;
            let result = self
                .handle
                .authenticate_publickey_with(self.user, key, hash, &mut agent)
                .await;
            match result {
                Ok(result) => {
                    if self.judge(name, result) {
                        return Ok(true);
                    }
                }
                // The agent's user may decline each signature.
                Err(error) => self.skip(name, error),
            }
        }
        Ok(false)
    }

    /// Uses the password with whichever of the two methods the host offers for it.
    async fn password(&mut self, password: &Secret) -> Result<bool, SshError> {
        if self.handle.is_closed() {
            return Ok(false);
        }
        if self.accepts(MethodKind::Password) {
            let result = self
                .handle
                .authenticate_password(self.user, password.expose())
                .await?;
            if self.judge("password".to_owned(), result) {
                return Ok(true);
            }
            if self.accepts(MethodKind::Password) {
                return Ok(false);
            }
            // The host never took this method; it only couldn't say so before the first attempt.
            self.attempts.pop();
        }
        if self.accepts(MethodKind::KeyboardInteractive) {
            return self.keyboard_interactive(password).await;
        }
        self.skip("password".to_owned(), "the host takes no passwords");
        Ok(false)
    }

    async fn keyboard_interactive(&mut self, password: &Secret) -> Result<bool, SshError> {
        let mut response = self
            .handle
            .authenticate_keyboard_interactive_start(self.user, None)
            .await?;
        let mut answered = false;
        loop {
            match response {
                KeyboardInteractiveAuthResponse::Success => {
                    return Ok(self.judge("password".to_owned(), AuthResult::Success));
                }
                KeyboardInteractiveAuthResponse::Failure {
                    remaining_methods,
                    partial_success,
                } => {
                    let result = AuthResult::Failure {
                        remaining_methods,
                        partial_success,
                    };
                    return Ok(self.judge("password".to_owned(), result));
                }
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                    let secret = prompts.iter().filter(|prompt| !prompt.echo).count();
                    // A second question would be for something else, such as a one-time code.
                    if secret > 1 || (secret == 1 && answered) || prompts.len() > secret {
                        let asked = prompts.first().map(|prompt| prompt.prompt.trim());
                        let asked = asked.unwrap_or_default();
                        let reason =
                            format!("the host asks `{asked}`, which only a person can answer");
                        self.skip("password".to_owned(), reason);
                        return Ok(false);
                    }
                    answered |= secret == 1;
                    let answers = vec![password.expose().to_owned(); secret];
                    response = self
                        .handle
                        .authenticate_keyboard_interactive_respond(answers)
                        .await?;
                }
            }
        }
    }

    /// Returns the hash to sign with: RSA keys with SHA-2, never with the SHA-1 of old.
    async fn rsa_hash(&self, key: &PublicKey) -> Result<Option<HashAlg>, SshError> {
        if !matches!(key.algorithm(), Algorithm::Rsa { .. }) {
            return Ok(None);
        }
        let best = self.handle.best_supported_rsa_hash().await?.flatten();
        Ok(best.or(Some(HashAlg::Sha512)))
    }

    fn may_offer(&mut self, name: &str, key: &PublicKey) -> bool {
        if self.handle.is_closed() || self.was_offered(key) {
            return false;
        }
        if !self.accepts(MethodKind::PublicKey) {
            self.skip(name.to_owned(), "the host takes no keys");
            return false;
        }
        if self.offered.len() == MAX_KEYS {
            let reason = format!("{MAX_KEYS} keys were refused already");
            self.skip(name.to_owned(), reason);
            return false;
        }
        self.offered.push(key.clone());
        true
    }

    fn was_offered(&self, key: &PublicKey) -> bool {
        let mut offered = self.offered.iter();
        offered.any(|other| other.key_data() == key.key_data())
    }

    fn judge(&mut self, credential: String, result: AuthResult) -> bool {
        match result {
            AuthResult::Success => {
                debug!(user = self.user, credential, "logged in");
                true
            }
            AuthResult::Failure {
                remaining_methods,
                partial_success,
            } => {
                debug!(
                    user = self.user,
                    credential, partial_success, "login refused"
                );
                let note = partial_success.then(|| "accepted, but the host wants more".to_owned());
                self.accepted = remaining_methods;
                self.attempts.push(Attempt { credential, note });
                false
            }
        }
    }

    fn skip(&mut self, credential: String, reason: impl std::fmt::Display) {
        debug!(user = self.user, credential, %reason, "login not tried");
        self.attempts.push(Attempt {
            credential,
            note: Some(format!("not offered: {reason}")),
        });
    }

    fn accepts(&self, method: MethodKind) -> bool {
        self.accepted.contains(&method)
    }
}
