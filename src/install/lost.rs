//! Control planes that are lost for good: etcd's data is restored without them. What they have on their disks is another
//! cluster from then on, so that their machines must not start again.

use std::io;
use std::path::Path;

use super::etcd::node::FIND;
use super::lab::LabMachines;
use super::members::Members;
use super::named_hosts;
use super::project::Project;
use super::runtime;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::{ClusterSpec, HostSpec};
use crate::provision::MachineState;
use crate::ssh::{Session, SshError};

/// Returns the cluster without lost control planes. Fails unless all of them stand still, and another one is left; also where
/// one that is left knows a leader although most are lost, unless a restore `goes_on`, which may have made it one.
pub fn without(
    project: &Project,
    machines: &LabMachines,
    lost: &[String],
    goes_on: bool,
) -> Result<ClusterSpec, Diagnostics> {
    let mut cluster = project.cluster.clone();
    if lost.is_empty() {
        return Ok(cluster);
    }
    cluster.hosts.retain(|host| !lost.contains(&host.name));
    let mut problems = Diagnostics::new();
    let states = machines.states()?;
    let runtime = runtime::start()?;
    for name in lost {
        let host = named_hosts::host(&project.cluster, name)?;
        let index = project.cluster.hosts.iter().position(|it| it.name == *name);
        let state = states
            .as_ref()
            .zip(index)
            .map(|(states, index)| states[index]);
        problems.extend(match state {
            _ if !host.roles.control_plane => Some(no_control_plane(name)),
            Some(MachineState::Running | MachineState::Paused) => Some(runs(name)),
            Some(_) => None,
            None => runtime.block_on(answers(machines, host)),
        });
    }
    if cluster.control_planes().next().is_none() {
        problems.push(nothing_is_left());
    }
    if problems.is_empty() && !goes_on && lost.len() * 2 > project.cluster.control_planes().count()
    {
        for host in cluster.control_planes() {
            problems.extend(runtime.block_on(leader(machines, host)));
        }
    }
    if problems.is_empty() {
        Ok(cluster)
    } else {
        Err(problems)
    }
}

/// Fails where some hosts were given up: they would go on with the data that they had.
pub fn refuse(directory: &Path, names: &[&str]) -> Result<(), Diagnostics> {
    let members = Members::load(directory)?;
    let mut lost = members.map_or_else(Vec::new, |it| it.lost().to_vec());
    lost.retain(|it| names.contains(&it.as_str()));
    if lost.is_empty() {
        return Ok(());
    }
    let (commas, words) = (lost.join(", "), lost.join(" "));
    let message = format!("etcd was restored without {commas}, which would go on with other data");
    Err(vec![
        Diagnostic::error(Kind::Environment, message)
            .hint(format!(
                "`kinstall node remove {words}` takes what is left of it out of the cluster"
            ))
            .hint(format!(
                "a machine of the lab is made anew after `kinstall down {words}`; another one has to be installed anew, then \
                 `kinstall reset {words}`"
            )),
    ])
}

async fn answers(machines: &LabMachines, host: &HostSpec) -> Option<Diagnostic> {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, TimedOut};
    match Session::connect(&machines.target(host)).await {
        Err(SshError::Tunnel { .. } | SshError::Timeout { .. }) => None,
        Err(SshError::Connect { source, .. })
            if matches!(source.kind(), HostUnreachable | TimedOut) =>
        {
            None
        }
        // A machine that refuses runs; of the others nothing is known.
        Err(error @ SshError::Connect { .. }) if !matches!(&error, SshError::Connect { source, .. } if source.kind() == ConnectionRefused) => {
            Some(error.diagnostic(&host.name))
        }
        Err(error @ (SshError::Resolve { .. } | SshError::Jump { .. })) => {
            Some(error.diagnostic(&host.name))
        }
        Ok(_) | Err(_) => Some(runs(&host.name)),
    }
}

/// Says that a member has a leader; nothing where it has none, or doesn't answer.
async fn leader(machines: &LabMachines, host: &HostSpec) -> Option<Diagnostic> {
    let session = Session::connect(&machines.target(host)).await.ok()?;
    let line = format!(
        "{FIND}etcd --endpoints=https://127.0.0.1:2379 --command-timeout=5s endpoint status --write-out=fields"
    );
    let status = session.exec_as_root(&line).await.ok()?;
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    let mut lines = status.lines();
    let leader = lines.find_map(|line| line.strip_prefix("\"Leader\" : "))?;
    (leader != "0").then(|| {
        let message = format!(
            "etcd on {} has a leader, so that most of its members work",
            host.name
        );
        Diagnostic::error(Kind::Environment, message)
            .hint("nothing was changed")
            .hint("`kinstall etcd status` shows who answers; name only those with --lost that are lost for good")
    })
}

fn runs(name: &str) -> Diagnostic {
    let message = format!("{name} is not lost: its machine runs");
    Diagnostic::error(Kind::Environment, message)
        .hint("nothing was changed")
        .hint(format!(
            "its etcd would go on with other data: switch it off first, or restore with it, without `--lost {name}`"
        ))
}

fn no_control_plane(name: &str) -> Diagnostic {
    let message = format!("--lost {name}: it is no control plane");
    Diagnostic::error(Kind::Inventory, message)
        .hint("only control planes have data of etcd; a restore needs no other host")
}

fn nothing_is_left() -> Diagnostic {
    Diagnostic::error(Kind::Environment, "no control plane is left to restore")
        .hint("on new machines: docs/backup.md, \"On other machines\"")
}
