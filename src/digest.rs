//! Hashes as publishers name them.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A kind of hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Only for what old tools wrote beside an appliance: it finds broken files, not forged ones.
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// Returns the algorithm of a name: `sha256`, `SHA256`, `SHA-256`.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace('-', "");
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn ring(self) -> &'static ring::digest::Algorithm {
        match self {
            Self::Sha1 => &ring::digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &ring::digest::SHA256,
            Self::Sha512 => &ring::digest::SHA512,
        }
    }
}

/// The hash of something.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Digest {
    /// Lower case; its length tells the algorithm.
    hex: String,
}

impl Digest {
    pub fn algorithm(&self) -> Algorithm {
        let length = self.hex.len();
        let of_length = |it: &Algorithm| 2 * it.ring().output_len() == length;
        // No other length gets past `from_str` and `Hasher`.
        let found = Algorithm::ALL.into_iter().find(of_length);
        found.unwrap_or(Algorithm::Sha512)
    }

    /// Returns the digits without the algorithm's name.
    pub fn hex(&self) -> &str {
        &self.hex
    }
}

/// `sha256:…`
impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm().name(), self.hex)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The text has neither the length of a known hash nor only hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a hash: expected 64 (sha256) or 128 (sha512) hexadecimal digits")]
pub struct NotADigest;

/// Reads digits of any case, with the algorithm's name before them or not; blanks around don't count.
impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let text = text.trim();
        let (named, hex) = match text.split_once(':') {
            Some((name, hex)) => (Some(Algorithm::named(name).ok_or(NotADigest)?), hex),
            None => (None, text),
        };
        let is_known = Algorithm::ALL
            .iter()
            .any(|it| 2 * it.ring().output_len() == hex.len());
        if !is_known || !hex.bytes().all(|it| it.is_ascii_hexdigit()) {
            return Err(NotADigest);
        }
        let digest = Self {
            hex: hex.to_ascii_lowercase(),
        };
        match named {
            Some(algorithm) if algorithm != digest.algorithm() => Err(NotADigest),
            _ => Ok(digest),
        }
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl From<crate::resource::Sha256> for Digest {
    fn from(sha256: crate::resource::Sha256) -> Self {
        Self {
            hex: sha256.to_string(),
        }
    }
}

/// Takes in bytes and gives their hash.
pub struct Hasher(ring::digest::Context);

impl Hasher {
    pub fn new(algorithm: Algorithm) -> Self {
        Self(ring::digest::Context::new(algorithm.ring()))
    }

    pub fn finish(self) -> Digest {
        let digest = self.0.finish();
        let hex = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
        Digest { hex: hex.collect() }
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the hash of some bytes.
pub fn of_bytes(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    hasher.0.update(bytes);
    hasher.finish()
}

/// Returns the hash of all that can be read.
pub fn of_reader(algorithm: Algorithm, mut reader: impl Read) -> io::Result<Digest> {
    let mut hasher = Hasher::new(algorithm);
    let mut buffer = vec![0; 1 << 18];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            count => hasher.write_all(&buffer[..count])?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, Digest, NotADigest, of_reader};

    /// Of `abc`, as FIPS 180-2 has them.
    const ABC: [(Algorithm, &str); 3] = [
        (Algorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (
            Algorithm::Sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            Algorithm::Sha512,
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
    ];

    #[test]
    fn hashes_are_right_and_come_back_as_text() {
        for (algorithm, hex) in ABC {
            let digest = of_reader(algorithm, &b"abc"[..]).unwrap();
            assert_eq!(digest.hex(), hex);
            assert_eq!(digest.algorithm(), algorithm);
            assert_eq!(digest.to_string().parse(), Ok(digest.clone()));
            let shouted = format!(" {}\n", hex.to_uppercase());
            assert_eq!(shouted.parse(), Ok(digest));
        }
    }

    #[test]
    fn other_texts_are_no_hash() {
        let hex = ABC[1].1;
        let bad = [
            "",
            "sha256:",
            &hex[1..],
            &format!("sha512:{hex}"),
            &format!("md5:{hex}"),
            &format!("g{}", &hex[1..]),
        ];
        for text in bad {
            assert_eq!(text.parse::<Digest>(), Err(NotADigest), "{text}");
        }
    }
}
