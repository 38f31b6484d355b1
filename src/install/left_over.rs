//! What the inventory doesn't have any more: members of the cluster, and machines of the lab.

use super::kubeconfig;
use super::members::{Member, Members, Moved};
use super::project::Project;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::ClusterSpec;
use crate::provision::MachineChange;

/// What goes if the user says so.
#[derive(Debug, Default)]
pub struct LeftOver {
    /// Taken out of the cluster, in this order.
    pub members: Vec<Member>,
    /// Machines that are removed, of members and others.
    pub machines: Vec<String>,
    /// Machines that stay: they may carry members, and nothing says so.
    pub(super) unknown: Vec<String>,
}

impl LeftOver {
    /// Finds it. Fails where the cluster would lose all its control planes: another one would begin without its data.
    pub fn of(project: &Project, changes: &[MachineChange]) -> Result<Self, Diagnostics> {
        let removals = changes.iter().filter(|it| it.is_removal());
        let machines: Vec<String> = removals.map(|it| it.host.clone()).collect();
        match Members::load(&project.directory)? {
            Some(members) => {
                if kubeconfig::is_written(project) && members.lacks_control_planes(&project.cluster)
                {
                    return Err(vec![no_control_plane_stays()]);
                }
                Ok(Self {
                    members: members.departed(&project.cluster),
                    machines,
                    unknown: Vec::new(),
                })
            }
            None if kubeconfig::is_written(project) => Ok(Self {
                unknown: machines,
                ..Self::default()
            }),
            None => Ok(Self {
                machines,
                ..Self::default()
            }),
        }
    }

    /// Fails where a control plane would get another address: etcd's members, certificates and kubeconfigs have the one
    /// that it joined with.
    pub fn refuse_moved_control_planes(
        project: &Project,
        cluster: &ClusterSpec,
    ) -> Result<(), Diagnostics> {
        let members = Members::load(&project.directory)?;
        let members = members.filter(|_| kubeconfig::is_written(project));
        let moved = members.map(|it| it.moved_control_planes(cluster));
        let refusals: Diagnostics = moved.iter().flatten().map(moved_control_plane).collect();
        if refusals.is_empty() {
            Ok(())
        } else {
            Err(refusals)
        }
    }

    /// Fails where etcd would move, or lose all that it has.
    pub fn refuse_moved_etcd(project: &Project) -> Result<(), Diagnostics> {
        let members = Members::load(&project.directory)?;
        let Some(members) = members else {
            return Ok(());
        };
        refuse_etcd_on_control_planes(&members, &project.cluster)?;
        refuse_etcd_on_others(&members, &project.cluster)
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.machines.is_empty()
    }

    /// Returns all names, members first.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.members.iter().map(|it| it.name.clone()).collect();
        for machine in &self.machines {
            if !names.contains(machine) {
                names.push(machine.clone());
            }
        }
        names
    }

    /// Returns what the user is asked.
    pub fn question(&self) -> String {
        let mut sentences = vec![format!(
            "The inventory doesn't have {} any more.",
            self.names().join(", ")
        )];
        if !self.members.is_empty() {
            let members: Vec<&str> = self.members.iter().map(|it| it.name.as_str()).collect();
            sentences.push(format!("Take {} out of the cluster?", members.join(", ")));
        }
        if !self.machines.is_empty() {
            let machines = self.machines.join(", ");
            sentences.push(format!(
                "Remove the machine {machines} with everything on it?"
            ));
        }
        sentences.join(" ")
    }

    /// Says which machines stay without a question, and what to do about it.
    pub fn warnings(&self) -> Diagnostics {
        let warnings = self.unknown.iter().map(|name| {
            let message = format!(
                "machine {name} stays, although the inventory doesn't have it any more: it may be a node of the \
                 cluster, and `{}` doesn't say so",
                ".kinstall/members.json"
            );
            Diagnostic::warning(message).hint(format!(
                "put it back into the inventory, and `kinstall node remove {name}` takes it out of the cluster; or \
                 `kinstall down {name}` removes the machine"
            ))
        });
        warnings.collect()
    }
}

pub(super) fn moved_control_plane(moved: &Moved) -> Diagnostic {
    let Moved {
        name, before, now, ..
    } = moved;
    let what = if moved.is_control_plane {
        "control plane"
    } else {
        "host of etcd"
    };
    let (message, way) = if moved.is_only {
        (
            format!(
                "`{name}` is the cluster's only control plane, and its address can't change: the cluster began at {before}"
            ),
            "to move: add a second control plane (`kinstall node add … --control-plane`), then replace this one \
             (`kinstall node replace`); or begin anew with `kinstall down`"
                .to_owned(),
        )
    } else {
        (
            format!(
                "{what} `{name}` can't get the address {now} in place: it is a member of the cluster at {before}"
            ),
            format!(
                "to move: with that address, `kinstall node replace {name} {name} ip={now}` (and ansible_host, if the \
                 inventory has it) takes it out of the cluster, and makes it a member at the new address"
            ),
        )
    };
    Diagnostic::error(Kind::Environment, message)
        .hint("nothing was changed: etcd's data, certificates and kubeconfigs have that address")
        .hint(format!(
            "give `{name}` its address {before} back in the inventory"
        ))
        .hint(way)
}

/// Fails where etcd runs as a service of hosts and the inventory has it on its control planes: without `[etcd]` as it was,
/// nobody could tell what the cluster can do without.
pub(super) fn refuse_etcd_on_control_planes(
    members: &Members,
    cluster: &ClusterSpec,
) -> Result<(), Diagnostics> {
    let hosts = members.etcd_hosts_against(cluster);
    if hosts.is_empty() {
        return Ok(());
    }
    let message = format!(
        "etcd of this cluster runs as a service of {}, and the inventory has it on its control planes",
        hosts.join(", ")
    );
    let error = Diagnostic::error(Kind::Inventory, message);
    Err(vec![
        error
            .hint("nothing was changed: kinstall doesn't move etcd's data")
            .hint("make `[etcd]` again what it was"),
    ])
}

/// Fails where the inventory has none of the hosts that run etcd in `[etcd]`: all but one would leave before the first joins.
pub(super) fn refuse_etcd_on_others(
    members: &Members,
    cluster: &ClusterSpec,
) -> Result<(), Diagnostics> {
    let hosts = members.etcd_hosts();
    let stays = |name: &&str| cluster.host(name).is_some_and(|host| host.roles.etcd);
    if hosts.is_empty() || hosts.iter().any(stays) {
        return Ok(());
    }
    let message = format!(
        "the inventory has none of the hosts in `[etcd]` that run etcd now: {}",
        hosts.join(", ")
    );
    let error = Diagnostic::error(Kind::Inventory, message);
    Err(vec![
        error
            .hint("nothing was changed")
            .hint("put them back beside the new ones, and run `kinstall up`; when those have joined, take the old ones out"),
    ])
}

fn no_control_plane_stays() -> Diagnostic {
    let message = "the inventory has none of the cluster's control planes any more";
    Diagnostic::error(Kind::Inventory, message)
        .hint("keep one of them until the new ones have joined; then take it out")
        .hint("for a new cluster in place of this one, `kinstall down` removes the old one first")
}
