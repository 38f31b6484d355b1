//! Which hosts of the inventory belong to the cluster, and which are only typing errors.

use std::net::IpAddr;

use super::{Roles, etcd};
use crate::diagnostic::{Diagnostic, Kind};
use crate::did_you_mean::closest;
use crate::inventory::{Host, Inventory};

/// Returns the hosts of the cluster in inventory order, with their roles.
pub(super) fn members(inventory: &Inventory) -> Vec<(&Host, Roles)> {
    let control_planes = inventory.hosts_in("kube_control_plane");
    let workers = inventory.hosts_in("kube_node");
    let members = if etcd::is_on_hosts(inventory) {
        inventory.hosts_in("etcd")
    } else {
        control_planes.clone()
    };
    let is_in = |group: &[&Host], host: &Host| group.iter().any(|member| member.name == host.name);
    inventory
        .hosts
        .values()
        .filter_map(|host| {
            let control_plane = is_in(&control_planes, host);
            let roles = Roles {
                control_plane,
                etcd: is_in(&members, host),
                worker: is_in(&workers, host),
            };
            (roles.is_node() || roles.etcd).then_some((host, roles))
        })
        .collect()
}

/// Reports a host that is only a typing error.
///
/// In an INI inventory a misspelt member of a group silently becomes a new host. It is one if `[all]` lists
/// hosts but not this one, or if a host with a like name has an address and this one hasn't. Other hosts
/// without an address are reached by their names.
pub(super) fn stranger(inventory: &Inventory, host: &Host) -> Option<Diagnostic> {
    if has_address(host) {
        return None;
    }
    let others = || inventory.hosts.values().filter(|it| has_address(it));
    let listed = inventory
        .groups
        .get("all")
        .map_or(&[][..], |all| &all.hosts);
    let (is_stranger, suggestion) = if listed.is_empty() {
        let letters = without_digits(&host.name);
        let like = others().filter(|other| without_digits(&other.name) != letters);
        let suggestion = closest(&host.name, like.map(|other| other.name.as_str()));
        (suggestion.is_some(), suggestion)
    } else {
        let is_listed = listed.iter().any(|member| member.name == host.name);
        let names = others().map(|other| other.name.as_str());
        (!is_listed, closest(&host.name, names))
    };
    if !is_stranger {
        return None;
    }
    let group = inventory.groups.values().find(|group| {
        group.name != "all" && group.hosts.iter().any(|member| member.name == host.name)
    });
    let group = group.map_or("?", |group| group.name.as_str());
    let error = Diagnostic::error(
        Kind::Inventory,
        format!("group `{group}` has the unknown member `{}`", host.name),
    )
    .at(host.location.clone(), "no host line defines it");
    let error = match suggestion {
        Some(name) => error.hint(format!("did you mean `{name}`?")),
        None => error,
    };
    Some(error.hint(format!(
        "to add the host, write `{} ansible_host=ADDRESS ip=ADDRESS` in `[all]`",
        host.name
    )))
}

/// `node1` and `node2` are two hosts, `node1` and `noed1` may be one.
fn without_digits(name: &str) -> String {
    name.chars().filter(|it| !it.is_ascii_digit()).collect()
}

/// Tells whether anything says where the host is.
fn has_address(host: &Host) -> bool {
    host.name.parse::<IpAddr>().is_ok()
        || [
            "ip",
            "access_ip",
            "ansible_host",
            "ansible_ssh_host",
            "ansible_connection",
        ]
        .iter()
        .any(|name| host.variables.contains_key(*name))
}
