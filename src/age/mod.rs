//! Files that are encrypted with a passphrase, in version 1 of the format of `age` (<https://age-encryption.org/v1>), so that
//! `age --decrypt` opens them where kinstall isn't there.
//!
//! ```text
//! age-encryption.org/v1
//! -> scrypt SALT LOGARITHM-OF-THE-WORK
//! the file's key, encrypted with a key that scrypt makes of the passphrase and the salt
//! --- HMAC of the lines before
//! a nonce, then chunks of 64 KiB, each encrypted and authenticated, the last one marked as such
//! ```
//!
//! A file that was cut off or changed anywhere is noticed: at the latest where its last chunk should be.

mod header;
mod reader;
mod writer;

use ring::aead::{CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

pub use self::reader::Reader;
pub use self::writer::Writer;

/// How much work it is to try a passphrase, as a power of two: 2^18 takes a second and 256 MiB.
pub const WORK: u8 = 18;

const NONCE: usize = 16;
const CHUNK: usize = 64 << 10;
const TAG: usize = 16;

/// The key that a file's header hides.
type FileKey = Zeroizing<[u8; 16]>;

/// Why a file can't be opened or read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgeError {
    #[error("it is not a file that kinstall or age encrypted")]
    OtherFormat,
    #[error("it is encrypted for a key, and kinstall opens files with a passphrase only")]
    NoPassphrase,
    #[error("it asks for 2^{work} steps to try a passphrase, which is more than kinstall does")]
    TooMuchWork { work: u8 },
    #[error("the passphrase is another one, or the file's header was changed")]
    WrongPassphrase,
    #[error("it was cut off or changed")]
    Damaged,
    #[error("the system gives no random bytes")]
    NoRandom,
}

/// Returns the key of a file's chunks.
fn chunk_key(file_key: &FileKey, nonce: &[u8]) -> Result<LessSafeKey, AgeError> {
    let secret = Salt::new(HKDF_SHA256, nonce).extract(&file_key[..]);
    let key = secret.expand(&[b"payload"], &CHACHA20_POLY1305);
    let key = key.map_err(|_| AgeError::Damaged)?;
    Ok(LessSafeKey::new(UnboundKey::from(key)))
}

/// Returns the nonce of a chunk: its number, and whether it is the last one.
fn chunk_nonce(number: u64, is_last: bool) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = u8::from(is_last);
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests;
