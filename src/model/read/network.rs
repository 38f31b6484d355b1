//! Pod, service and node networks, DNS.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::super::{Dns, Network, NetworkPlugin, ProxyMode, defaults};
use super::{Placed, Reader};
use crate::diagnostic::{Diagnostic, Location};

/// Plugins that enforce network policies, and that kinstall doesn't have.
const ENFORCERS: [&str; 5] = ["calico", "canal", "kube-ovn", "kube-router", "weave"];

/// The networks, with the places that set them.
#[derive(Debug, Default)]
pub(in super::super) struct PlacedNetwork {
    pub pod_cidr: Placed<IpNet>,
    pub service_cidr: Placed<IpNet>,
    pub node_prefix: Placed<u8>,
}

pub(super) fn networks(reader: &mut Reader<'_>) -> PlacedNetwork {
    PlacedNetwork {
        pod_cidr: cidr(reader, "kube_pods_subnet", defaults::POD_CIDR),
        service_cidr: cidr(reader, "kube_service_addresses", defaults::SERVICE_CIDR),
        node_prefix: reader
            .parsed(&["kube_network_node_prefix"], "a prefix length such as 24")
            .unwrap_or(Placed {
                value: defaults::NODE_PREFIX,
                location: None,
            }),
    }
}

pub(super) fn network(
    reader: &mut Reader<'_>,
    placed: &PlacedNetwork,
    addresses: impl Iterator<Item = IpAddr>,
) -> Network {
    let plugin = plugin(reader);
    check_container_manager(reader);
    Network {
        pod_cidr: placed.pod_cidr.value,
        node_prefix: placed.node_prefix.value,
        service_cidr: placed.service_cidr.value,
        node_cidr: common_network(addresses),
        proxy_mode: proxy_mode(reader),
        strict_arp: reader.boolean("kube_proxy_strict_arp").unwrap_or(false),
        plugin: plugin.unwrap_or(NetworkPlugin::Flannel),
        is_plugin_open: plugin.is_none(),
    }
}

/// The cluster's DNS, with the places that set its addresses.
pub(super) struct PlacedDns {
    pub dns: Dns,
    pub cache_address: Option<Location>,
    pub upstream_servers: Vec<Placed<IpAddr>>,
}

pub(super) fn dns(reader: &mut Reader<'_>, domain: String) -> PlacedDns {
    let is_cached = reader.boolean("enable_nodelocaldns").unwrap_or(true);
    let address = reader.parsed::<IpAddr>(&["nodelocaldns_ip"], "an IP address");
    let upstream_servers = upstream_servers(reader);
    PlacedDns {
        dns: Dns {
            domain,
            node_local_address: is_cached.then_some(
                address
                    .as_ref()
                    .map_or(defaults::NODE_LOCAL_DNS, |address| address.value),
            ),
            upstream_servers: upstream_servers.iter().map(|it| it.value).collect(),
        },
        cache_address: address.and_then(|address| address.location),
        upstream_servers,
    }
}

/// Returns the smallest network that holds all addresses, at least a /24 (or a /64).
pub(in super::super) fn common_network(addresses: impl Iterator<Item = IpAddr>) -> IpNet {
    let mut addresses = addresses.peekable();
    let first = addresses
        .peek()
        .copied()
        .unwrap_or(Ipv4Addr::UNSPECIFIED.into());
    let length =
        |shared: u32, limit: u8| u8::try_from(shared).map_or(limit, |bits| bits.min(limit));
    match first {
        IpAddr::V4(first) => {
            let others = addresses.filter_map(|address| match address {
                IpAddr::V4(address) => {
                    Some((u32::from(address) ^ u32::from(first)).leading_zeros())
                }
                IpAddr::V6(_) => None,
            });
            let prefix = length(others.min().unwrap_or(32), 24);
            IpNet::V4(Ipv4Net::new_assert(first, prefix).trunc())
        }
        IpAddr::V6(first) => {
            let others = addresses.filter_map(|address| match address {
                IpAddr::V6(address) => {
                    Some((u128::from(address) ^ u128::from(first)).leading_zeros())
                }
                IpAddr::V4(_) => None,
            });
            let prefix = length(others.min().unwrap_or(128), 64);
            IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::from(u128::from(first)), prefix).trunc())
        }
    }
}

fn cidr(reader: &mut Reader<'_>, name: &str, default: &str) -> Placed<IpNet> {
    let found = reader.parsed::<IpNet>(&[name], "a network such as 10.233.64.0/18");
    if let Some(Placed {
        value,
        location: Some(location),
    }) = &found
        && value.trunc() != *value
    {
        reader.error(
            location,
            format!("`{name}` is an address inside a network: `{value}`"),
            "has bits behind the prefix",
            format!("write `{}`", value.trunc()),
        );
    }
    found.map_or_else(
        || Placed {
            // The defaults are valid; a test reads them.
            value: default.parse().unwrap_or_default(),
            location: None,
        },
        |found| Placed {
            value: found.value.trunc(),
            ..found
        },
    )
}

/// Reads the plugin; `None` where it is one that enforces policies and that kinstall doesn't have.
///
/// That is a warning, not an error: nearly every kubespray inventory has the sample's `calico` without ever having
/// chosen it, and pods reach each other all the same. What may be lost (network policies) is said.
fn plugin(reader: &mut Reader<'_>) -> Option<NetworkPlugin> {
    let flannel = Some(NetworkPlugin::Flannel);
    let hint = "NetworkPolicy objects have no effect with flannel; set `kube_network_plugin: flannel` to agree, or `cilium` \
                to have them enforced";
    let Some(wanted) = reader.text(&["kube_network_plugin"]) else {
        // Inventories that name a provider are written for kinstall.
        if reader.value("kinstall_provider").is_none() {
            reader.diagnostics.push(
                Diagnostic::warning(
                    "kinstall installs flannel; kubespray would install calico, as there is no `kube_network_plugin`",
                )
                .hint(hint),
            );
        }
        return flannel;
    };
    if let Some(plugin) = NetworkPlugin::named(&wanted.value) {
        return Some(plugin);
    }
    let is_open = ENFORCERS.contains(&wanted.value.as_str());
    if let Some(location) = &wanted.location {
        let (message, hint) = if is_open {
            let message = "kinstall installs cilium instead of `NAME`, or flannel where the bundle has no cilium";
            let hint = "`kinstall bundle build INVENTORY` builds cilium, which enforces NetworkPolicy objects; set \
                        `kube_network_plugin: cilium` to insist on it, or `flannel` to do without";
            (message, hint)
        } else {
            ("kinstall installs flannel instead of `NAME`", hint)
        };
        let message = message.replace("NAME", &wanted.value);
        reader.warning(location, message, "not available", hint);
    }
    if is_open { None } else { flannel }
}

fn check_container_manager(reader: &mut Reader<'_>) {
    if let Some(manager) = reader.text(&["container_manager"])
        && let Some(location) = &manager.location
        && manager.value != "containerd"
    {
        reader.warning(
            location,
            format!(
                "kinstall installs containerd instead of `{}`",
                manager.value
            ),
            "not available",
            "images and pods are the same under both; set `container_manager: containerd` to agree",
        );
    }
}

fn proxy_mode(reader: &mut Reader<'_>) -> ProxyMode {
    let Some(mode) = reader.text(&["kube_proxy_mode"]) else {
        return ProxyMode::Nftables;
    };
    match (mode.value.as_str(), &mode.location) {
        ("iptables", _) => return ProxyMode::Iptables,
        ("ipvs", Some(location)) => reader.warning(
            location,
            "kube-proxy runs in nftables mode instead of `ipvs`",
            "retired mode",
            "Kubernetes deprecated ipvs in favour of nftables; services behave the same",
        ),
        (other, Some(location)) if other != "nftables" => reader.error(
            location,
            format!("`kube_proxy_mode` is unknown: `{other}`"),
            "must be nftables or iptables",
            "remove it to get nftables",
        ),
        _ => {}
    }
    ProxyMode::Nftables
}

fn upstream_servers(reader: &mut Reader<'_>) -> Vec<Placed<IpAddr>> {
    let name = "upstream_dns_servers";
    let mut servers = Vec::new();
    for value in reader.list(name) {
        let Some(server) = reader.parse_value::<IpAddr>(name, &value, "a list of IP addresses")
        else {
            continue;
        };
        if server.is_loopback() || server.is_unspecified() {
            reader.error(
                &value.location,
                format!("upstream DNS server `{server}` is the node itself"),
                "a loopback address",
                "pods would ask themselves in a circle: name a server outside the node",
            );
        }
        servers.push(Placed {
            value: server,
            location: Some(value.location),
        });
    }
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_node_network_is_the_smallest_that_holds_all() {
        for (addresses, expected) in [
            (&["192.168.56.11", "192.168.56.23"][..], "192.168.56.0/24"),
            (&["10.0.0.9", "10.0.1.9"], "10.0.0.0/23"),
            (&["10.0.0.9"], "10.0.0.0/24"),
            (&["fd00::1", "fd00::2"], "fd00::/64"),
        ] {
            let addresses = addresses.iter().map(|address| address.parse().unwrap());
            assert_eq!(common_network(addresses).to_string(), expected);
        }
    }

    #[test]
    fn defaults_are_networks() {
        for text in [defaults::POD_CIDR, defaults::SERVICE_CIDR] {
            assert!(text.parse::<IpNet>().is_ok());
        }
    }
}
