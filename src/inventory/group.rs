//! Groups: their names, children, depth and members.

use std::collections::{HashMap, HashSet};

use super::{Inventory, Variables, error_at};
use crate::diagnostic::{Diagnostics, Location};
use crate::did_you_mean::closest;

/// A group of hosts.
#[derive(Debug)]
pub struct Group {
    /// Canonical name.
    pub name: String,
    /// Where it is named first.
    pub location: Location,
    /// Hosts that the group names itself.
    pub hosts: Vec<Reference>,
    /// Child groups, by canonical name.
    pub children: Vec<Reference>,
    /// Variables that the inventory file sets for the group.
    pub variables: Variables,
    /// Whether a section or key defines it; else it is only somebody's child.
    pub is_defined: bool,
}

/// A name and the place where it is mentioned.
#[derive(Debug)]
pub struct Reference {
    pub name: String,
    pub location: Location,
}

impl Group {
    pub(super) fn new(name: &str, location: Location) -> Self {
        Self {
            name: name.to_owned(),
            location,
            hosts: Vec::new(),
            children: Vec::new(),
            variables: Variables::new(),
            is_defined: false,
        }
    }

    /// Adds a child by any of its spellings.
    ///
    /// `[kube_control_plane:children]` with `kube-master` is how inventories bridged the renaming: both
    /// are one group here, so such a child adds nothing.
    pub(super) fn add_child(&mut self, name: &str, location: Location) {
        let canonical_name = canonical(name);
        let is_bridge = canonical_name == self.name && canonical_name != name;
        if !is_bridge
            && !self
                .children
                .iter()
                .any(|child| child.name == canonical_name)
        {
            self.children.push(Reference {
                name: canonical_name.to_owned(),
                location,
            });
        }
    }
}

/// Old spellings of kubespray's groups, oldest first, with today's name.
const SPELLINGS: [(&str, &str); 8] = [
    ("kube-master", "kube_control_plane"),
    ("kube_master", "kube_control_plane"),
    ("kube-control-plane", "kube_control_plane"),
    ("kube-node", "kube_node"),
    ("k8s-cluster", "k8s_cluster"),
    ("calico-rr", "calico_rr"),
    ("kube-ingress", "kube_ingress"),
    ("no-floating", "no_floating"),
];

/// Returns today's name of a group.
pub fn canonical(name: &str) -> &str {
    SPELLINGS
        .iter()
        .find(|(old, _)| *old == name)
        .map_or(name, |(_, new)| new)
}

/// Returns all spellings of a canonical name, oldest first, itself last.
pub fn spellings(name: &str) -> impl Iterator<Item = &str> {
    SPELLINGS
        .iter()
        .filter(move |(_, new)| *new == name)
        .map(|(old, _)| *old)
        .chain([name])
}

/// Groups whose hosts kubespray's playbooks put into `k8s_cluster`.
const CLUSTER: [&str; 3] = ["kube_node", "kube_control_plane", "calico_rr"];

/// Puts every node into the group `k8s_cluster`, as kubespray's playbooks do before anything else.
///
/// kubespray's samples have had no section of that name since 2.27. A host that is added so is a member of
/// the group itself, which decides whose variables win: the group is no parent of the others.
pub(super) fn add_cluster(inventory: &mut Inventory) {
    let known: HashSet<&str> = host_names(inventory, "k8s_cluster").into_iter().collect();
    let mut missing: Vec<(String, Location)> = Vec::new();
    for name in CLUSTER
        .iter()
        .flat_map(|group| host_names(inventory, group))
    {
        let is_new = !known.contains(name) && !missing.iter().any(|(other, _)| other == name);
        if let Some(host) = inventory.hosts.get(name).filter(|_| is_new) {
            missing.push((name.to_owned(), host.location.clone()));
        }
    }
    for (name, location) in missing {
        let group = inventory.add_group("k8s_cluster", &location);
        group.is_defined = true;
        group.hosts.push(Reference { name, location });
    }
}

/// Returns the hosts of a group and its descendants, each once, those of the group itself first.
pub(super) fn host_names<'a>(inventory: &'a Inventory, group: &'a str) -> Vec<&'a str> {
    let mut names = indexmap::IndexSet::new();
    for name in descendants(inventory, canonical(group)) {
        let members = inventory.groups.get(name).map(|group| &group.hosts);
        names.extend(members.into_iter().flatten().map(|host| host.name.as_str()));
    }
    names.into_iter().collect()
}

fn descendants<'a>(inventory: &'a Inventory, group: &'a str) -> Vec<&'a str> {
    let mut found = vec![group];
    let mut next = 0;
    while let Some(name) = found.get(next).copied() {
        let children = inventory.groups.get(name).map(|group| &group.children);
        for child in children.into_iter().flatten() {
            if !found.contains(&child.name.as_str()) {
                found.push(&child.name);
            }
        }
        next += 1;
    }
    found
}

/// Returns the distance of every group to `all`, counted along the longest way, in inventory order.
///
/// Groups must have passed [`check`].
pub(super) fn depths(inventory: &Inventory) -> Vec<(&Group, usize)> {
    fn depth<'a>(
        inventory: &'a Inventory,
        name: &'a str,
        known: &mut HashMap<&'a str, usize>,
    ) -> usize {
        if let Some(depth) = known.get(name) {
            return *depth;
        }
        let parents = inventory.groups.values().filter(|group| {
            group.name != "all" && group.children.iter().any(|child| child.name == name)
        });
        let deepest = parents
            .map(|parent| depth(inventory, &parent.name, known))
            .max();
        let depth = 1 + deepest.unwrap_or(0);
        known.insert(name, depth);
        depth
    }
    let mut known = HashMap::new();
    let groups = inventory
        .groups
        .values()
        .filter(|group| group.name != "all");
    groups
        .map(|group| (group, depth(inventory, &group.name, &mut known)))
        .collect()
}

/// Reports children that are no groups, groups among hosts, and groups that contain themselves.
pub(super) fn check(inventory: &Inventory, diagnostics: &mut Diagnostics) {
    check_hosts(inventory, diagnostics);
    let defined = || {
        let groups = inventory.groups.values().filter(|group| group.is_defined);
        groups.flat_map(|group| spellings(&group.name))
    };
    for group in inventory.groups.values() {
        for child in &group.children {
            if !inventory
                .groups
                .get(&child.name)
                .is_some_and(|group| group.is_defined)
            {
                let error = error_at(
                    &child.location,
                    format!(
                        "group `{}` has the unknown child `{}`",
                        group.name, child.name
                    ),
                    "no such group",
                );
                diagnostics.push(match closest(&child.name, defined()) {
                    Some(name) => error.hint(format!("did you mean `{name}`?")),
                    None => error.hint(format!(
                        "add a section `[{}]`, or remove this line",
                        child.name
                    )),
                });
            }
        }
    }
    let mut reported = HashSet::new();
    for group in inventory.groups.values() {
        let mut path = vec![group.name.as_str()];
        find_cycle(
            inventory,
            &mut path,
            &mut HashSet::new(),
            &mut reported,
            diagnostics,
        );
    }
}

/// Reports a group that stands where hosts belong: Ansible makes a host of that name, with a warning.
fn check_hosts(inventory: &Inventory, diagnostics: &mut Diagnostics) {
    let is_group = |name: &str| {
        let group = inventory.groups.get(canonical(name));
        group.is_some_and(|group| group.is_defined)
    };
    for group in inventory.groups.values() {
        // A host may be called like its own group: `bastion` in `[bastion]`.
        let strangers = group.hosts.iter().filter(|member| {
            let host = inventory.hosts.get(&member.name);
            canonical(&member.name) != group.name
                && is_group(&member.name)
                && host.is_none_or(|host| host.variables.is_empty())
        });
        for member in strangers {
            diagnostics.push(
                error_at(
                    &member.location,
                    format!(
                        "`{}` is a group, but stands among the hosts of `[{}]`",
                        member.name, group.name
                    ),
                    "expected a host",
                )
                .hint(format!("did you mean `[{}:children]`?", group.name)),
            );
        }
    }
}

fn find_cycle<'a>(
    inventory: &'a Inventory,
    path: &mut Vec<&'a str>,
    finished: &mut HashSet<&'a str>,
    reported: &mut HashSet<&'a str>,
    diagnostics: &mut Diagnostics,
) {
    let Some(group) = path.last().and_then(|name| inventory.groups.get(*name)) else {
        return;
    };
    for child in &group.children {
        if let Some(start) = path.iter().position(|name| *name == child.name) {
            let cycle = &path[start..];
            if !cycle.iter().any(|name| reported.contains(name)) {
                diagnostics.push(
                    error_at(
                        &child.location,
                        format!(
                            "group `{}` contains itself: {} -> {}",
                            child.name,
                            cycle.join(" -> "),
                            child.name
                        ),
                        "this closes the circle",
                    )
                    .hint("remove one of these children"),
                );
                reported.extend(cycle);
            }
        } else if !finished.contains(child.name.as_str()) {
            path.push(&child.name);
            find_cycle(inventory, path, finished, reported, diagnostics);
            path.pop();
        }
    }
    finished.insert(&group.name);
}
