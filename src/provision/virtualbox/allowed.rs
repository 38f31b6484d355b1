//! Which addresses VirtualBox allows for host-only networks.

use std::fs;
use std::path::Path;

use ipnet::{IpNet, Ipv4Net};

use super::super::ProviderError;

/// Read by VirtualBox on Linux, macOS and Solaris since 6.1.28; Windows has no limits.
const FILE: &str = "/etc/vbox/networks.conf";
const DEFAULT: &str = "192.168.56.0/21";

/// Fails where VirtualBox would refuse this network.
pub fn check(network: Ipv4Net) -> Result<(), ProviderError> {
    if cfg!(windows) {
        return Ok(());
    }
    let path = Path::new(FILE);
    let text = if path.exists() {
        Some(fs::read_to_string(path).map_err(ProviderError::file("read", path))?)
    } else {
        None
    };
    check_against(network, text.as_deref())
}

fn check_against(network: Ipv4Net, file: Option<&str>) -> Result<(), ProviderError> {
    let allowed = file.map_or_else(|| Some(vec![IpNet::V4(default())]), ranges);
    let Some(allowed) = allowed else {
        return Ok(());
    };
    if allowed.iter().any(|it| it.contains(&IpNet::V4(network))) {
        return Ok(());
    }
    let shown: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    let mut line = format!("* {}", network.trunc());
    if file.is_none() {
        // With the file there, the default no longer counts.
        line = format!("{line} {DEFAULT}");
    }
    Err(ProviderError::Obstacle {
        message: format!(
            "VirtualBox doesn't allow the lab's network {}: only {}",
            network.trunc(),
            if shown.is_empty() {
                "none".to_owned()
            } else {
                shown.join(", ")
            }
        ),
        hints: vec![
            format!("allow it: `sudo mkdir -p /etc/vbox && echo '{line}' | sudo tee -a {FILE}`"),
            format!("or give the machines addresses of {DEFAULT}"),
        ],
    })
}

/// Reads lines `* RANGE RANGE…`; `None` for `* *`, which allows all.
fn ranges(text: &str) -> Option<Vec<IpNet>> {
    let lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix('*'));
    let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    // `* 0.0.0.0/0 ::/0` is how its manual says "all".
    let all = words.contains(&"*");
    (!all).then(|| words.iter().filter_map(|it| it.parse().ok()).collect())
}

fn default() -> Ipv4Net {
    DEFAULT.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{ProviderError, check_against};

    #[test]
    fn what_is_outside_is_refused_with_the_line_that_allows_it() {
        let check = |network: &str, file| check_against(network.parse().unwrap(), file);
        assert!(check("192.168.56.1/24", None).is_ok());
        assert!(check("192.168.63.1/24", None).is_ok());
        let file = "# course\n* 10.0.0.0/8 192.168.0.0/16\n* 2001::/64\n";
        assert!(check("10.1.2.1/24", Some(file)).is_ok());
        assert!(check("172.18.8.1/24", Some("* 0.0.0.0/0 ::/0\n")).is_ok());
        let told = |error: ProviderError| match error {
            ProviderError::Obstacle { message, hints } => {
                format!("{message}\n{}", hints.join("\n"))
            }
            other => panic!("{other}"),
        };
        insta::assert_snapshot!(told(check("172.18.8.1/24", None).unwrap_err()), @"
        VirtualBox doesn't allow the lab's network 172.18.8.0/24: only 192.168.56.0/21
        allow it: `sudo mkdir -p /etc/vbox && echo '* 172.18.8.0/24 192.168.56.0/21' | sudo tee -a /etc/vbox/networks.conf`
        or give the machines addresses of 192.168.56.0/21
        ");
        insta::assert_snapshot!(told(check("172.18.8.1/24", Some("")).unwrap_err()), @"
        VirtualBox doesn't allow the lab's network 172.18.8.0/24: only none
        allow it: `sudo mkdir -p /etc/vbox && echo '* 172.18.8.0/24' | sudo tee -a /etc/vbox/networks.conf`
        or give the machines addresses of 192.168.56.0/21
        ");
    }
}
