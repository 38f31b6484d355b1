//! What lets a browser in, and nobody else on this computer.

use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::error::Unspecified;
use ring::rand::{SecureRandom as _, SystemRandom};
use subtle::ConstantTimeEq as _;

use crate::secret::Secret;

/// The address that is printed lets one browser in, which gets a key; whoever finds the address later, in a list of
/// processes or a history, finds it used.
///
/// The key is no cookie: browsers send cookies to every port of a host.
pub(super) struct Token {
    entry: Secret,
    is_used: AtomicBool,
    key: Secret,
}

impl Token {
    pub(super) fn new() -> Result<Self, Unspecified> {
        Ok(Self {
            entry: random()?,
            is_used: AtomicBool::new(false),
            key: random()?,
        })
    }

    /// Returns what belongs into the printed address.
    pub(super) fn entry(&self) -> &str {
        self.entry.expose()
    }

    /// Takes the token of an address, once, for the key.
    pub(super) fn exchange(&self, presented: &str) -> Option<&Secret> {
        let is_right = are_equal(presented, self.entry.expose());
        (is_right && !self.is_used.swap(true, Ordering::SeqCst)).then_some(&self.key)
    }

    /// Tells whether the browser has got in before, by the `Authorization` header that its page sends.
    pub(super) fn is_in(&self, header: &str) -> bool {
        let key = header.strip_prefix("Bearer ");
        key.is_some_and(|it| are_equal(it, self.key.expose()))
    }
}

/// How long it takes tells nothing about where they differ.
fn are_equal(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

fn random() -> Result<Secret, Unspecified> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::Token;

    #[test]
    fn an_address_lets_one_browser_in() {
        let token = Token::new().unwrap();
        assert!(token.exchange("").is_none());
        assert!(token.exchange("guessed").is_none());
        let key = token.exchange(token.entry()).unwrap().expose();
        assert!(token.exchange(token.entry()).is_none(), "a second time");

        let sent = format!("Bearer {key}");
        assert!(token.is_in(&sent));
        assert!(!token.is_in(&sent[..sent.len() - 1]));
        assert!(!token.is_in(key));
        assert!(!token.is_in("Bearer "));
        assert!(!token.is_in(&format!("Bearer {}", token.entry())));
        assert!(!Token::new().unwrap().is_in(&sent), "of another run");
    }
}
