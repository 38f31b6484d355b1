//! The Kubernetes version that an inventory asks for.

use std::fmt;

use semver::{Prerelease, Version};

use crate::diagnostic::Location;

/// `kube_version`, and where it is set.
#[derive(Clone, Debug)]
pub struct WantedVersion {
    pub version: VersionRequest,
    pub location: Location,
}

/// A version, or the newest release of a minor version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRequest {
    pub major: u64,
    pub minor: u64,
    /// With its pre-release, if any; `None` for `1.37`, which is the newest 1.37 that there is.
    pub patch: Option<(u64, Prerelease)>,
}

impl VersionRequest {
    /// Reads `1.37`, `1.37.2` or `v1.37.2`.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.trim().trim_start_matches('v');
        if let Ok(version) = Version::parse(plain) {
            return Some(Self {
                major: version.major,
                minor: version.minor,
                patch: Some((version.patch, version.pre)),
            });
        }
        let version = Version::parse(&format!("{plain}.0")).ok()?;
        let is_plain = version.pre.is_empty() && version.build.is_empty();
        is_plain.then_some(Self {
            major: version.major,
            minor: version.minor,
            patch: None,
        })
    }
}

impl fmt::Display for VersionRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)?;
        match &self.patch {
            Some((patch, pre)) if pre.is_empty() => write!(formatter, ".{patch}"),
            Some((patch, pre)) => write!(formatter, ".{patch}-{pre}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::VersionRequest;

    #[test]
    fn versions_are_read_in_all_notations_of_inventories() {
        for (text, expected) in [
            ("1.37.2", Some("1.37.2")),
            ("v1.24.6", Some("1.24.6")),
            ("1.37", Some("1.37")),
            ("v1.37", Some("1.37")),
            ("v1.38.0-rc.1", Some("1.38.0-rc.1")),
            ("1", None),
            ("latest", None),
            ("1.37.x", None),
            ("1.37.2.1", None),
            ("", None),
        ] {
            let found = VersionRequest::parse(text).map(|version| version.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
