//! Node addresses that the inventory leaves to the hosts.
//!
//! kubespray takes the address of a host's default route where no `ip` is set. So does kinstall: until the
//! host was asked, its address isn't known. An address that the inventory sets must be one of the host's.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::read::common_network;
use super::{ClusterSpec, HostSpec, validate};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, Location};

/// Where a node address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressSource {
    /// `ip`.
    Inventory,
    /// The address that kinstall connects to; it holds if the host has it.
    Connection,
    /// The host itself.
    Host,
}

/// What a host says of its addresses.
#[derive(Clone, Debug, Default)]
pub struct ReportedAddresses {
    /// Of all interfaces.
    pub all: Vec<IpAddr>,
    /// The one that it has on its default route.
    pub default: Option<IpAddr>,
}

impl ClusterSpec {
    /// Returns what the hosts' answers make of the cluster: every address is known, and checked.
    pub fn with_reported(
        &self,
        reported: &BTreeMap<String, ReportedAddresses>,
    ) -> Result<Self, Diagnostics> {
        let mut problems = Diagnostics::new();
        let mut addresses = BTreeMap::new();
        for (index, host) in self.hosts.iter().enumerate() {
            let Some(reported) = reported.get(&host.name) else {
                continue;
            };
            match choose(host, reported, self.places.addresses.get(index)) {
                Ok(address) => {
                    addresses.insert(host.name.clone(), address);
                }
                Err(problem) => problems.push(problem),
            }
        }
        problems.extend(self.shared(&addresses, reported));
        if !problems.is_empty() {
            return Err(problems);
        }
        let cluster = self.with_addresses(&addresses);
        let (mut before, mut after) = (Diagnostics::new(), Diagnostics::new());
        validate::check(self, &self.places, &mut before);
        validate::check(&cluster, &self.places, &mut after);
        after.retain(|problem| {
            problem.is_error() && !before.iter().any(|other| other.message == problem.message)
        });
        if after.is_empty() {
            Ok(cluster)
        } else {
            Err(after)
        }
    }

    /// Returns an error for each host whose node address another one has as well, beside its own: most often they are one
    /// machine, reached in two ways.
    fn shared(
        &self,
        addresses: &BTreeMap<String, IpAddr>,
        reported: &BTreeMap<String, ReportedAddresses>,
    ) -> Diagnostics {
        let mut problems = Diagnostics::new();
        for (index, (host, location)) in self.hosts.iter().zip(&self.places.names).enumerate() {
            let has = |owner: &str, address: &IpAddr| {
                reported
                    .get(owner)
                    .is_some_and(|it| it.all.contains(address))
            };
            let found = self.hosts[..index].iter().find_map(|other| {
                let (own, its) = (addresses.get(&host.name)?, addresses.get(&other.name)?);
                // Two with the same address are told of elsewhere.
                if own == its {
                    return None;
                }
                let shared = [(&other.name, own), (&host.name, its)];
                let shared = shared.into_iter().find(|(name, it)| has(name, it));
                shared.map(|(_, address)| (&other.name, address))
            });
            if let Some((other, address)) = found {
                let message = format!("`{other}` and `{}` are the same machine", host.name);
                problems.push(
                    Diagnostic::error(Kind::Inventory, message)
                        .at(location.clone(), format!("both have the address {address}"))
                        .hint("nothing was changed: every node needs a machine, and an address, of its own"),
                );
            }
        }
        problems
    }

    /// Returns the cluster with the addresses of those hosts for which the inventory sets none.
    #[must_use]
    pub fn with_addresses(&self, addresses: &BTreeMap<String, IpAddr>) -> Self {
        let mut cluster = self.clone();
        for host in &mut cluster.hosts {
            if host.address_source != AddressSource::Inventory
                && let Some(address) = addresses.get(&host.name)
            {
                host.access_address = host
                    .access_address
                    .filter(|access| Some(*access) != host.address)
                    .or(Some(*address));
                host.address = Some(*address);
            }
        }
        cluster.network.node_cidr = common_network(cluster.addresses());
        let control_plane = &cluster.control_plane;
        if control_plane.proxy.is_none() && control_plane.load_balancer.is_none() {
            let first = cluster.control_planes().next();
            let address = first.and_then(|first| first.access_address);
            cluster.control_plane.endpoint_host =
                address.map_or_else(String::new, |address| address.to_string());
        }
        cluster
    }

    /// Returns the addresses that the hosts were asked for, by host name.
    pub fn learned_addresses(&self) -> BTreeMap<String, IpAddr> {
        self.hosts
            .iter()
            .filter(|host| host.address_source != AddressSource::Inventory)
            .filter_map(|host| Some((host.name.clone(), host.address?)))
            .collect()
    }

    /// Returns the node addresses that are known.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.hosts.iter().filter_map(|host| host.address)
    }

    /// Returns an error for each host without an address: a machine that kinstall makes can't be asked for
    /// the address that it is to get.
    pub fn missing_addresses(&self) -> Diagnostics {
        self.hosts
            .iter()
            .zip(&self.places.names)
            .filter(|(host, _)| host.address.is_none())
            .map(|(host, location)| {
                let message = format!("host `{}` has no address", host.name);
                Diagnostic::error(Kind::Inventory, message)
                    .at(location.clone(), "where is it?")
                    .hint(format!(
                        "a machine that kinstall makes gets its address from the inventory: write `{} ip=ADDRESS`",
                        host.name
                    ))
            })
            .collect()
    }
}

fn choose(
    host: &HostSpec,
    reported: &ReportedAddresses,
    location: Option<&Location>,
) -> Result<IpAddr, Diagnostic> {
    let has = |address: &IpAddr| reported.all.contains(address);
    match (host.address_source, host.address) {
        (AddressSource::Inventory, Some(address)) => {
            // A host that says nothing of its interfaces can't contradict.
            if has(&address) || reported.all.is_empty() {
                return Ok(address);
            }
            let error = Diagnostic::error(
                Kind::Inventory,
                format!("`{}` doesn't have the address {address}", host.name),
            );
            let error = match location {
                Some(location) => error.at(location.clone(), "on no interface of the host"),
                None => error,
            };
            let usable: Vec<String> = usable(reported).map(|it| it.to_string()).collect();
            Err(error
                .hint(format!("the host has {}", usable.join(", ")))
                .hint(
                    "set `ip` to one of them, or remove it; an address by which others reach the host \
                     from outside is `access_ip` or `ansible_host`",
                ))
        }
        // Found before, or connected to: it stays as long as the host has it.
        (_, Some(address)) if has(&address) => Ok(address),
        _ => {
            let mut usable = usable(reported);
            let only = match (usable.next(), usable.next()) {
                (Some(only), None) => Some(only),
                _ => None,
            };
            reported.default.or(only).ok_or_else(|| {
                let error = Diagnostic::error(
                    Kind::Inventory,
                    format!(
                        "it is not clear which address `{}` has as a node",
                        host.name
                    ),
                );
                let error = match location {
                    Some(location) => error.at(location.clone(), "no `ip` is set"),
                    None => error,
                };
                error
                    .hint("the host has no default route, whose address would be taken")
                    .hint(format!("write `{} ip=ADDRESS`", host.name))
            })
        }
    }
}

fn usable(reported: &ReportedAddresses) -> impl Iterator<Item = IpAddr> {
    let is_usable = |address: &&IpAddr| match address {
        IpAddr::V4(address) => !address.is_loopback() && !address.is_link_local(),
        IpAddr::V6(address) => !address.is_loopback() && !address.is_unicast_link_local(),
    };
    reported.all.iter().filter(is_usable).copied()
}
