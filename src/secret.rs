//! A string that must not be seen.
//!
//! `Secret` is the only type that carries passwords, private keys and tokens. It has no `Display`, its
//! `Debug` prints `***`, and its memory is overwritten when it is dropped. It is serialisable because
//! it must reach a node inside a frame and the controller's own 0600 file; nothing else writes it.

use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

/// A confidential string; [`Secret::expose`] is the one way to read it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a confidential string.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Returns the confidential string, for the place that hands it to its user.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_hides_the_value() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "***");
    }
}
