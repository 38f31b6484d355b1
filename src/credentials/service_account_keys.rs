//! The keys that sign and check the tokens of service accounts.

use super::pki::KeyPem;
use super::rotating_keys::{RotatingKey, RotatingKeys};
use crate::secret::Secret;

/// The keys of a cluster's service accounts. Each is accepted, the first one signs.
pub type ServiceAccountKeys = RotatingKeys<KeyPem>;

impl ServiceAccountKeys {
    /// Returns the key that signs.
    pub fn private(&self) -> &Secret {
        // There is always one.
        &self.active()[0].secret().private
    }

    /// Returns the public keys whose tokens are accepted, in PEM one after another, that of the key that signs first.
    pub fn public(&self) -> String {
        let active = self.active().iter().map(RotatingKey::secret);
        active.map(|key| key.public.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::credentials::rotating_keys::GRACE;

    fn key(name: &str) -> KeyPem {
        KeyPem {
            public: format!("{name}\n"),
            private: Secret::new(format!("private {name}")),
        }
    }

    #[test]
    fn a_key_is_accepted_before_it_signs_and_after_it_has_signed() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let mut keys = ServiceAccountKeys::of(key("old"));
        let plain = serde_json::to_string(&key("old")).unwrap();
        assert_eq!(serde_json::to_string(&keys).unwrap(), plain);
        keys.begin_rotation(key("new"));
        let mut seen = Vec::new();
        while keys.next_step().is_some() {
            // Kept and read again, as after a kill; a second rotation doesn't begin meanwhile.
            keys = serde_json::from_str(&serde_json::to_string(&keys).unwrap()).unwrap();
            keys.begin_rotation(key("another"));
            let until = keys.accepted_until();
            let goes_on = keys.clone().advance_at(now);
            seen.push((
                keys.private().expose().to_owned(),
                keys.public(),
                until,
                goes_on,
            ));
            keys.advance_at(now);
        }
        let until = Some(now + GRACE);
        let expected = [
            ("private old", "old\nnew\n", None, true),
            ("private new", "new\nold\n", None, false),
            ("private new", "new\nold\n", until, true),
            ("private new", "new\n", None, false),
        ];
        let expected = expected.map(|(private, public, until, goes_on)| {
            (private.to_owned(), public.to_owned(), until, goes_on)
        });
        assert_eq!(seen, expected);
    }
}
