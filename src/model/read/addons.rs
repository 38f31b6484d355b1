//! Add-ons: MetalLB, ingress, and those whose definitions list their variables.

use std::net::IpAddr;

use ipnet::IpNet;

use super::super::names::is_subdomain;
use super::super::{Addons, AddressPool, AddressRange, Ingress, MetalLb, defaults};
use super::defined;
use super::{Placed, Reader, boolean};
use crate::diagnostic::Location;
use crate::yaml::{Entry, Node, Value};

/// The add-ons, and where MetalLB's ranges stand.
pub(in super::super) struct PlacedAddons {
    pub addons: Addons,
    pub ranges: Vec<Placed<AddressRange>>,
}

/// A pool of MetalLB as it is written down.
struct Pool {
    /// Of the variable.
    variable: &'static str,
    name: String,
    location: Location,
    auto_assign: bool,
    ranges: Vec<Value>,
}

pub(super) fn addons(reader: &mut Reader<'_>) -> PlacedAddons {
    let (metallb, ranges) = match metallb(reader) {
        Some((metallb, ranges)) => (Some(metallb), ranges),
        None => (None, Vec::new()),
    };
    PlacedAddons {
        addons: Addons {
            metallb,
            ingress: ingress(reader),
            defined: defined::addons(reader),
        },
        ranges,
    }
}

fn ingress(reader: &mut Reader<'_>) -> Option<Ingress> {
    let is_wanted = reader.boolean("ingress_enabled").unwrap_or(false);
    let nginx = reader.value("ingress_nginx_enabled");
    let is_nginx = reader.boolean("ingress_nginx_enabled").unwrap_or(false);
    if let Some(value) = nginx.filter(|_| is_nginx) {
        reader.warning(
            &value.location,
            "Traefik is installed instead of ingress-nginx",
            "retired project",
            "Ingress objects of class `nginx` are served; `kinstall status` names annotations without effect",
        );
    }
    if !is_wanted && !is_nginx {
        return None;
    }
    let own_class = reader.text(&["ingress_nginx_class"]);
    if let Some(Placed {
        value,
        location: Some(location),
    }) = &own_class
    {
        check_name(reader, value, location, "an ingress class");
    }
    let mut classes: Vec<String> = own_class.into_iter().map(|class| class.value).collect();
    for class in defaults::INGRESS_CLASSES {
        if !classes.iter().any(|own| own == class) {
            classes.push(class.to_owned());
        }
    }
    let domains = domains(reader);
    let certificate = [&["certificate".to_owned()], domains.as_slice()]
        .concat()
        .join("-");
    if !is_subdomain(&certificate)
        && domains.iter().all(|it| is_subdomain(it))
        && let Some(written) = reader.value("kinstall_ingress_domains")
    {
        reader.error(
            &written.location,
            "the domains of `kinstall_ingress_domains` are too long for one certificate",
            "they are its name in the cluster",
            "together they can have 240 characters: leave some out, names one level below a domain need none of their own",
        );
    }
    Some(Ingress {
        certificate,
        domains,
        classes,
        without_class: reader
            .boolean("ingress_nginx_without_class")
            .unwrap_or(true),
    })
}

/// Reads `kinstall_ingress_domains`: a list, or one domain; without it, the domain of the nodes.
fn domains(reader: &mut Reader<'_>) -> Vec<String> {
    let variable = "kinstall_ingress_domains";
    if reader.value(variable).is_none() {
        let of_nodes = reader.text(&["node_domain"]);
        return of_nodes.map(|it| it.value).into_iter().collect();
    }
    let written = reader.list(variable);
    let domains = written.iter().filter_map(|value| {
        let Some(domain) = value.text() else {
            reader.wrong_kind(variable, value, "a domain");
            return None;
        };
        check_name(reader, domain, &value.location, "a domain");
        Some(domain.to_owned())
    });
    domains.collect()
}

/// Returns MetalLB if it is wanted.
fn metallb(reader: &mut Reader<'_>) -> Option<(MetalLb, Vec<Placed<AddressRange>>)> {
    let switch = reader.value("metallb_enabled");
    if !reader.boolean("metallb_enabled").unwrap_or(false) {
        return None;
    }
    if let Some(protocol) = reader.text(&["metallb_protocol"])
        && let Some(location) = &protocol.location
        && protocol.value != "layer2"
    {
        bgp(reader, location);
    }
    let mut written: Vec<Pool> = flat_pool(reader).into_iter().collect();
    written.extend(additional_pools(reader));
    written.extend(configured_pools(reader));
    if let Some(switch) = switch.filter(|_| written.iter().all(|pool| pool.ranges.is_empty())) {
        reader.error(
            &switch.location,
            "MetalLB has no addresses to give away",
            "enabled here",
            "set `metallb_ip_range: [\"192.168.56.50-192.168.56.99\"]` with free addresses of the node network",
        );
    }
    let mut pools: Vec<AddressPool> = Vec::new();
    let mut all = Vec::new();
    for pool in written.iter().filter(|pool| !pool.ranges.is_empty()) {
        check_name(reader, &pool.name, &pool.location, "a MetalLB pool");
        if pools.iter().any(|other| other.name == pool.name) {
            reader.error(
                &pool.location,
                format!("two MetalLB pools have the name `{}`", pool.name),
                "second time",
                "give each pool its own name",
            );
        }
        let ranges: Vec<AddressRange> = pool
            .ranges
            .iter()
            .filter_map(|value| {
                let range = range(reader, pool.variable, value)?;
                all.push(Placed {
                    value: range,
                    location: Some(value.location.clone()),
                });
                Some(range)
            })
            .collect();
        pools.push(AddressPool {
            name: pool.name.clone(),
            ranges,
            auto_assign: pool.auto_assign,
        });
    }
    Some((MetalLb { pools }, all))
}

fn check_name(reader: &mut Reader<'_>, name: &str, location: &Location, what: &str) {
    if !is_subdomain(name) {
        reader.error(
            location,
            format!("`{name}` can't be the name of {what}"),
            "Kubernetes refuses it",
            "only lower-case letters, digits, `-` and `.`; letter or digit first and last",
        );
    }
}

/// Reads `metallb_ip_range`, with the variables beside it.
fn flat_pool(reader: &mut Reader<'_>) -> Option<Pool> {
    let variable = "metallb_ip_range";
    let name = reader.text(&["metallb_pool_name"]);
    let auto_assign = reader.boolean("metallb_auto_assign").unwrap_or(true);
    let ranges = reader.list(variable);
    let first = ranges.first()?.location.clone();
    let location = name.as_ref().and_then(|name| name.location.clone());
    Some(Pool {
        variable,
        name: name.map_or_else(|| defaults::METALLB_POOL.to_owned(), |name| name.value),
        location: location.unwrap_or(first),
        auto_assign,
        ranges,
    })
}

fn bgp(reader: &mut Reader<'_>, location: &Location) {
    reader.error(
        location,
        "MetalLB's BGP mode is not supported",
        "must be layer2",
        "use layer2, which needs no router; the pool must be free addresses of the node network",
    );
}

/// Reads `metallb_additional_address_pools: {name: {ip_range: […], protocol: layer2}}`.
fn additional_pools(reader: &mut Reader<'_>) -> Vec<Pool> {
    let variable = "metallb_additional_address_pools";
    let Some(pools) = reader.value(variable) else {
        return Vec::new();
    };
    let entries = pools.entries().unwrap_or_default();
    for pool in entries {
        if let Some(protocol) = pool.value.get("protocol")
            && protocol.text() != Some("layer2")
        {
            bgp(reader, &protocol.location);
        }
    }
    entries.iter().map(|entry| pool(variable, entry)).collect()
}

/// Reads `metallb_config: {address_pools: {name: {ip_range: […]}}, layer2: [name]}`.
fn configured_pools(reader: &mut Reader<'_>) -> Vec<Pool> {
    let variable = "metallb_config";
    let Some(config) = reader.value(variable) else {
        return Vec::new();
    };
    if let Some(layer3) = config.get("layer3")
        && layer3.node != Node::Null
    {
        bgp(reader, &layer3.location);
    }
    let announced: Vec<&str> = config
        .get("layer2")
        .and_then(Value::items)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::text)
        .collect();
    let mut pools = Vec::new();
    for entry in config
        .get("address_pools")
        .and_then(Value::entries)
        .unwrap_or_default()
    {
        if announced.contains(&entry.key.as_str()) {
            pools.push(pool(variable, entry));
            continue;
        }
        reader.warning(
            &entry.key_location,
            format!(
                "MetalLB pool `{}` is left out: `layer2` doesn't name it",
                entry.key
            ),
            "no machine would answer for its addresses",
            format!("add `{}` to the list `layer2`", entry.key),
        );
    }
    pools
}

fn pool(variable: &'static str, entry: &Entry) -> Pool {
    let auto_assign = entry.value.get("auto_assign").and_then(boolean);
    Pool {
        variable,
        name: entry.key.clone(),
        location: entry.key_location.clone(),
        auto_assign: auto_assign.unwrap_or(true),
        ranges: pool_ranges(&entry.value),
    }
}

fn pool_ranges(pool: &Value) -> Vec<Value> {
    match pool.get("ip_range") {
        Some(Value {
            node: Node::List(ranges),
            ..
        }) => ranges.clone(),
        Some(range) => vec![range.clone()],
        None => Vec::new(),
    }
}

fn range(reader: &mut Reader<'_>, name: &str, value: &Value) -> Option<AddressRange> {
    let Some(range) = value.text().and_then(parse_range) else {
        reader.wrong_kind(name, value, "`first-last` or a network");
        return None;
    };
    if range.first > range.last {
        reader.error(
            &value.location,
            format!("`{name}` holds a range that ends before it begins"),
            "the first address is the higher one",
            format!("write `{}-{}`", range.last, range.first),
        );
        return None;
    }
    Some(range)
}

fn parse_range(text: &str) -> Option<AddressRange> {
    if let Ok(network) = text.trim().parse::<IpNet>() {
        return Some(AddressRange {
            first: network.network(),
            last: network.broadcast(),
        });
    }
    let (first, last) = text.split_once('-')?;
    let first: IpAddr = first.trim().parse().ok()?;
    let last: IpAddr = last.trim().parse().ok()?;
    (first.is_ipv4() == last.is_ipv4()).then_some(AddressRange { first, last })
}
