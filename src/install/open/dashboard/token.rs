//! What lets a browser in, and nobody else on this computer.

use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::error::Unspecified;
use ring::rand::{SecureRandom as _, SystemRandom};
use subtle::ConstantTimeEq as _;

use crate::secret::Secret;

/// The address that is printed lets one browser in, which gets a cookie; whoever finds the address later, in a list of
/// processes or a history, finds it used.
pub(super) struct Token {
    entry: Secret,
    is_used: AtomicBool,
    cookie: Secret,
    cookie_name: String,
}

impl Token {
    /// Makes one for the page at a port: browsers keep the cookies of all ports together.
    pub(super) fn new(port: u16) -> Result<Self, Unspecified> {
        Ok(Self {
            entry: random()?,
            is_used: AtomicBool::new(false),
            cookie: random()?,
            cookie_name: format!("kinstall-dashboard-{port}"),
        })
    }

    /// Returns what belongs into the printed address.
    pub(super) fn entry(&self) -> &str {
        self.entry.expose()
    }

    /// Takes the token of an address, once, for a cookie.
    pub(super) fn exchange(&self, presented: &str) -> Option<String> {
        let is_right = are_equal(presented, self.entry.expose());
        if !is_right || self.is_used.swap(true, Ordering::SeqCst) {
            return None;
        }
        let (name, value) = (&self.cookie_name, self.cookie.expose());
        Some(format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict"))
    }

    /// Tells whether the browser has got in before, by the `Cookie` header that it sends.
    pub(super) fn is_in(&self, header: &str) -> bool {
        let cookies = header.split(';').filter_map(|it| it.trim().split_once('='));
        let mut ours = cookies.filter(|(name, _)| *name == self.cookie_name);
        ours.any(|(_, value)| are_equal(value, self.cookie.expose()))
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
        let token = Token::new(8000).unwrap();
        assert_eq!(token.exchange(""), None);
        assert_eq!(token.exchange("guessed"), None);
        let cookie = token.exchange(token.entry()).unwrap();
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"));
        assert_eq!(token.exchange(token.entry()), None, "a second time");

        let sent = cookie.split(';').next().unwrap();
        assert!(token.is_in(sent));
        assert!(token.is_in(&format!("theme=dark; {sent}")));
        assert!(!token.is_in(&sent[..sent.len() - 1]));
        assert!(!token.is_in("kinstall-dashboard-8000="));
        assert!(!token.is_in(&format!("kinstall-dashboard-8000={}", token.entry())));
        assert!(!Token::new(8000).unwrap().is_in(sent), "of another run");
    }
}
