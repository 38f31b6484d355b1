//! Names that Kubernetes and Linux accept.

/// Longest name of a node, in characters: it is the value of the label `kubernetes.io/hostname`.
pub const LONGEST_NODE_NAME: usize = 63;

/// Longest name of a container's machine, in characters: systemd allows 64, and the lab's name and a `-` come
/// first.
const LONGEST_CONTAINER_NAME: usize = 55;

/// Longest part of a name between two dots, in characters.
const LONGEST_LABEL: usize = 63;

/// Tells whether Kubernetes takes the name for a node or a domain (RFC 1123, lower-case).
pub fn is_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Says why a host can't be a container, and what to do about it; `None` if it can.
pub fn container_fault(name: &str) -> Option<(String, String)> {
    (name.chars().count() > LONGEST_CONTAINER_NAME).then(|| {
        (
            format!("the host name `{name}` is too long for a container"),
            format!(
                "a container's name has at most {LONGEST_CONTAINER_NAME} characters: choose a shorter one; \
                 the domain can stand in `node_domain`"
            ),
        )
    })
}

/// Returns the nearest valid name, for messages; `None` if nothing of the name can be kept.
pub fn corrected(name: &str) -> Option<String> {
    let mapped: String = name
        .to_ascii_lowercase()
        .chars()
        .map(|character| match character {
            'a'..='z' | '0'..='9' | '.' => character,
            _ => '-',
        })
        .collect();
    let labels: Vec<&str> = mapped
        .split('.')
        .map(|label| {
            let end = label.len().min(LONGEST_LABEL);
            label[..end].trim_matches('-')
        })
        .filter(|label| !label.is_empty())
        .collect();
    let corrected = labels.join(".");
    is_subdomain(&corrected).then_some(corrected)
}

/// Tells whether the name can be in a certificate: an address, a domain, or one that begins with `*.`.
pub fn is_certificate_name(name: &str) -> bool {
    name.parse::<std::net::IpAddr>().is_ok()
        || is_subdomain(&name.strip_prefix("*.").unwrap_or(name).to_ascii_lowercase())
}

/// Says what is wrong with the name of a label or a taint, `[DOMAIN/]NAME`.
pub fn label_name_fault(name: &str) -> Option<String> {
    let (prefix, own) = match name.split_once('/') {
        Some((prefix, own)) => (Some(prefix), own),
        None => (None, name),
    };
    if prefix.is_some_and(|prefix| !is_subdomain(prefix)) {
        return Some("what stands before the `/` must be a domain in lower case".to_owned());
    }
    if own.is_empty() {
        return Some("it is empty".to_owned());
    }
    label_value_fault(own)
}

/// Says what is wrong with the value of a label or a taint.
pub fn label_value_fault(value: &str) -> Option<String> {
    let is_edge = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let bytes = value.as_bytes();
    if bytes.len() > LONGEST_LABEL {
        Some(format!(
            "it has {} characters, at most {LONGEST_LABEL} are allowed",
            value.chars().count()
        ))
    } else if !value.bytes().all(is_inner) {
        Some("only letters, digits, `-`, `_` and `.` are allowed".to_owned())
    } else if !is_edge(bytes.first()) || !is_edge(bytes.last()) {
        Some("it must begin and end with a letter or a digit".to_owned())
    } else {
        None
    }
}

fn is_label(label: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LONGEST_LABEL).contains(&label.len())
        && label.bytes().all(is_inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_follow_rfc_1123() {
        for name in ["node1", "controll-plane", "n1.lab.example.com", "1a"] {
            assert!(is_subdomain(name), "{name}");
        }
        for name in ["", "Node1", "node_1", "-a", "a-", "a..b", &"a".repeat(64)] {
            assert!(!is_subdomain(name), "{name}");
        }
        assert_eq!(corrected("Worker_01.Lab").unwrap(), "worker-01.lab");
        assert_eq!(corrected("My Lab_1").unwrap(), "my-lab-1");
        assert_eq!(corrected("_._"), None);
    }

    #[test]
    fn labels_and_their_values_are_what_the_api_server_takes() {
        for name in ["tier", "node-role.kubernetes.io/ingress", "A_b.c", "1"] {
            assert_eq!(label_name_fault(name), None, "{name}");
        }
        for name in [
            "",
            "bad label!",
            "A/b",
            "x/",
            "-a",
            "a/b/c",
            &"a".repeat(64),
        ] {
            assert!(label_name_fault(name).is_some(), "{name}");
        }
        for value in ["", "true", "X_1.2"] {
            assert_eq!(label_value_fault(value), None, "{value}");
        }
        for value in ["x y", "-", "a.", "ä", &"1".repeat(64)] {
            assert!(label_value_fault(value).is_some(), "{value}");
        }
    }

    #[test]
    fn certificates_hold_addresses_domains_and_wildcards() {
        for name in ["10.0.0.1", "fd00::1", "API.example.com", "*.example.com"] {
            assert!(is_certificate_name(name), "{name}");
        }
        for name in ["", "a b", "https://a", "a:6443", "*"] {
            assert!(!is_certificate_name(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_corrected_name_is_valid(name in "\\PC{0,300}") {
            if let Some(corrected) = corrected(&name) {
                prop_assert!(is_subdomain(&corrected), "{corrected}");
            }
        }
    }
}
