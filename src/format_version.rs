//! Versions of the files that kinstall keeps: each says the version of its layout, which is looked at before anything
//! else in it. A file of another version is refused, never guessed at.
//!
//! Files of released versions are kept in `tests/fixtures/RELEASE`; the tests of each module read theirs.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Why a kept file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    #[error("{age} kinstall wrote it: it has format {found}, this kinstall knows format {known}",
        age = if found > known { "a newer" } else { "an older" })]
    Other { found: u32, known: u32 },
    #[error(transparent)]
    Malformed(#[from] serde_json::Error),
}

impl FormatError {
    /// Returns what to do about a file of another version; `None` for a damaged one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Other { found, known } if found > known => Some(
                "use the newer kinstall, or one that is newer still; `kinstall --version` shows which one this is",
            ),
            Self::Other { .. } => Some("use the kinstall that wrote it"),
            Self::Malformed(_) => None,
        }
    }
}

/// Reads JSON whose layout has the version `known`, in its field `format` (`version` in some older files).
pub fn read<T: DeserializeOwned>(bytes: &[u8], known: u32) -> Result<T, FormatError> {
    let Header { format: found } = serde_json::from_slice(bytes)?;
    if found != known {
        return Err(FormatError::Other { found, known });
    }
    Ok(serde_json::from_slice(bytes)?)
}

#[derive(Deserialize)]
struct Header {
    #[serde(alias = "version")]
    format: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[expect(dead_code, reason = "only read")]
        format: u32,
        name: String,
    }

    #[test]
    fn the_version_is_looked_at_before_anything_else() {
        let read = |text: &str| read::<File>(text.as_bytes(), 2);
        assert_eq!(read(r#"{"format": 2, "name": "a"}"#).unwrap().name, "a");
        let newer = read(r#"{"format": 3, "names": ["a"]}"#).unwrap_err();
        insta::assert_snapshot!(newer, @"a newer kinstall wrote it: it has format 3, this kinstall knows format 2");
        assert!(newer.hint().is_some());
        let older = read(r#"{"version": 1}"#).unwrap_err();
        insta::assert_snapshot!(older, @"an older kinstall wrote it: it has format 1, this kinstall knows format 2");
        let damaged = read(r#"{"format": 2, "name""#).unwrap_err();
        assert!(matches!(damaged, FormatError::Malformed(_)));
    }
}
