//! kubectl, as the administrator, on whichever control plane can be reached.

use super::lab::LabMachines;
use super::project::Project;
use super::runtime;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::HostSpec;
use crate::provision::MachineState;
use crate::ssh::{Finished, Session};

/// Runs kubectl with arguments that the shell takes as they are; returns what it did.
pub fn run(
    project: &Project,
    machines: &LabMachines,
    arguments: &[&str],
) -> Result<Finished, Diagnostics> {
    let line = format!(
        "PATH=$PATH:/usr/local/bin; exec kubectl --kubeconfig /etc/kubernetes/admin.conf {}",
        arguments.join(" ")
    );
    let runtime = runtime::start()?;
    let finished = runtime.block_on(async {
        let (host, session) = control_plane(project, machines).await?;
        let finished = session.exec_as_root(&line).await;
        finished.map_err(|error| vec![error.diagnostic(&host.name)])
    });
    runtime.shutdown_background();
    finished
}

/// Returns whether a host lets us in.
pub fn answers(machines: &LabMachines, host: &HostSpec) -> Result<bool, Diagnostics> {
    let runtime = runtime::start()?;
    let connected = runtime.block_on(Session::connect(&machines.target(host)));
    let answers = match connected {
        Ok(_) => Ok(true),
        Err(error) if error.is_unreachable() => Ok(false),
        Err(error) => Err(vec![error.diagnostic(&host.name)]),
    };
    runtime.shutdown_background();
    answers
}

/// Connects to the first control plane of the inventory that can be reached.
pub async fn control_plane<'a>(
    project: &'a Project,
    machines: &LabMachines,
) -> Result<(&'a HostSpec, Session), Diagnostics> {
    let states = machines.states()?;
    let runs = |host: &HostSpec| {
        let position = project
            .cluster
            .hosts
            .iter()
            .position(|it| it.name == host.name);
        let state = states.as_ref().zip(position);
        state.is_none_or(|(states, position)| states[position] == MachineState::Running)
    };
    let mut problems = Vec::new();
    for host in project.cluster.control_planes().filter(|host| runs(host)) {
        match Session::connect(&machines.target(host)).await {
            Ok(session) => return Ok((host, session)),
            Err(error) if error.is_unreachable() => problems.push(error.diagnostic(&host.name)),
            Err(error) => return Err(vec![error.diagnostic(&host.name)]),
        }
    }
    if problems.is_empty() {
        let error = Diagnostic::error(Kind::Environment, "no control plane runs");
        problems.push(error.hint("`kinstall start` starts the lab's machines"));
    }
    Err(problems)
}
