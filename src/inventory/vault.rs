//! Texts that are encrypted with `ansible-vault`: its formats 1.1 and 1.2, cipher AES256.
//!
//! ```text
//! $ANSIBLE_VAULT;1.2;AES256;label
//! hexadecimal of: hexadecimal salt, line end, hexadecimal HMAC, line end, hexadecimal ciphertext
//! ```
//!
//! The password and the salt make three keys by PBKDF2 with SHA-256: for AES-256 in counter mode, for the
//! HMAC of the ciphertext, and the first counter.

use std::num::NonZeroU32;

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use ring::{hmac, pbkdf2};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// How an encrypted text begins.
const MARK: &str = "$ANSIBLE_VAULT;";

/// As ansible-vault has it.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(10_000).unwrap();
const KEY: usize = 32;
const COUNTER: usize = 16;

/// Opens encrypted texts, if there is a password.
#[derive(Clone, Debug, Default)]
pub struct Vault {
    password: Option<Secret>,
}

/// Why a text stays closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error("kinstall has no password for it")]
    NoPassword,
    #[error("the password is another one, or the text is damaged")]
    WrongPassword,
    #[error("it isn't in the form that ansible-vault writes today (`$ANSIBLE_VAULT;1.1;AES256`)")]
    OtherFormat,
}

impl Vault {
    /// Opens texts with a password.
    pub fn with_password(password: Secret) -> Self {
        Self {
            password: Some(password),
        }
    }

    /// Tells whether a text is encrypted.
    pub fn is_encrypted(text: &str) -> bool {
        text.trim_start().starts_with(MARK)
    }

    /// Decrypts a text, with its header line.
    pub fn open(&self, text: &str) -> Result<String, VaultError> {
        let (header, body) = text
            .trim_start()
            .split_once('\n')
            .ok_or(VaultError::OtherFormat)?;
        let is_known = ["1.1;AES256", "1.2;AES256"].iter().any(|known| {
            let rest = header.trim_end().strip_prefix(MARK);
            rest.and_then(|rest| rest.strip_prefix(known))
                .is_some_and(|label| label.is_empty() || label.starts_with(';'))
        });
        if !is_known {
            return Err(VaultError::OtherFormat);
        }
        let password = self.password.as_ref().ok_or(VaultError::NoPassword)?;
        let body: String = body.split_whitespace().collect();
        let inner = bytes(body.as_bytes())?;
        let mut parts = inner.split(|byte| *byte == b'\n').map(bytes);
        let mut part = || parts.next().unwrap_or(Err(VaultError::OtherFormat));
        let (salt, tag, mut text) = (part()?, part()?, Zeroizing::new(part()?));

        let mut keys = Zeroizing::new([0; 2 * KEY + COUNTER]);
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            ITERATIONS,
            &salt,
            password.expose().as_bytes(),
            &mut *keys,
        );
        let (key, rest) = keys.split_at(KEY);
        let (tag_key, counter) = rest.split_at(KEY);
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, tag_key), &text, &tag)
            .map_err(|_| VaultError::WrongPassword)?;
        let mut cipher = Ctr128BE::<Aes256>::new_from_slices(key, counter)
            .map_err(|_| VaultError::OtherFormat)?;
        cipher.apply_keystream(&mut text);
        let plain = unpadded(&text).ok_or(VaultError::OtherFormat)?;
        String::from_utf8(plain.to_vec()).map_err(|_| VaultError::OtherFormat)
    }
}

/// Leaves out the padding of PKCS#7: as many bytes as their value says.
fn unpadded(bytes: &[u8]) -> Option<&[u8]> {
    let count = usize::from(*bytes.last()?);
    bytes.get(..bytes.len().checked_sub(count)?)
}

/// Decodes hexadecimal digits.
fn bytes(digits: &[u8]) -> Result<Vec<u8>, VaultError> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let decoded: Option<Vec<u8>> = digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
            _ => None,
        })
        .collect();
    decoded.ok_or(VaultError::OtherFormat)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by `ansible-vault encrypt_string`, once without and once with `--vault-id lab@…`.
    const PLAIN: &str = include_str!("../../tests/fixtures/vault/plain.vault");
    const LABELLED: &str = include_str!("../../tests/fixtures/vault/labelled.vault");

    fn vault(password: &str) -> Vault {
        Vault::with_password(Secret::new(password))
    }

    #[test]
    fn texts_of_ansible_vault_are_opened() {
        for text in [PLAIN, LABELLED, &format!("  {PLAIN}")] {
            assert!(Vault::is_encrypted(text));
            assert_eq!(vault("open sesame").open(text).unwrap(), "schön: geheim\n");
        }
    }

    #[test]
    fn what_stays_closed_says_why() {
        let damaged = PLAIN.replacen('3', "4", 1);
        let cases = [
            (Vault::default().open(PLAIN), VaultError::NoPassword),
            (vault("other").open(PLAIN), VaultError::WrongPassword),
            (
                vault("x").open("$ANSIBLE_VAULT;1.0;AES\n00"),
                VaultError::OtherFormat,
            ),
            (
                vault("x").open("$ANSIBLE_VAULT;1.1;AES256"),
                VaultError::OtherFormat,
            ),
            (
                vault("x").open("$ANSIBLE_VAULT;1.1;AES256\nzz\n"),
                VaultError::OtherFormat,
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found.unwrap_err(), expected);
        }
        assert!(vault("open sesame").open(&damaged).is_err());
    }
}
