//! What stands for hosts: a name or a range, perhaps with a port.

use std::net::Ipv6Addr;

use super::range;

/// Returns the names that a pattern stands for, and the port behind them.
///
/// The error says what is wrong with a range.
pub(super) fn expand(pattern: &str) -> Result<(Vec<String>, Option<&str>), String> {
    let (names, port) = split_port(pattern);
    Ok((range::expand(names)?, port))
}

/// Splits `host:2222` and `[::1]:2222`; other colons belong to the name.
fn split_port(pattern: &str) -> (&str, Option<&str>) {
    if let Some((host, port)) = pattern.rsplit_once(':')
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
    {
        if let Some(address) = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            && address.parse::<Ipv6Addr>().is_ok()
        {
            return (address, Some(port));
        }
        let outside_brackets = host.split('[').map(|part| part.rsplit(']').next());
        let has_colon = outside_brackets.flatten().any(|part| part.contains(':'));
        if !has_colon {
            return (host, Some(port));
        }
    }
    (pattern, None)
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn a_port_may_stand_behind_every_kind_of_name() {
        for (pattern, names, port) in [
            ("n1", "n1", None),
            ("n1:22", "n1", Some("22")),
            ("n[1:2]:2222", "n1 n2", Some("2222")),
            ("10.0.0.1:22", "10.0.0.1", Some("22")),
            ("[::1]:22", "::1", Some("22")),
            ("::1", "::1", None),
            ("n1:", "n1:", None),
            ("n1:x", "n1:x", None),
        ] {
            let (found, found_port) = expand(pattern).unwrap();
            assert_eq!(
                (found.join(" ").as_str(), found_port),
                (names, port),
                "{pattern}"
            );
        }
    }
}
