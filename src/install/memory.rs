//! The memory that the machines take, against what this computer has.

use super::project::Project;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::{ClusterSpec, Provider};
use crate::plan::memory;
use crate::provision::MachineChange;
use crate::provision::computer::{self, Memory};

/// Returns the budget in one line: what the components need, what the machines have, and this computer.
pub fn line(cluster: &ClusterSpec, computer: Option<Memory>) -> String {
    let machines = cluster.hosts.len();
    let need: u64 = cluster
        .hosts
        .iter()
        .map(|it| memory::need(cluster, it))
        .sum();
    let plural = if machines == 1 { "" } else { "s" };
    let line = format!(
        "{machines} machine{plural} with {} MiB; the components need {need} MiB",
        total(cluster)
    );
    match computer {
        Some(memory) => format!("{line}; this computer has {} MiB", memory.total),
        None => line,
    }
}

/// Returns machines that are too small for their role, and a lab that is too large for this computer.
pub fn warnings(cluster: &ClusterSpec, computer: Option<Memory>) -> Diagnostics {
    let too_small = cluster.hosts.iter().filter_map(|host| {
        let (has, need) = (host.machine.memory_mib, memory::need(cluster, host));
        let role = if host.roles.control_plane {
            "a control plane"
        } else if host.roles.worker {
            "a worker"
        } else {
            "a host of etcd"
        };
        (has < need).then(|| {
            warning(format!(
                "{} has {has} MiB of memory, {role} needs {need} MiB with these components",
                host.name
            ))
            .hint(format!(
                "set `machine_memory: {}`",
                need.next_multiple_of(256)
            ))
        })
    });
    let mut found: Diagnostics = too_small.collect();
    if let Some(memory) = computer
        && total(cluster) > memory.total
    {
        let message = format!(
            "the machines have {} MiB of memory together, this computer has {} MiB",
            total(cluster),
            memory.total
        );
        found.push(warning(message).hint("make them smaller (`machine_memory`) or fewer"));
    }
    found
}

/// Returns what to warn of before machines are made or started: as [`warnings`], and where those that don't run yet
/// need more than is free now. Fails where virtual machines need more than the computer has in all.
pub fn check(project: &Project, changes: &[MachineChange]) -> Result<Diagnostics, Diagnostics> {
    let Some(provider) = project.provider().filter(|it| it.makes_machines()) else {
        return Ok(Diagnostics::new());
    };
    let computer = computer::memory();
    let mut found = warnings(&project.cluster, computer);
    let starting: u64 = changes
        .iter()
        .filter(|it| it.is_start())
        .filter_map(|it| project.cluster.host(&it.host))
        .map(|host| host.machine.memory_mib)
        .sum();
    if let Some(error) = computer.and_then(|memory| refusal(provider, starting, memory)) {
        return Err(vec![error]);
    }
    if let Some(memory) = computer
        && found.is_empty()
        && starting > memory.available
    {
        let message = format!(
            "the machines to start take up to {starting} MiB of memory, {} MiB are free",
            memory.available
        );
        found.push(warning(message).hint("end other programs, or make the machines smaller"));
    }
    Ok(found)
}

/// Containers take memory only as they use it.
fn refusal(provider: Provider, starting_mib: u64, computer: Memory) -> Option<Diagnostic> {
    let total = computer.total;
    (provider != Provider::Container && starting_mib > total).then(|| {
        let message = format!(
            "the machines to start take {starting_mib} MiB of memory, this computer has {total} MiB"
        );
        Diagnostic::error(Kind::Environment, message)
            .hint("make them smaller (`machine_memory`) or fewer; nothing was made")
    })
}

fn total(cluster: &ClusterSpec) -> u64 {
    cluster.hosts.iter().map(|it| it.machine.memory_mib).sum()
}

fn warning(message: String) -> Diagnostic {
    Diagnostic::warning(message).with_kind(Kind::Environment)
}

#[cfg(test)]
mod tests {
    use super::{Memory, Provider, refusal};

    #[test]
    fn virtual_machines_that_can_not_be_in_this_computer_are_refused() {
        let computer = Memory {
            total: 8192,
            available: 100,
        };
        let refused = refusal(Provider::VirtualBox, 9000, computer).unwrap();
        insta::assert_snapshot!(refused.message, @"the machines to start take 9000 MiB of memory, this computer has 8192 MiB");
        assert!(refusal(Provider::VirtualBox, 8192, computer).is_none());
        assert!(refusal(Provider::Container, 9000, computer).is_none());
    }
}
