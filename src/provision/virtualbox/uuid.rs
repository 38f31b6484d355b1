//! Names that VirtualBox keeps: a machine's UUID says whose it is.
//!
//! The UUID of a machine is computed from the lab and the host, and given to VirtualBox when the machine
//! is made. So a machine of the lab is known from its first moment on, however far its making came, and
//! whatever a user renames or moves.

use std::fmt;
use std::str::FromStr;

use ring::digest;

/// A UUID as VirtualBox shows it: lower case with hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uuid([u8; 16]);

/// Two names that make a UUID: all with the same first name begin alike.
const FORM: [usize; 4] = [4, 6, 8, 10];

impl Uuid {
    /// Returns the UUID of a host's machine.
    pub fn of_machine(lab: &str, host: &str) -> Self {
        Self::of(&format!("kinstall lab {lab}"), host)
    }

    /// Returns whether it is that of a machine of the lab.
    pub fn is_in_lab(self, lab: &str) -> bool {
        self.0[..8] == Self::of_machine(lab, "").0[..8]
    }

    /// Eight bytes of each name's hash, marked as "custom" (version 8 of RFC 9562).
    fn of(family: &str, name: &str) -> Self {
        let hash = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&hash(family).as_ref()[..8]);
        bytes[8..].copy_from_slice(&hash(name).as_ref()[..8]);
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if FORM.contains(&index) {
                formatter.write_str("-")?;
            }
            write!(formatter, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl FromStr for Uuid {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let digits: Vec<u8> = text.bytes().filter(|it| *it != b'-').collect();
        if digits.len() != 32 || !text.is_ascii() {
            return Err(());
        }
        let mut bytes = [0; 16];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| ())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| ())?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::Uuid;

    #[test]
    fn a_uuid_says_whose_the_machine_is() {
        let one = Uuid::of_machine("0123abcd", "node1");
        assert_eq!(one.to_string(), "69b230d1-b919-88c4-8a12-f31b8cbf5f29");
        assert_eq!(one.to_string().parse(), Ok(one));
        assert!(one.is_in_lab("0123abcd") && !one.is_in_lab("0123abce"));
        assert_ne!(one, Uuid::of_machine("0123abcd", "node2"));
    }

    #[test]
    fn other_texts_are_no_uuids() {
        for text in [
            "",
            "node1",
            "b1b1a4a8-1e51-82a4-a06d-3dd5dc69b5d",
            "ä1b1a4a81e5182a4a06d3dd5dc69b5d9",
        ] {
            assert_eq!(text.parse::<Uuid>(), Err(()), "{text}");
        }
    }
}
