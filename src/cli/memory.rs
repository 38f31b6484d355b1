//! The memory that the machines take, against what this computer has.

use super::project::Project;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::{ClusterSpec, Provider};
use crate::plan::memory;
use crate::provision::MachineChange;
use crate::provision::computer::{self, Memory};
use crate::ui::printer::Printer;

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
        } else {
            "a worker"
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

/// Warns before machines are started: as [`warnings`], and where those that don't run yet need more than
/// is free now.
pub fn warn(project: &Project, changes: &[MachineChange], printer: Printer) {
    if !project.provider().is_some_and(Provider::makes_machines) {
        return;
    }
    let computer = computer::memory();
    let mut found = warnings(&project.cluster, computer);
    let starting: u64 = changes
        .iter()
        .filter(|it| it.is_start())
        .filter_map(|it| project.cluster.host(&it.host))
        .map(|host| host.machine.memory_mib)
        .sum();
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
    for warning in &found {
        printer.diagnostic(warning);
    }
}

fn total(cluster: &ClusterSpec) -> u64 {
    cluster.hosts.iter().map(|it| it.machine.memory_mib).sum()
}

fn warning(message: String) -> Diagnostic {
    Diagnostic::warning(message).with_kind(Kind::Environment)
}
