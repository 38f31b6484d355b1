//! One host of the cluster.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::names::{label_name_fault, label_value_fault};
use super::super::{AddressSource, HostSpec, JumpHost, Kubelet, Roles, Taint};
use super::{Placed, Reader, connection, machine};
use crate::diagnostic::{Diagnostics, Location};
use crate::inventory::{Host, Inventory};
use crate::yaml::{Node, Value};

/// The label and the taint that kubeadm gives to control planes.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

/// A host, and where its address stands.
pub(in super::super) struct PlacedHost {
    pub spec: HostSpec,
    pub address: Location,
    pub name: Location,
    /// Of `kubelet_max_pods`.
    pub max_pods: Option<Location>,
}

/// Reads a host; `None` if one of its addresses is wrong.
pub(super) fn host(
    inventory: &Inventory,
    host: &Host,
    roles: Roles,
    bastion: Option<&JumpHost>,
    diagnostics: &mut Diagnostics,
) -> Option<PlacedHost> {
    let mut reader = Reader::of_host(inventory, host, diagnostics);
    let addresses = addresses(&mut reader, host);
    let known = addresses.as_ref().and_then(|it| it.address.as_ref());
    let known = known.map(|address| address.value);
    let connection = connection::connection(&mut reader, host, known, bastion);
    let labels = labels(&mut reader, roles);
    let taints = taints(&mut reader, roles);
    let (kubelet, max_pods) = Kubelet::read(&mut reader);
    let machine = machine::machine(&mut reader);
    let addresses = addresses?;
    let location = addresses.address.and_then(|address| address.location);
    Some(PlacedHost {
        spec: HostSpec {
            name: host.name.clone(),
            address: known,
            address_source: addresses.source,
            access_address: addresses.access.or(known),
            roles,
            labels,
            taints,
            kubelet,
            connection,
            machine,
        },
        address: location.unwrap_or_else(|| host.location.clone()),
        name: host.location.clone(),
        max_pods,
    })
}

/// What the inventory says of a host's addresses.
struct Addresses {
    address: Option<Placed<IpAddr>>,
    source: AddressSource,
    access: Option<IpAddr>,
}

/// Reads the addresses; `None` if one of them is wrong.
///
/// An `ansible_host` that others can hardly have as their own (a private address) is the node's address
/// until the host says something else. A public one mostly belongs to a router before the host.
fn addresses(reader: &mut Reader<'_>, host: &Host) -> Option<Addresses> {
    let before = reader.diagnostics.len();
    let node = filled(reader, host, "ip").and_then(|value| address(reader, host, "ip", &value));
    let access = filled(reader, host, "access_ip")
        .and_then(|value| address(reader, host, "access_ip", &value));
    let connection = connection::HOST
        .iter()
        .find_map(|name| Some((*name, filled(reader, host, name)?)))
        .map_or(Some((None, host.name.clone())), |(name, value)| {
            let text = value.text()?.trim();
            let text = text.rsplit('@').next().unwrap_or_default().to_owned();
            if text.parse::<IpAddr>().is_err() && is_numeric(&text) {
                not_an_address(reader, host, name, &value, &text);
            }
            Some((Some(value.location.clone()), text))
        });
    if reader.diagnostics.len() > before {
        return None;
    }
    let access = access.map(|access| access.value);
    if let Some(address) = node {
        return Some(Addresses {
            address: Some(address),
            source: AddressSource::Inventory,
            access,
        });
    }
    let private = connection.and_then(|(location, text)| {
        let value = text.parse().ok().filter(|it| is_private(*it))?;
        Some(Placed {
            value,
            location: location.or_else(|| Some(host.location.clone())),
        })
    });
    Some(Addresses {
        source: match private {
            Some(_) => AddressSource::Connection,
            None => AddressSource::Host,
        },
        address: private,
        access,
    })
}

/// Returns a variable that must have a value where it is set.
fn filled(reader: &mut Reader<'_>, host: &Host, name: &str) -> Option<Value> {
    let entry = host.variables.get(name)?;
    let before = reader.diagnostics.len();
    let value = reader.value(name);
    let is_blank = value
        .as_ref()
        .is_none_or(|value| value.text().is_some_and(|text| text.trim().is_empty()));
    if is_blank && reader.diagnostics.len() == before {
        let place = match &entry.value.node {
            Node::Null => &entry.key_location,
            _ => &entry.value.location,
        };
        reader.error(
            place,
            format!("`{name}` of `{}` has no value", host.name),
            "empty",
            match name {
                "ip" => "write the address, or remove the variable: then the host is asked for it",
                _ => "write the address, or remove the variable",
            },
        );
    }
    value.filter(|_| !is_blank)
}

fn address(
    reader: &mut Reader<'_>,
    host: &Host,
    name: &str,
    value: &Value,
) -> Option<Placed<IpAddr>> {
    let text = value.text().unwrap_or_default().trim().to_owned();
    let Ok(address) = text.parse::<IpAddr>() else {
        not_an_address(reader, host, name, value, &text);
        return None;
    };
    if let Some(reason) = why_unusable(address) {
        reader.error(
            &value.location,
            format!("`{}` can't have the address {address}", host.name),
            reason,
            "give the address that the other nodes reach it at",
        );
        return None;
    }
    Some(Placed {
        value: address,
        location: Some(value.location.clone()),
    })
}

fn not_an_address(reader: &mut Reader<'_>, host: &Host, name: &str, value: &Value, text: &str) {
    let (label, hint) = why_no_address(text, &host.name);
    reader.error(
        &value.location,
        format!("`{name}` of `{}` is not an IP address: `{text}`", host.name),
        &label,
        hint,
    );
}

/// Tells whether only hosts of one network can have the address: those of RFC 1918, RFC 6598 and RFC 4193.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_private() || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(address) => address.is_unique_local(),
    }
}

/// Tells whether a text is meant as an IPv4 address.
fn is_numeric(text: &str) -> bool {
    text.contains('.')
        && text
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn why_no_address(text: &str, host: &str) -> (String, String) {
    let parts: Vec<&str> = text.split('.').collect();
    let are_numbers = is_numeric(text);
    let write_one = "write an address such as 192.168.56.21".to_owned();
    if are_numbers && parts.len() == 4 {
        return match parts.iter().find(|part| part.parse::<u8>().is_err()) {
            Some(part) => (
                format!("{part} is out of range: each part is 0 to 255"),
                write_one,
            ),
            None => ("leading zeros are ambiguous".to_owned(), write_one),
        };
    }
    if are_numbers {
        return (format!("has {} parts, not 4", parts.len()), write_one);
    }
    (
        "a name can't tell the node its address".to_owned(),
        format!("add `ip=ADDRESS` to `{host}`; names are fine for `ansible_host` then"),
    )
}

fn why_unusable(address: IpAddr) -> Option<&'static str> {
    let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    let is_reserved = matches!(address, IpAddr::V4(address) if address.octets()[0] == 0 || address.octets()[0] >= 240);
    if address.is_loopback() {
        Some("a loopback address")
    } else if address.is_multicast() {
        Some("a multicast address")
    } else if address.is_unspecified() || is_broadcast || is_reserved {
        Some("out of the range of host addresses")
    } else {
        None
    }
}

fn labels(reader: &mut Reader<'_>, roles: Roles) -> BTreeMap<String, String> {
    let mut labels = own_labels(reader);
    if roles.control_plane {
        // kubeadm sets it once; a Node that was made anew doesn't have it.
        labels.insert(CONTROL_PLANE.to_owned(), String::new());
    }
    labels
}

fn own_labels(reader: &mut Reader<'_>) -> BTreeMap<String, String> {
    let Some(value) = reader.value("node_labels") else {
        return BTreeMap::new();
    };
    let Some(entries) = value.entries() else {
        reader.wrong_kind("node_labels", &value, "a mapping of names to values");
        return BTreeMap::new();
    };
    let mut labels = BTreeMap::new();
    for entry in entries {
        let text = match &entry.value.node {
            Node::Text(text) | Node::Number(text) => text.clone(),
            Node::Bool(value) => value.to_string(),
            Node::Null => String::new(),
            Node::List(_) | Node::Map(_) => {
                reader.wrong_kind("node_labels", &entry.value, "a mapping of names to values");
                continue;
            }
        };
        let faults = [
            (
                &entry.key_location,
                "name",
                &entry.key,
                label_name_fault(&entry.key),
            ),
            (
                &entry.value.location,
                "value",
                &text,
                label_value_fault(&text),
            ),
        ];
        for (location, part, written, fault) in faults {
            if let Some(fault) = fault {
                let message = format!("`{written}` can't be the {part} of a label");
                reader.error(location, message, "Kubernetes refuses it", fault);
            }
        }
        labels.insert(entry.key.clone(), text);
    }
    labels
}

fn taints(reader: &mut Reader<'_>, roles: Roles) -> Vec<Taint> {
    let mut taints = Vec::new();
    for value in reader.list("node_taints") {
        match value.text().and_then(parse_taint) {
            Some(taint) => {
                check_taint(reader, &value, &taint);
                taints.push(taint);
            }
            None => reader.wrong_kind("node_taints", &value, "a list of key=value:effect"),
        }
    }
    if roles.control_plane && !roles.worker {
        taints.push(Taint {
            key: CONTROL_PLANE.to_owned(),
            value: String::new(),
            effect: "NoSchedule".to_owned(),
        });
    }
    taints
}

fn check_taint(reader: &mut Reader<'_>, value: &Value, taint: &Taint) {
    let faults = [
        ("key", &taint.key, label_name_fault(&taint.key)),
        ("value", &taint.value, label_value_fault(&taint.value)),
    ];
    for (part, written, fault) in faults {
        if let Some(fault) = fault {
            let message = format!("`{written}` can't be the {part} of a taint");
            reader.error(&value.location, message, "Kubernetes refuses it", fault);
        }
    }
}

fn parse_taint(text: &str) -> Option<Taint> {
    let (pair, effect) = text.rsplit_once(':')?;
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    let is_effect = ["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect);
    (is_effect && !key.is_empty()).then(|| Taint {
        key: key.to_owned(),
        value: value.to_owned(),
        effect: effect.to_owned(),
    })
}
