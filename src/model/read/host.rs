//! One host of the cluster.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::members::ADDRESS;
use super::super::names::{label_name_fault, label_value_fault};
use super::super::{HostSpec, JumpHost, Kubelet, Roles, Taint};
use super::{Placed, Reader, connection, machine};
use crate::diagnostic::{Diagnostics, Location};
use crate::inventory::{Host, Inventory};
use crate::yaml::{Node, Value};

/// A host, and where its address stands.
pub(in super::super) struct PlacedHost {
    pub spec: HostSpec,
    pub address: Location,
    pub name: Location,
    /// Of `kubelet_max_pods`.
    pub max_pods: Option<Location>,
}

/// Reads a host; `None` if it has no usable address.
pub(super) fn host(
    inventory: &Inventory,
    host: &Host,
    roles: Roles,
    bastion: Option<&JumpHost>,
    diagnostics: &mut Diagnostics,
) -> Option<PlacedHost> {
    let mut reader = Reader::of_host(inventory, host, diagnostics);
    let address = address(&mut reader, host);
    let written = address
        .as_ref()
        .map_or(String::new(), |address| address.value.to_string());
    let connection = connection::connection(&mut reader, &written, bastion);
    let labels = labels(&mut reader);
    let taints = taints(&mut reader, roles);
    let (kubelet, max_pods) = Kubelet::read(&mut reader);
    let machine = machine::machine(&mut reader);
    let address = address?;
    Some(PlacedHost {
        spec: HostSpec {
            name: host.name.clone(),
            address: address.value,
            roles,
            labels,
            taints,
            kubelet,
            connection,
            machine,
        },
        address: address.location.unwrap_or_else(|| host.location.clone()),
        name: host.location.clone(),
        max_pods,
    })
}

fn address(reader: &mut Reader<'_>, host: &Host) -> Option<Placed<IpAddr>> {
    let found = ADDRESS
        .iter()
        .find_map(|name| Some((*name, reader.value(name)?)));
    let Some((name, value)) = found else {
        let address = host.name.parse().ok()?;
        return Some(Placed {
            value: address,
            location: Some(host.location.clone()),
        });
    };
    let text = value.text().unwrap_or_default().trim().to_owned();
    let Ok(address) = text.parse::<IpAddr>() else {
        let (label, hint) = why_no_address(&text, &host.name);
        reader.error(
            &value.location,
            format!("`{name}` of `{}` is not an IP address: `{text}`", host.name),
            &label,
            hint,
        );
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
        location: Some(value.location),
    })
}

fn why_no_address(text: &str, host: &str) -> (String, String) {
    let parts: Vec<&str> = text.split('.').collect();
    let are_numbers = parts
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
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

fn labels(reader: &mut Reader<'_>) -> BTreeMap<String, String> {
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
            key: "node-role.kubernetes.io/control-plane".to_owned(),
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
