//! Addresses of the cluster's DNS: what nodes and pods ask must not be they themselves.

use std::net::IpAddr;

use super::super::ClusterSpec;
use super::{Places, error};
use crate::diagnostic::Diagnostics;

pub(super) fn check(spec: &ClusterSpec, places: &Places, diagnostics: &mut Diagnostics) {
    check_cache(spec, places, diagnostics);
    for server in &places.upstream_servers {
        let Some(location) = &server.location else {
            continue;
        };
        if let Some(owner) = owner(spec, server.value) {
            diagnostics.push(
                error(
                    location,
                    format!("upstream DNS server `{}` is {owner}", server.value),
                    "inside the cluster",
                )
                .hint("the cluster's DNS would ask itself: name servers outside the cluster"),
            );
        }
    }
}

/// The cache's address is put on every node, so it can be nothing else.
fn check_cache(spec: &ClusterSpec, places: &Places, diagnostics: &mut Diagnostics) {
    let (Some(address), Some(location)) = (spec.dns.node_local_address, &places.cache_address)
    else {
        return;
    };
    let host = spec.hosts.iter().find(|host| host.address == Some(address));
    let reason = if let Some(host) = host {
        Some(format!("the address of `{}`", host.name))
    } else if address.is_loopback() {
        Some("a loopback address, which pods can't reach".to_owned())
    } else if address.is_unspecified() || address.is_multicast() {
        Some("no address that a node can have".to_owned())
    } else if let Some(pool) = places
        .pools
        .iter()
        .find(|pool| pool.value.contains(address))
    {
        Some(format!(
            "in MetalLB's range {}-{}",
            pool.value.first, pool.value.last
        ))
    } else {
        network(spec, address)
    };
    if let Some(reason) = reason {
        diagnostics.push(
            error(
                location,
                format!("`nodelocaldns_ip` can't be {address}: it is {reason}"),
                "must be an address of its own",
            )
            .hint("every node gets it for its DNS cache: remove the variable to get 169.254.25.10"),
        );
    }
}

/// Says what of the cluster has the address.
fn owner(spec: &ClusterSpec, address: IpAddr) -> Option<String> {
    if address == spec.network.dns_service_address() {
        Some("the cluster's own DNS".to_owned())
    } else if spec.dns.node_local_address == Some(address) {
        Some("the nodes' DNS cache".to_owned())
    } else {
        network(spec, address)
    }
}

fn network(spec: &ClusterSpec, address: IpAddr) -> Option<String> {
    let network = &spec.network;
    let named = [
        ("service network", network.service_cidr),
        ("pod network", network.pod_cidr),
    ];
    let (title, cidr) = named
        .into_iter()
        .find(|(_, cidr)| cidr.contains(&address))?;
    Some(format!("in the {title} {cidr}"))
}
