//! Checks kubespray's groups: who is what in the cluster.

use super::etcd;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, Location};
use crate::did_you_mean::closest;
use crate::inventory::{Host, Inventory};

/// Group names that mean something to kinstall.
const ROLES: [&str; 5] = [
    "kube_control_plane",
    "kube_node",
    "etcd",
    "k8s_cluster",
    "bastion",
];

/// Reports missing roles, and hosts whose groups can't be followed.
pub(super) fn check(inventory: &Inventory, diagnostics: &mut Diagnostics) {
    let control_planes = inventory.hosts_in("kube_control_plane");
    let workers = inventory.hosts_in("kube_node");
    if control_planes.is_empty() {
        diagnostics.push(empty_group(
            inventory,
            "kube_control_plane",
            Diagnostic::error(Kind::Inventory, "the cluster has no control plane"),
            "add a host to `[kube_control_plane]` (or `[kube-master]`)",
        ));
    }
    if workers.is_empty() && !control_planes.is_empty() {
        diagnostics.push(empty_group(
            inventory,
            "kube_node",
            Diagnostic::warning(
                "the cluster has no worker: only pods that tolerate the control plane will run",
            ),
            "add hosts to `[kube_node]`; a control plane may be in it as well",
        ));
    }
    check_count(inventory, &control_planes, diagnostics);
    check_outsiders(inventory, diagnostics);
}

/// Points at the empty group; without one, at a group whose name comes near.
fn empty_group(
    inventory: &Inventory,
    group: &str,
    diagnostic: Diagnostic,
    hint: &str,
) -> Diagnostic {
    let whole_file = Location {
        file: std::sync::Arc::clone(&inventory.file),
        span: 0..0,
    };
    if let Some(found) = inventory.groups.get(group) {
        return diagnostic.at(found.location.clone(), "no hosts").hint(hint);
    }
    let strangers = inventory
        .groups
        .values()
        .filter(|group| !ROLES.contains(&group.name.as_str()));
    for stranger in strangers {
        let is_near = closest(&stranger.name, [group, "kube-master", "kube-node"]).is_some();
        if is_near {
            return diagnostic
                .at(stranger.location.clone(), "not a group that kinstall knows")
                .hint(format!("did you mean `{group}`?"));
        }
    }
    diagnostic
        .at(whole_file, format!("no group `{group}`"))
        .hint(hint)
}

/// An even number of etcd members survives no more failures than one less.
fn check_count(inventory: &Inventory, control_planes: &[&Host], diagnostics: &mut Diagnostics) {
    let on_hosts = etcd::is_on_hosts(inventory);
    let count = if on_hosts {
        inventory.hosts_in("etcd").len()
    } else {
        control_planes.len()
    };
    if count == 0 || count % 2 == 1 {
        return;
    }
    let group = ["etcd", "kube_control_plane"]
        .iter()
        .find_map(|name| inventory.groups.get(*name));
    let warning = Diagnostic::warning(format!("etcd has an even number of members: {count}"));
    let (what, way) = if on_hosts {
        ("hosts", "add or remove a host of `[etcd]`")
    } else {
        ("control planes", "add or remove a control plane")
    };
    let warning = match group {
        Some(group) => warning.at(group.location.clone(), format!("{count} {what} run etcd")),
        None => warning,
    };
    diagnostics.push(warning.hint(format!(
        "the cluster survives the loss of {} of them, as it would with {}: {way}",
        count / 2 - 1,
        count - 1,
    )));
}

/// Names hosts that are in no role group; they may be meant for something else.
fn check_outsiders(inventory: &Inventory, diagnostics: &mut Diagnostics) {
    let used: Vec<&Host> = [
        "kube_control_plane",
        "kube_node",
        "etcd",
        "bastion",
        "calico_rr",
    ]
    .iter()
    .flat_map(|group| inventory.hosts_in(group))
    .collect();
    for host in inventory.hosts.values() {
        if !used.iter().any(|other| other.name == host.name) {
            diagnostics.push(
                Diagnostic::warning(format!("`{}` is not part of the cluster", host.name))
                    .at(host.location.clone(), "in no role group")
                    .hint("add it to `[kube_node]` or `[kube_control_plane]` to make it a node"),
            );
        }
    }
}
