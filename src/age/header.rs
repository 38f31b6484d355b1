//! The header: how a passphrase leads to the file's key.

use std::io::{self, BufRead};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::hmac::{self, HMAC_SHA256};
use scrypt::Params;
use zeroize::Zeroizing;

use super::{AgeError, FileKey, NONCE};
use crate::secret::Secret;

const VERSION: &str = "age-encryption.org/v1";
const SALT: &str = "age-encryption.org/v1/scrypt";
/// Files of others may ask for more than [`super::WORK`]; beyond this it would be hours, or all memory.
const MOST_WORK: u8 = 22;
/// Lines of a header are short.
const LONGEST_LINE: u64 = 1024;

/// Returns a header for a file's key.
pub(super) fn seal(
    file_key: &FileKey,
    passphrase: &Secret,
    salt: &[u8; NONCE],
    work: u8,
) -> Result<String, AgeError> {
    let key = wrapping_key(passphrase, salt, work)?;
    let mut body = file_key.to_vec();
    key.seal_in_place_append_tag(zero(), Aad::empty(), &mut body)
        .map_err(|_| AgeError::Damaged)?;
    let (salt, body) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(body));
    let text = format!("{VERSION}\n-> scrypt {salt} {work}\n{body}\n---");
    let tag = STANDARD_NO_PAD.encode(hmac::sign(&header_key(file_key)?, text.as_bytes()));
    Ok(format!("{text} {tag}\n"))
}

/// Reads a header and returns the file's key.
pub(super) fn open(source: &mut impl BufRead, passphrase: &Secret) -> io::Result<FileKey> {
    let version = line(source)?;
    if version != VERSION {
        return Err(refused(AgeError::OtherFormat));
    }
    let stanza = line(source)?;
    let words: Vec<&str> = stanza.split(' ').collect();
    let (salt, work) = match words.as_slice() {
        ["->", "scrypt", salt, work] => (*salt, *work),
        ["->", ..] => return Err(refused(AgeError::NoPassphrase)),
        _ => return Err(refused(AgeError::Damaged)),
    };
    let damaged = || refused(AgeError::Damaged);
    let bytes = |text: &str| STANDARD_NO_PAD.decode(text).map_err(|_| damaged());
    let (body_line, last) = (line(source)?, line(source)?);
    let (salt, mut body) = (bytes(salt)?, bytes(&body_line)?);
    let work: u8 = work.parse().map_err(|_| damaged())?;
    let tag = bytes(last.strip_prefix("--- ").ok_or_else(damaged)?)?;
    if work > MOST_WORK {
        return Err(refused(AgeError::TooMuchWork { work }));
    }
    let wrong = |_| refused(AgeError::WrongPassphrase);
    let key = wrapping_key(passphrase, &salt, work).map_err(refused)?;
    let opened = key.open_in_place(zero(), Aad::empty(), &mut body);
    let mut file_key = FileKey::default();
    let opened = opened.map_err(wrong)?;
    if opened.len() != file_key.len() {
        return Err(damaged());
    }
    file_key.copy_from_slice(opened);
    let text = format!("{version}\n{stanza}\n{body_line}\n---");
    let key = header_key(&file_key).map_err(refused)?;
    hmac::verify(&key, text.as_bytes(), &tag).map_err(wrong)?;
    Ok(file_key)
}

pub(super) fn refused(error: AgeError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn line(source: &mut impl BufRead) -> io::Result<String> {
    let mut bytes = Vec::new();
    io::Read::take(source, LONGEST_LINE).read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Err(refused(AgeError::OtherFormat));
    }
    String::from_utf8(bytes).map_err(|_| refused(AgeError::OtherFormat))
}

fn wrapping_key(passphrase: &Secret, salt: &[u8], work: u8) -> Result<LessSafeKey, AgeError> {
    let salt = [SALT.as_bytes(), salt].concat();
    let parameters = Params::new(work, 8, 1).map_err(|_| AgeError::Damaged)?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(
        passphrase.expose().as_bytes(),
        &salt,
        &parameters,
        &mut *key,
    )
    .map_err(|_| AgeError::Damaged)?;
    let key = UnboundKey::new(&CHACHA20_POLY1305, &*key).map_err(|_| AgeError::Damaged)?;
    Ok(LessSafeKey::new(key))
}

fn header_key(file_key: &FileKey) -> Result<hmac::Key, AgeError> {
    let secret = Salt::new(HKDF_SHA256, &[]).extract(&file_key[..]);
    let key = secret.expand(&[b"header"], HMAC_SHA256);
    key.map(hmac::Key::from).map_err(|_| AgeError::Damaged)
}

/// Each of these keys encrypts once.
fn zero() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}
