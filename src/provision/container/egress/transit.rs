//! A network for the two cards that this computer has no route to yet.

use ipnet::{IpNet, Ipv4Net};
use serde_json::Value;

/// Where a free network is looked for: parts of the private ranges that few use, then a range for tests of routers.
const RANGES: [&str; 4] = [
    "10.255.254.0/24",
    "172.31.254.0/24",
    "192.168.254.0/24",
    "198.18.254.0/24",
];

/// Returns a network of four addresses that overlaps none of these, nor the lab's own.
pub(super) fn choose(taken: &[Ipv4Net], lab: IpNet) -> Option<Ipv4Net> {
    let is_free = |network: &Ipv4Net| {
        let mut taken = taken.iter().copied().map(IpNet::from).chain([lab]);
        taken.all(|other| !overlap(IpNet::from(*network), other))
    };
    RANGES
        .iter()
        .filter_map(|range| range.parse::<Ipv4Net>().ok()?.subnets(30).ok())
        .flatten()
        .find(is_free)
}

/// Reads the networks of `ip -json route show`; default routes lead anywhere, so they don't count.
pub(super) fn taken(routes: &str) -> Vec<Ipv4Net> {
    let networks = entries(routes).into_iter().filter_map(|route| {
        let text = route["dst"].as_str()?.to_owned();
        text.parse()
            .ok()
            .or_else(|| Some(Ipv4Net::from(text.parse::<std::net::Ipv4Addr>().ok()?)))
    });
    networks
        .filter(|network| network.prefix_len() > 1)
        .collect()
}

/// Reads the interfaces of `ip -json route show`, each once.
pub(super) fn interfaces(routes: &str) -> Vec<String> {
    let mut interfaces: Vec<String> = Vec::new();
    for route in entries(routes) {
        let next_hops = route["nexthops"].as_array().into_iter().flatten();
        for way in std::iter::once(&route).chain(next_hops) {
            if let Some(interface) = way["dev"].as_str()
                && !interfaces.iter().any(|known| known == interface)
            {
                interfaces.push(interface.to_owned());
            }
        }
    }
    interfaces
}

fn entries(routes: &str) -> Vec<Value> {
    serde_json::from_str(routes).unwrap_or_default()
}

fn overlap(one: IpNet, other: IpNet) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(routes: &str, lab: &str) -> Option<String> {
        let lab = lab.parse().unwrap();
        choose(&taken(routes), lab).map(|network| network.to_string())
    }

    #[test]
    fn networks_that_this_computer_knows_are_avoided() {
        let routes = |networks: &[&str]| {
            let routes = networks
                .iter()
                .map(|it| format!("{{\"dst\":\"{it}\",\"dev\":\"eth0\"}}"));
            format!("[{}]", routes.collect::<Vec<_>>().join(","))
        };
        for (known, lab, expected) in [
            (&["default"][..], "192.168.56.1/24", Some("10.255.254.0/30")),
            (
                &["default", "10.255.254.0/30"],
                "192.168.56.1/24",
                Some("10.255.254.4/30"),
            ),
            (
                &["10.255.254.2"],
                "192.168.56.1/24",
                Some("10.255.254.4/30"),
            ),
            (&["10.0.0.0/8"], "192.168.56.1/24", Some("172.31.254.0/30")),
            (
                &["172.16.0.0/12"],
                "10.255.0.1/16",
                Some("192.168.254.0/30"),
            ),
            // A VPN that takes everything by two routes.
            (
                &["0.0.0.0/1", "128.0.0.0/1"],
                "192.168.56.1/24",
                Some("10.255.254.0/30"),
            ),
            (
                &[
                    "10.0.0.0/8",
                    "172.16.0.0/12",
                    "192.168.0.0/16",
                    "198.18.0.0/15",
                ],
                "192.168.56.1/24",
                None,
            ),
        ] {
            assert_eq!(
                choice(&routes(known), lab).as_deref(),
                expected,
                "{known:?}"
            );
        }
    }

    #[test]
    fn interfaces_that_lead_out() {
        let routes = r#"[{"dst":"default","gateway":"192.0.2.1","dev":"wlan0","metric":600},
            {"dst":"default","dev":"wlan0"},
            {"dst":"default","nexthops":[{"gateway":"192.0.2.1","dev":"eth0"},{"dev":"eth1"}]}]"#;
        assert_eq!(interfaces(routes), ["wlan0", "eth0", "eth1"]);
        assert!(interfaces("").is_empty());
    }
}
