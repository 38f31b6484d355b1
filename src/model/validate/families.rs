//! A cluster has addresses of one family, and for now that is IPv4.

use std::net::IpAddr;

use super::super::ClusterSpec;
use super::{Places, error};
use crate::diagnostic::{Diagnostics, Location};

pub(super) fn check(spec: &ClusterSpec, places: &Places, diagnostics: &mut Diagnostics) {
    let networks = &places.networks;
    let hosts = spec.hosts.iter().zip(&places.addresses);
    let hosts = hosts.filter_map(|(host, place)| {
        let name = format!("the address of `{}`", host.name);
        Some((name, host.address?, Some(place)))
    });
    let cidrs = [
        ("`kube_pods_subnet`", &networks.pod_cidr),
        ("`kube_service_addresses`", &networks.service_cidr),
    ];
    let cidrs = cidrs.map(|(name, placed)| {
        (
            name.to_owned(),
            placed.value.network(),
            placed.location.as_ref(),
        )
    });
    let pools = places.pools.iter().map(|pool| {
        let name = format!("MetalLB range {}-{}", pool.value.first, pool.value.last);
        (name, pool.value.first, pool.location.as_ref())
    });
    let cache = spec.dns.node_local_address.map(|address| {
        (
            "`nodelocaldns_ip`".to_owned(),
            address,
            places.cache_address.as_ref(),
        )
    });
    let all: Vec<(String, IpAddr, Option<&Location>)> =
        hosts.chain(cidrs).chain(pools).chain(cache).collect();
    let has_ipv4 = all
        .iter()
        .any(|(_, address, place)| address.is_ipv4() && place.is_some());
    for (name, address, place) in &all {
        let (true, Some(place)) = (address.is_ipv6(), place) else {
            continue;
        };
        let message = format!("{name} is IPv6");
        let message = if has_ipv4 {
            format!("{message}, others are IPv4")
        } else {
            message
        };
        diagnostics.push(
            error(place, message, "not supported")
                .hint("nodes, pods and services of a cluster have IPv4 addresses: write one here"),
        );
    }
}
