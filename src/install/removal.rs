//! Which machines may be removed one by one, and what is left to do in the cluster afterwards.

use super::members::Members;
use super::named_hosts;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::ClusterSpec;
use crate::provision::{MachineState, ObservedMachine};

/// Returns the machines that were named and may go: those that are there, as long as a majority of etcd's members and a
/// control plane stay. `recorded` are the members that `up` has written down.
pub fn removable<'a>(
    cluster: &ClusterSpec,
    recorded: Option<&Members>,
    observed: &'a [ObservedMachine],
    nodes: &[String],
) -> Result<Vec<&'a str>, Diagnostics> {
    let names = chosen(observed, nodes)?;
    keeps_a_majority(cluster, recorded, observed, &names)?;
    Ok(names)
}

/// Returns what is left to do in the cluster, a sentence each.
pub fn what_is_left(cluster: &ClusterSpec, names: &[&str]) -> Vec<String> {
    let (known, unknown): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| cluster.host(name).is_some());
    let mut left = Vec::new();
    if !known.is_empty() {
        left.push(format!(
            "If Kubernetes still has the node: `kinstall node remove {}` takes it out of the cluster.",
            known.join(" ")
        ));
        left.push("`kinstall up` makes anew what the inventory still has.".to_owned());
    }
    if let (false, Some(control_plane)) = (unknown.is_empty(), cluster.control_planes().next()) {
        left.push(format!(
            "If Kubernetes still has the node: `kinstall ssh {} -- sudo kubectl delete node {}`.",
            control_plane.name,
            unknown.join(" ")
        ));
    }
    left
}

/// Returns the machines that were named and are there, whole or not; the inventory needn't have them.
fn chosen<'a>(
    observed: &'a [ObservedMachine],
    nodes: &[String],
) -> Result<Vec<&'a str>, Diagnostics> {
    let known: Vec<&str> = observed.iter().map(|it| it.name.as_str()).collect();
    let problems: Diagnostics = nodes
        .iter()
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| named_hosts::unknown("machine", name, &known, "the lab has"))
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let is_chosen =
        |it: &&ObservedMachine| nodes.contains(&it.name) && it.state != MachineState::Absent;
    Ok(observed
        .iter()
        .filter(is_chosen)
        .map(|it| it.name.as_str())
        .collect())
}

/// Fails where too few control planes or hosts of etcd would be left: etcd answers only as long as more than half of its
/// members run, and with the last one the cluster's data is gone.
fn keeps_a_majority(
    cluster: &ClusterSpec,
    recorded: Option<&Members>,
    observed: &[ObservedMachine],
    names: &[&str],
) -> Result<(), Diagnostics> {
    let is_there = |name: &str| {
        let found = observed.iter().find(|it| it.name == name);
        found.is_some_and(|it| it.state != MachineState::Absent)
    };
    // The cluster does without them already.
    let is_lost =
        |name: &&str| recorded.is_some_and(|it| it.lost().iter().any(|lost| lost == name));
    let control_planes = cluster.control_planes().map(|host| host.name.as_str());
    let control_planes: Vec<&str> = control_planes.filter(|it| !is_lost(it)).collect();
    if cluster.etcd.on_hosts
        && !control_planes
            .iter()
            .any(|it| is_there(it) && !names.contains(it))
        && control_planes.iter().any(|it| names.contains(it))
    {
        let removed = control_planes.join(", ");
        return Err(too_few(format!(
            "without {removed} the cluster has no control plane"
        )));
    }
    let of_inventory = cluster.etcd_hosts().map(|host| host.name.as_str());
    stays_a_majority(
        &of_inventory.filter(|it| !is_lost(it)).collect::<Vec<_>>(),
        cluster.etcd.on_hosts,
        is_there,
        names,
    )?;
    // The inventory may have etcd elsewhere than it is.
    let services = recorded.map_or_else(Vec::new, Members::etcd_hosts);
    if services.is_empty() {
        stays_a_majority(&control_planes, false, is_there, names)
    } else {
        stays_a_majority(&services, true, is_there, names)
    }
}

/// Checks that more than half of some members of etcd is left.
fn stays_a_majority(
    all: &[&str],
    on_hosts: bool,
    is_there: impl Fn(&str) -> bool,
    names: &[&str],
) -> Result<(), Diagnostics> {
    let removed: Vec<&str> = all
        .iter()
        .filter(|it| names.contains(it))
        .copied()
        .collect();
    let left = all
        .iter()
        .filter(|it| is_there(it) && !names.contains(it))
        .count();
    if removed.is_empty() || left > all.len() / 2 {
        return Ok(());
    }
    let (whole, parts) = if on_hosts {
        ("etcd", "hosts of etcd")
    } else {
        ("control plane", "control planes")
    };
    let message = if left == 0 {
        format!("without {} the cluster has no {whole}", removed.join(", "))
    } else {
        format!(
            "without {} only {left} of {} {parts} are left, and etcd stops",
            removed.join(", "),
            all.len()
        )
    };
    Err(too_few(message))
}

fn too_few(message: String) -> Diagnostics {
    let error = Diagnostic::error(Kind::Environment, message);
    vec![error.hint("`kinstall down` without names removes the whole lab")]
}
