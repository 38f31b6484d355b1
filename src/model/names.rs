//! Names that Kubernetes accepts.

/// Tells whether Kubernetes takes the name for a node or a domain (RFC 1123, lower-case).
pub fn is_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Returns the nearest valid name, for messages.
pub fn corrected(name: &str) -> String {
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
        .map(|label| label.trim_matches('-'))
        .collect();
    labels.join(".")
}

fn is_label(label: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(is_inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_rfc_1123() {
        for name in ["node1", "controll-plane", "n1.lab.example.com", "1a"] {
            assert!(is_subdomain(name), "{name}");
        }
        for name in ["", "Node1", "node_1", "-a", "a-", "a..b", &"a".repeat(64)] {
            assert!(!is_subdomain(name), "{name}");
        }
        assert_eq!(corrected("Worker_01.Lab"), "worker-01.lab");
    }
}
