//! One line of a known_hosts file, with the format's hashed names, patterns and markers.

use ring::hmac;
use russh::keys::PublicKey;
use russh::keys::ssh_key::known_hosts::{Entry, HostPatterns, Marker};

/// A line that names a key.
pub(super) struct Line {
    /// One-based.
    pub(super) number: usize,
    pub(super) key: PublicKey,
    /// `@revoked`: this key must not be accepted.
    pub(super) revoked: bool,
    hosts: HostPatterns,
}

impl Line {
    /// Returns `None` for comments, empty and damaged lines, and for certificate authorities, which
    /// kinstall doesn't ask hosts for.
    pub(super) fn parse(number: usize, text: &str) -> Option<Self> {
        let entry: Entry = text.trim().parse().ok()?;
        let revoked = match entry.marker() {
            None => false,
            Some(Marker::Revoked) => true,
            Some(Marker::CertAuthority) => return None,
        };
        Some(Self {
            number,
            key: entry.public_key().clone(),
            revoked,
            hosts: entry.host_patterns().clone(),
        })
    }

    /// Tells whether this line is about the host that known_hosts calls `address`.
    pub(super) fn matches(&self, address: &str) -> bool {
        match &self.hosts {
            HostPatterns::HashedName { salt, hash } => {
                // The format fixes SHA-1; it only hides names, nothing is trusted because of it.
                let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
                hmac::verify(&key, address.as_bytes(), hash).is_ok()
            }
            HostPatterns::Patterns(patterns) => {
                let matches = |pattern: &str| glob(pattern.as_bytes(), address.as_bytes());
                let excluded = |pattern: &String| pattern.strip_prefix('!').is_some_and(matches);
                patterns.iter().any(|pattern| matches(pattern)) && !patterns.iter().any(excluded)
            }
        }
    }

    /// Tells whether this line's key is `key`; comments don't count.
    pub(super) fn is(&self, key: &PublicKey) -> bool {
        self.key.key_data() == key.key_data()
    }
}

/// Matches `*` (any text) and `?` (any character), without regard to case.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=text.len()).any(|skipped| glob(rest, &text[skipped..])),
        (Some((b'?', rest)), Some((_, text))) => glob(rest, text),
        (Some((letter, rest)), Some((other, text))) => {
            letter.eq_ignore_ascii_case(other) && glob(rest, text)
        }
        _ => false,
    }
}
