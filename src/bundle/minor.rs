//! A minor version of Kubernetes: `1.37`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Names what goes together: clusters move from one minor version to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Minor {
    pub major: u64,
    pub minor: u64,
}

/// The text is not a version of Kubernetes.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a minor version of Kubernetes; write it like `1.37`")]
pub struct NotAMinor {
    text: String,
}

impl Minor {
    /// Returns the minor version that a version belongs to: 1.37 of `1.37.2`, `v1.37.2` or `1.37`.
    pub fn of(version: &str) -> Result<Self, NotAMinor> {
        let mut numbers = version.strip_prefix('v').unwrap_or(version).split('.');
        let mut number = || numbers.next()?.parse().ok();
        match (number(), number()) {
            (Some(major), Some(minor)) => Ok(Self { major, minor }),
            _ => Err(NotAMinor {
                text: version.into(),
            }),
        }
    }
}

impl FromStr for Minor {
    type Err = NotAMinor;

    /// Reads exactly a minor version; a patch version is an error.
    fn from_str(text: &str) -> Result<Self, NotAMinor> {
        let minor = Self::of(text)?;
        if minor.to_string() == text {
            Ok(minor)
        } else {
            Err(NotAMinor { text: text.into() })
        }
    }
}

impl fmt::Display for Minor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

impl From<Minor> for String {
    fn from(minor: Minor) -> Self {
        minor.to_string()
    }
}

impl TryFrom<String> for Minor {
    type Error = NotAMinor;

    fn try_from(text: String) -> Result<Self, NotAMinor> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::Minor;

    #[test]
    fn minors_are_ordered_as_numbers() {
        let minor = |text: &str| text.parse::<Minor>().unwrap();
        assert!(minor("1.9") < minor("1.10"));
        assert_eq!(minor("1.37").to_string(), "1.37");
    }

    #[test]
    fn the_minor_of_a_version_is_found() {
        for version in ["1.37", "1.37.2", "v1.37.2"] {
            assert_eq!(Minor::of(version).unwrap().to_string(), "1.37", "{version}");
        }
        for version in ["", "1", "one.two", "1.x"] {
            assert!(Minor::of(version).is_err(), "{version}");
        }
        for text in ["1.37.2", "v1.37", "1.037"] {
            assert!(text.parse::<Minor>().is_err(), "{text}");
        }
    }
}
