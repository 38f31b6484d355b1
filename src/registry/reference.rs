//! The name of something in a registry: `oci://registry.example.com:5000/team/bundle:1.37`.

use std::fmt;
use std::str::FromStr;

use crate::digest::{Algorithm, Digest};

/// How references begin.
const SCHEME: &str = "oci://";

/// What a name without one means.
const DEFAULT_TAG: &str = "latest";

/// Where something lies in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Name or address, and the port where there is one.
    pub registry: String,
    pub repository: String,
    pub version: Version,
}

/// Which of those in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    Tag(String),
    Digest(Digest),
}

/// A text is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAReference {
    #[error("a reference begins with `{SCHEME}`: oci://registry.example.com/kinstall/bundle:1.37")]
    Scheme,
    #[error("no repository: write oci://REGISTRY/REPOSITORY:TAG")]
    NoRepository,
    #[error("`{0}` is not the name of a registry")]
    Registry(String),
    #[error(
        "`{0}` is not the name of a repository: lower-case letters, digits, and `.`, `_`, `-`, `/` between them"
    )]
    Repository(String),
    #[error(
        "`{0}` is not a tag: at most 128 letters, digits, `.`, `_` and `-`, and no `.` or `-` at the beginning"
    )]
    Tag(String),
    #[error("`{0}` is not a digest: sha256: and 64 hexadecimal digits")]
    Digest(String),
}

impl Reference {
    /// Returns whether a text is meant as a reference.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// Returns the reference to exactly this one.
    #[must_use]
    pub fn pinned(&self, digest: &Digest) -> Self {
        Self {
            version: Version::Digest(digest.clone()),
            ..self.clone()
        }
    }

    /// Returns the name of the server. Docker's has another one than its images.
    pub fn host(&self) -> &str {
        match self.registry.as_str() {
            "docker.io" | "index.docker.io" => "registry-1.docker.io",
            other => other,
        }
    }

    /// Returns whether the registry is on this computer: those are asked without TLS, as other tools do.
    pub fn is_local(&self) -> bool {
        ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| {
            let rest = self.registry.strip_prefix(host);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => formatter.write_str(tag),
            Self::Digest(digest) => digest.fmt(formatter),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = match self.version {
            Version::Tag(_) => ':',
            Version::Digest(_) => '@',
        };
        let (registry, repository, version) = (&self.registry, &self.repository, &self.version);
        write!(
            formatter,
            "{SCHEME}{registry}/{repository}{separator}{version}"
        )
    }
}

impl FromStr for Reference {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, NotAReference> {
        let text = text.strip_prefix(SCHEME).ok_or(NotAReference::Scheme)?;
        let (registry, path) = text.split_once('/').ok_or(NotAReference::NoRepository)?;
        if path.is_empty() {
            return Err(NotAReference::NoRepository);
        }
        let is_registry = |it: char| it.is_ascii_alphanumeric() || ".-:[]".contains(it);
        if registry.is_empty() || !registry.chars().all(is_registry) {
            return Err(NotAReference::Registry(registry.to_owned()));
        }
        // With a digest, a tag says nothing more.
        let (name, version) = match path.split_once('@') {
            Some((name, digest)) => {
                let name = name.split_once(':').map_or(name, |(name, _)| name);
                (name, Version::Digest(sha256(digest)?))
            }
            None => match path.split_once(':') {
                Some((name, tag)) => (name, Version::Tag(checked_tag(tag)?)),
                None => (path, Version::Tag(DEFAULT_TAG.to_owned())),
            },
        };
        if !name.split('/').all(is_component) {
            return Err(NotAReference::Repository(name.to_owned()));
        }
        Ok(Self {
            registry: registry.to_owned(),
            repository: name.to_owned(),
            version,
        })
    }
}

fn sha256(text: &str) -> Result<Digest, NotAReference> {
    let digest: Option<Digest> = text.parse().ok();
    digest
        .filter(|it| it.algorithm() == Algorithm::Sha256)
        .ok_or_else(|| NotAReference::Digest(text.to_owned()))
}

fn checked_tag(tag: &str) -> Result<String, NotAReference> {
    let is_tag = |it: char| it.is_ascii_alphanumeric() || "._-".contains(it);
    let is_good =
        (1..=128).contains(&tag.len()) && tag.chars().all(is_tag) && !tag.starts_with(['.', '-']);
    is_good
        .then(|| tag.to_owned())
        .ok_or_else(|| NotAReference::Tag(tag.to_owned()))
}

fn is_component(text: &str) -> bool {
    let is_inner = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || "._-".contains(it);
    !text.is_empty()
        && text.chars().all(is_inner)
        && !text.starts_with(['.', '_', '-'])
        && !text.ends_with(['.', '_', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_a_registry_a_repository_and_a_version() {
        let digest = "0".repeat(64);
        for (text, written) in [
            ("oci://registry.example.com/kinstall/bundle:1.37", None),
            (
                "oci://127.0.0.1:5000/bundle",
                Some("oci://127.0.0.1:5000/bundle:latest"),
            ),
            ("oci://[::1]:5000/a/b-c/d.e:v1_2", None),
            (&format!("oci://r/b@sha256:{digest}"), None),
            (
                &format!("oci://r/b:1@sha256:{digest}"),
                Some(&*format!("oci://r/b@sha256:{digest}")),
            ),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string(), written.unwrap_or(text));
        }
    }

    #[test]
    fn what_is_wrong_with_a_reference_is_said() {
        for (text, expected) in [
            ("registry.example.com/bundle", NotAReference::Scheme),
            ("oci://registry.example.com", NotAReference::NoRepository),
            ("oci://registry.example.com/", NotAReference::NoRepository),
            ("oci:///bundle", NotAReference::Registry(String::new())),
            (
                "oci://user@r/b",
                NotAReference::Registry("user@r".to_owned()),
            ),
            (
                "oci://r/Bundle",
                NotAReference::Repository("Bundle".to_owned()),
            ),
            ("oci://r/a//b", NotAReference::Repository("a//b".to_owned())),
            ("oci://r/b:", NotAReference::Tag(String::new())),
            ("oci://r/b:a:b", NotAReference::Tag("a:b".to_owned())),
            (
                "oci://r/b@sha256:1",
                NotAReference::Digest("sha256:1".to_owned()),
            ),
        ] {
            assert_eq!(text.parse::<Reference>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn only_this_computer_is_local() {
        for (registry, is_local) in [
            ("localhost:5000", true),
            ("127.0.0.1", true),
            ("[::1]:5000", true),
            ("[::1]", true),
            ("localhost.example.com", false),
            ("192.168.56.200:5000", false),
        ] {
            let reference: Reference = format!("oci://{registry}/b").parse().unwrap();
            assert_eq!(reference.is_local(), is_local, "{registry}");
        }
    }
}
