//! Names of images, as the kubelet looks them up.
//!
//! A name without a registry is one of docker.io, where names of one word are below `library`, and the tag is
//! `latest` unless it is said: the rules of the distribution project's `reference` package, which containerd uses.

use std::fmt;
use std::str::FromStr;

const REGISTRY: &str = "docker.io";
const OFFICIAL: &str = "library/";
const LATEST: &str = "latest";

/// A full name: `docker.io/my/app:dev`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageName {
    /// Registry and repository.
    repository: String,
    tag: String,
}

/// The text can't be the name of an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` can't be the name of an image: {why}")]
pub struct NotAnImageName {
    text: String,
    why: &'static str,
}

impl ImageName {
    /// Returns it as people write it: `my/app:dev`.
    pub fn short(&self) -> String {
        let repository = self.repository.strip_prefix("docker.io/");
        let repository = repository.unwrap_or(&self.repository);
        let repository = repository.strip_prefix(OFFICIAL).unwrap_or(repository);
        format!("{repository}:{}", self.tag)
    }

    /// Returns whether Kubernetes tries to pull it each time, unless the pod says otherwise.
    pub fn is_latest(&self) -> bool {
        self.tag == LATEST
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.repository, self.tag)
    }
}

impl FromStr for ImageName {
    type Err = NotAnImageName;

    fn from_str(text: &str) -> Result<Self, NotAnImageName> {
        let wrong = |why| NotAnImageName {
            text: text.to_owned(),
            why,
        };
        if text.contains('@') {
            return Err(wrong("a digest stands for what a registry has"));
        }
        let (name, tag) = match text.rsplit_once(':') {
            // `localhost:5000/app` has a port and no tag.
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (text, LATEST),
        };
        if !is_tag(tag) {
            return Err(wrong("what follows the colon is no tag"));
        }
        let (registry, path) = match name.split_once('/') {
            Some((first, rest)) if is_registry(first) => (first, rest),
            _ => (REGISTRY, name),
        };
        let registry = match registry {
            "index.docker.io" => REGISTRY,
            registry => registry,
        };
        if !is_host(registry) {
            return Err(wrong("its registry is no host name"));
        }
        if !path.split('/').all(is_path_component) {
            return Err(wrong("each part has lower-case letters and digits"));
        }
        let library = if registry == REGISTRY && !path.contains('/') {
            OFFICIAL
        } else {
            ""
        };
        let repository = format!("{registry}/{library}{path}");
        if repository.len() > 255 {
            return Err(wrong("it is too long"));
        }
        Ok(Self {
            repository,
            tag: tag.to_owned(),
        })
    }
}

/// Tells a registry from the first part of a path.
fn is_registry(text: &str) -> bool {
    text == "localhost"
        || text.contains(['.', ':'])
        || text.chars().any(|it| it.is_ascii_uppercase())
}

/// A host name or an address, with or without a port.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (text, "80"),
    };
    let is_label = |label: &str| {
        let is_plain = |it: char| it.is_ascii_alphanumeric();
        label.starts_with(is_plain)
            && label.ends_with(is_plain)
            && label.chars().all(|it| is_plain(it) || it == '-')
    };
    let address = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    port.parse::<u16>().is_ok()
        && match address {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => host.split('.').all(is_label),
        }
}

fn is_tag(text: &str) -> bool {
    let is_word = |it: char| it.is_ascii_alphanumeric() || it == '_';
    text.starts_with(is_word)
        && text.len() <= 128
        && text
            .chars()
            .all(|it| is_word(it) || matches!(it, '.' | '-'))
}

/// Letters and digits, with `.`, `_`, `__` or any number of `-` between them.
fn is_path_component(text: &str) -> bool {
    let is_plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
    let mut separators = text.split(is_plain).filter(|it| !it.is_empty());
    text.starts_with(is_plain)
        && text.ends_with(is_plain)
        && separators.all(|it| matches!(it, "." | "_" | "__") || it.trim_matches('-').is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_containerd_completes_them() {
        let texts = [
            "app",
            "my/app:dev",
            "docker.io/app:1",
            "index.docker.io/my/app",
            "localhost/my/app:dev",
            "localhost:5000/app",
            "[::1]:5000/app",
            "registry.example.com/team/app:1.0",
            "a__b/c.d-e--f:x",
        ];
        let shown = texts.map(|text| {
            let name: ImageName = text.parse().unwrap();
            // A full name and a short one stand for the same.
            assert_eq!(name.to_string().parse(), Ok(name.clone()));
            assert_eq!(name.short().parse(), Ok(name.clone()));
            format!("{text} -> {name}")
        });
        insta::assert_snapshot!(shown.join("\n"), @r"
        app -> docker.io/library/app:latest
        my/app:dev -> docker.io/my/app:dev
        docker.io/app:1 -> docker.io/library/app:1
        index.docker.io/my/app -> docker.io/my/app:latest
        localhost/my/app:dev -> localhost/my/app:dev
        localhost:5000/app -> localhost:5000/app:latest
        [::1]:5000/app -> [::1]:5000/app:latest
        registry.example.com/team/app:1.0 -> registry.example.com/team/app:1.0
        a__b/c.d-e--f:x -> docker.io/a__b/c.d-e--f:x
        ");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let texts = [
            "",
            "my/App",
            "app:",
            "app:-x",
            "/app",
            "my//app",
            "a b",
            "app@sha256:0",
            "../app",
            "a___b",
            "app:dev\n",
            "-app",
            "Host_/app",
            "host:port/app",
            "a..b/app",
        ];
        for text in texts {
            assert!(text.parse::<ImageName>().is_err(), "{text:?}");
        }
    }
}
