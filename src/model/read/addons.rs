//! Add-ons: metrics-server, MetalLB, ingress.

use std::net::IpAddr;

use ipnet::IpNet;

use super::super::{Addons, AddressRange, Ingress, MetalLb, defaults};
use super::{Placed, Reader, boolean};
use crate::yaml::{Node, Value};

/// The add-ons, and where MetalLB's ranges stand.
pub(in super::super) struct PlacedAddons {
    pub addons: Addons,
    pub pools: Vec<Placed<AddressRange>>,
}

pub(super) fn addons(reader: &mut Reader<'_>) -> PlacedAddons {
    let metrics_server = reader.boolean("metrics_server_enabled").unwrap_or(false);
    let pools = metallb_pools(reader);
    let ingress = ingress(reader);
    let metallb = pools.as_ref().map(|pools| MetalLb {
        pools: pools.iter().map(|pool| pool.value).collect(),
    });
    PlacedAddons {
        addons: Addons {
            metrics_server,
            metallb,
            ingress,
        },
        pools: pools.unwrap_or_default(),
    }
}

fn ingress(reader: &mut Reader<'_>) -> Option<Ingress> {
    let is_wanted = reader.boolean("ingress_enabled").unwrap_or(false);
    let nginx = reader.value("ingress_nginx_enabled");
    let is_nginx = reader.boolean("ingress_nginx_enabled").unwrap_or(false);
    if let Some(value) = nginx.filter(|_| is_nginx) {
        reader.warning(
            &value.location,
            "Contour is installed instead of ingress-nginx",
            "retired project",
            "Ingress objects of class `nginx` are served; annotations of ingress-nginx have no effect",
        );
    }
    if !is_wanted && !is_nginx {
        return None;
    }
    let own_class = reader
        .text(&["ingress_nginx_class"])
        .map(|class| class.value);
    let mut classes: Vec<String> = own_class.into_iter().collect();
    for class in defaults::INGRESS_CLASSES {
        if !classes.iter().any(|own| own == class) {
            classes.push(class.to_owned());
        }
    }
    Some(Ingress { classes })
}

/// Returns the address pools if MetalLB is wanted.
fn metallb_pools(reader: &mut Reader<'_>) -> Option<Vec<Placed<AddressRange>>> {
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
    let mut ranges: Vec<(&str, Value)> = Vec::new();
    let flat = reader.list("metallb_ip_range");
    ranges.extend(flat.into_iter().map(|range| ("metallb_ip_range", range)));
    ranges.extend(additional_ranges(reader));
    ranges.extend(configured_ranges(reader));
    let pools: Vec<Placed<AddressRange>> = ranges
        .iter()
        .filter_map(|(name, value)| {
            Some(Placed {
                value: range(reader, name, value)?,
                location: Some(value.location.clone()),
            })
        })
        .collect();
    if let Some(switch) = switch.filter(|_| ranges.is_empty()) {
        reader.error(
            &switch.location,
            "MetalLB has no addresses to give away",
            "enabled here",
            "set `metallb_ip_range: [\"192.168.56.50-192.168.56.99\"]` with free addresses of the node network",
        );
    }
    Some(pools)
}

fn bgp(reader: &mut Reader<'_>, location: &crate::diagnostic::Location) {
    reader.error(
        location,
        "MetalLB's BGP mode is not supported",
        "must be layer2",
        "use layer2, which needs no router; the pool must be free addresses of the node network",
    );
}

/// Reads `metallb_additional_address_pools: {name: {ip_range: […], protocol: layer2}}`.
fn additional_ranges(reader: &mut Reader<'_>) -> Vec<(&'static str, Value)> {
    let name = "metallb_additional_address_pools";
    let Some(pools) = reader.value(name) else {
        return Vec::new();
    };
    let mut ranges = Vec::new();
    for pool in pools.entries().unwrap_or_default() {
        if let Some(protocol) = pool.value.get("protocol")
            && protocol.text() != Some("layer2")
        {
            bgp(reader, &protocol.location);
        }
        ranges.extend(
            pool_ranges(&pool.value)
                .into_iter()
                .map(|range| (name, range)),
        );
    }
    ranges
}

/// Reads `metallb_config: {address_pools: {name: {ip_range: […]}}, layer2: [name]}`.
fn configured_ranges(reader: &mut Reader<'_>) -> Vec<(&'static str, Value)> {
    let name = "metallb_config";
    let Some(config) = reader.value(name) else {
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
    let pools = config
        .get("address_pools")
        .and_then(Value::entries)
        .unwrap_or_default();
    let mut ranges = Vec::new();
    for pool in pools {
        if !announced.contains(&pool.key.as_str()) {
            reader.warning(
                &pool.key_location,
                format!(
                    "MetalLB pool `{}` is left out: `layer2` doesn't name it",
                    pool.key
                ),
                "nobody would answer for its addresses",
                format!("add `{}` to the list `layer2`", pool.key),
            );
            continue;
        }
        if let Some(assigned) = pool.value.get("auto_assign")
            && boolean(assigned) == Some(false)
        {
            reader.warning(
                &assigned.location,
                format!("MetalLB pool `{}` is used for every service", pool.key),
                "not supported",
                "services can ask for an address of their own with the annotation metallb.io/loadBalancerIPs",
            );
        }
        ranges.extend(
            pool_ranges(&pool.value)
                .into_iter()
                .map(|range| (name, range)),
        );
    }
    ranges
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
