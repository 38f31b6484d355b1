//! Checks that need more than one value: addresses and networks against each other.

mod capacity;
mod dns;
mod families;
mod machines;
mod names;
mod ports;

use std::net::IpAddr;

use ipnet::IpNet;

pub(crate) use ports::PortPlaces;

use super::read::{Placed, PlacedNetwork};
use super::{AddressRange, ClusterSpec, HostSpec};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, Location};

/// Where the values of a [`ClusterSpec`] come from; lists go in step with its hosts.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub(super) addresses: Vec<Location>,
    pub(super) names: Vec<Location>,
    pub(super) networks: PlacedNetwork,
    pub(super) pools: Vec<Placed<AddressRange>>,
    pub(super) ports: PortPlaces,
    pub(super) cache_address: Option<Location>,
    pub(super) upstream_servers: Vec<Placed<IpAddr>>,
    /// Of `kubelet_max_pods`, by host.
    pub(super) max_pods: Vec<Option<Location>>,
}

/// Reports everything that can't work together.
pub(super) fn check(spec: &ClusterSpec, places: &Places, diagnostics: &mut Diagnostics) {
    let hosts: Vec<(&HostSpec, &Location)> = spec.hosts.iter().zip(&places.addresses).collect();
    names::check(spec, places, diagnostics);
    check_duplicates(&hosts, diagnostics);
    machines::check(spec, places, diagnostics);
    check_endpoint(spec, places, diagnostics);
    ports::check(spec, places, diagnostics);
    families::check(spec, places, diagnostics);
    check_networks(spec, places, &hosts, diagnostics);
    capacity::check(spec, places, diagnostics);
    dns::check(spec, places, diagnostics);
    check_pools(spec, places, &hosts, diagnostics);
}

fn error(location: &Location, message: String, label: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Kind::Inventory, message).at(location.clone(), label)
}

fn check_duplicates(hosts: &[(&HostSpec, &Location)], diagnostics: &mut Diagnostics) {
    for (index, (host, location)) in hosts.iter().enumerate() {
        let earlier = hosts[..index]
            .iter()
            .find(|(other, _)| other.address.is_some() && other.address == host.address);
        if let (Some((other, other_location)), Some(address)) = (earlier, host.address) {
            diagnostics.push(
                error(
                    location,
                    format!(
                        "`{}` and `{}` have the same address {address}",
                        other.name, host.name
                    ),
                    "second time",
                )
                .hint(format!(
                    "the first time is {}:{}; every node needs an address of its own",
                    other_location.path().display(),
                    other_location.line()
                )),
            );
        }
    }
}

fn check_endpoint(spec: &ClusterSpec, places: &Places, diagnostics: &mut Diagnostics) {
    let count = spec.control_planes().count();
    let control_plane = &spec.control_plane;
    if count > 1 && control_plane.proxy.is_none() && control_plane.load_balancer.is_none() {
        let first = spec.hosts.iter().position(|host| host.roles.control_plane);
        let name = spec.control_planes().next().map_or("", |host| &host.name);
        let warning = Diagnostic::warning(format!(
            "all nodes reach the API at the first of {count} control planes, `{name}`"
        ));
        let warning = match first.and_then(|index| places.names.get(index)) {
            Some(location) => warning.at(location.clone(), "the cluster depends on this one"),
            None => warning,
        };
        diagnostics.push(warning.hint(
            "leave out `loadbalancer_apiserver_localhost: false`, or put a load balancer before them: \
             `loadbalancer_apiserver: {address: …, port: 6443}`",
        ));
    }
}

fn check_networks(
    spec: &ClusterSpec,
    places: &Places,
    hosts: &[(&HostSpec, &Location)],
    diagnostics: &mut Diagnostics,
) {
    let network = &spec.network;
    let named = [
        ("pod network", "kube_pods_subnet", &places.networks.pod_cidr),
        (
            "service network",
            "kube_service_addresses",
            &places.networks.service_cidr,
        ),
    ];
    if overlap(network.pod_cidr, network.service_cidr) {
        let [pods, services] = [&named[0].2, &named[1].2];
        let location = pods.location.as_ref().or(services.location.as_ref());
        if let Some(location) = location {
            diagnostics.push(
                error(
                    location,
                    format!("pod network {} and service network {} overlap", pods.value, services.value),
                    "must be apart",
                )
                .hint("set `kube_pods_subnet` and `kube_service_addresses` to networks that share no address"),
            );
        }
    }
    for (title, variable, placed) in named {
        if let (Some(kind), Some(location)) = (special(placed.value), &placed.location) {
            diagnostics.push(
                error(
                    location,
                    format!("{title} {} holds {kind} addresses", placed.value),
                    "can't be used",
                )
                .hint(format!(
                    "set `{variable}` to a private network that nothing else uses"
                )),
            );
        } else if let Some((host, address, location)) = hosts.iter().find_map(|(host, location)| {
            let further = host.machine.networks.iter().map(IpNet::addr);
            let mut all = host.address.into_iter().chain(further);
            let address = all.find(|address| placed.value.contains(address))?;
            Some((host, address, location))
        }) {
            diagnostics.push(
                error(
                    placed.location.as_ref().unwrap_or(location),
                    format!(
                        "{title} {} holds the address {address} of `{}`",
                        placed.value, host.name
                    ),
                    "must be apart from the nodes",
                )
                .hint(format!(
                    "set `{variable}` to a private network that nothing else uses"
                )),
            );
        } else if let Some(location) = &placed.location
            && spec.addresses().next().is_some()
            && network.node_cidr.prefix_len() >= 16
            && overlap(placed.value, network.node_cidr)
        {
            diagnostics.push(
                error(
                    location,
                    format!(
                        "{title} {} and node network {} overlap",
                        placed.value, network.node_cidr
                    ),
                    "must be apart from the nodes",
                )
                .hint(format!(
                    "set `{variable}` to a private network that nothing else uses"
                )),
            );
        }
    }
}

/// Names the kind of addresses that no machine can be reached at.
fn special(network: IpNet) -> Option<&'static str> {
    [
        ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "link-local"),
        ("224.0.0.0/3", "multicast and reserved"),
        ("0.0.0.0/8", "reserved"),
    ]
    .into_iter()
    .find(|(text, _)| text.parse().is_ok_and(|special| overlap(special, network)))
    .map(|(_, kind)| kind)
}

fn check_pools(
    spec: &ClusterSpec,
    places: &Places,
    hosts: &[(&HostSpec, &Location)],
    diagnostics: &mut Diagnostics,
) {
    for (index, pool) in places.pools.iter().enumerate() {
        let Some(location) = &pool.location else {
            continue;
        };
        let range = pool.value;
        let text = format!("{}-{}", range.first, range.last);
        let inside: Vec<&str> = hosts
            .iter()
            .filter(|(host, _)| host.address.is_some_and(|it| range.contains(it)))
            .map(|(host, _)| host.name.as_str())
            .collect();
        if !inside.is_empty() {
            diagnostics.push(
                error(
                    location,
                    format!(
                        "MetalLB range {text} holds the address of `{}`",
                        inside.join("`, `")
                    ),
                    "must be free addresses",
                )
                .hint("a service would take the node's address away: choose a range without nodes"),
            );
        } else if let Some(taken) = taken(spec, range) {
            diagnostics.push(
                error(
                    location,
                    format!("MetalLB range {text} {taken}"),
                    "must be free addresses",
                )
                .hint("choose free addresses of the node network"),
            );
        } else if spec.hosts.iter().all(|host| host.address.is_some())
            && !(spec.network.node_cidr.contains(&range.first)
                && spec.network.node_cidr.contains(&range.last))
        {
            diagnostics.push(
                Diagnostic::warning(format!(
                    "MetalLB range {text} lies outside the node network {}",
                    spec.network.node_cidr
                ))
                .at(location.clone(), "reachable only with a route")
                .hint("in layer 2 mode, choose free addresses of the node network"),
            );
        }
        if let Some(other) = places.pools[..index]
            .iter()
            .find(|other| other.value.overlaps(range))
        {
            diagnostics.push(
                error(
                    location,
                    format!(
                        "MetalLB ranges {}-{} and {text} overlap",
                        other.value.first, other.value.last
                    ),
                    "second range",
                )
                .hint("every address may stand in one range only"),
            );
        }
    }
}

/// Says what else of the cluster has addresses of the range.
fn taken(spec: &ClusterSpec, range: AddressRange) -> Option<String> {
    let network = &spec.network;
    let named = [
        ("pod network", network.pod_cidr),
        ("service network", network.service_cidr),
    ];
    let cidr = named.into_iter().find(|(_, cidr)| {
        let addresses = AddressRange {
            first: cidr.network(),
            last: cidr.broadcast(),
        };
        addresses.overlaps(range)
    });
    if let Some((title, cidr)) = cidr {
        return Some(format!("lies in the {title} {cidr}"));
    }
    let endpoint = spec.control_plane.endpoint_host.parse::<IpAddr>().ok()?;
    range
        .contains(endpoint)
        .then(|| format!("holds {endpoint}, the address of the API"))
}

impl AddressRange {
    /// Tells whether an address lies in the range.
    pub fn contains(self, address: IpAddr) -> bool {
        self.first.is_ipv4() == address.is_ipv4() && (self.first..=self.last).contains(&address)
    }

    fn overlaps(self, other: Self) -> bool {
        self.contains(other.first) || other.contains(self.first)
    }
}

fn overlap(left: IpNet, right: IpNet) -> bool {
    left.contains(&right) || right.contains(&left)
}
