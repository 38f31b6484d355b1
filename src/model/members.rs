//! Which hosts of the inventory belong to the cluster, and which are only typing errors.

use std::net::IpAddr;

use super::Roles;
use crate::diagnostic::{Diagnostic, Kind};
use crate::did_you_mean::closest;
use crate::inventory::{Host, Inventory};

/// Names of the node address, the one that wins first.
pub(super) const ADDRESS: [&str; 4] = ["ip", "access_ip", "ansible_host", "ansible_ssh_host"];

/// Returns the hosts of the cluster in inventory order, with their roles.
///
/// etcd runs on the control planes, whatever the group `etcd` says; differences are reported by
/// [`super::groups`].
pub(super) fn members(inventory: &Inventory) -> Vec<(&Host, Roles)> {
    let control_planes = inventory.hosts_in("kube_control_plane");
    let workers = inventory.hosts_in("kube_node");
    let is_in = |group: &[&Host], host: &Host| group.iter().any(|member| member.name == host.name);
    inventory
        .hosts
        .values()
        .filter_map(|host| {
            let control_plane = is_in(&control_planes, host);
            let roles = Roles {
                control_plane,
                etcd: control_plane,
                worker: is_in(&workers, host),
            };
            (roles.control_plane || roles.worker).then_some((host, roles))
        })
        .collect()
}

/// Explains a host without an address.
///
/// In an INI inventory a misspelt member of a group silently becomes a new host. It is one if `[all]`
/// lists hosts but not this one, or if most hosts have addresses, or one with a like name has.
pub(super) fn without_address(inventory: &Inventory, host: &Host) -> Diagnostic {
    let known = || {
        let others = inventory.hosts.values().filter(|other| has_address(other));
        others.map(|other| other.name.as_str())
    };
    let suggestion = closest(&host.name, known());
    let listed = inventory
        .groups
        .get("all")
        .map_or(&[][..], |all| &all.hosts);
    let is_stranger = if listed.is_empty() {
        suggestion.is_some() || known().count() * 2 > inventory.hosts.len()
    } else {
        !listed.iter().any(|member| member.name == host.name)
    };
    if !is_stranger {
        return Diagnostic::error(
            Kind::Inventory,
            format!("host `{}` has no address", host.name),
        )
        .at(host.location.clone(), "where is it?")
        .hint(format!(
            "write `{} ansible_host=ADDRESS ip=ADDRESS`",
            host.name
        ));
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
    error.hint(format!(
        "to add the host, write `{} ansible_host=ADDRESS ip=ADDRESS` in `[all]`",
        host.name
    ))
}

/// Tells whether anything says where the host is.
pub(super) fn has_address(host: &Host) -> bool {
    host.name.parse::<IpAddr>().is_ok()
        || ADDRESS
            .iter()
            .any(|name| host.variables.contains_key(*name))
}
