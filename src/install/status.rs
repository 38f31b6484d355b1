//! The state of a lab: machines, nodes, versions, add-ons, addresses and certificates.

use serde_json::Value;

use super::lab::LabMachines;
use super::project::Project;
use super::{kubectl, runtime};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::provision::MachineState;
use crate::report::{ClusterStatus, HostStatus};
use crate::ssh::Finished;

/// Everything that the status is made of, in one go.
const OBJECTS: &str = "PATH=$PATH:/usr/local/bin; exec kubectl --kubeconfig /etc/kubernetes/admin.conf get \
    nodes,deployments,daemonsets,services,ingresses,networkpolicies --all-namespaces --output json";
const CERTIFICATES: &str =
    "PATH=$PATH:/usr/local/bin; exec kubeadm certs check-expiration --output json";

/// Puts the status together; what can't be had is a problem in it, not an error.
pub fn of(project: &mut Project, machines: &LabMachines) -> Result<ClusterStatus, Diagnostics> {
    let machine_states = machines.states()?;
    let hosts = project
        .cluster
        .hosts
        .iter()
        .enumerate()
        .map(|(index, host)| HostStatus {
            name: host.name.clone(),
            address: host
                .address
                .map_or_else(|| "not known".to_owned(), |address| address.to_string()),
            machine: machine_states.as_ref().map(|states| states[index]),
            node: None,
        });
    let mut status = ClusterStatus {
        hosts: hosts.collect(),
        ..ClusterStatus::default()
    };
    for host in &status.hosts {
        if let Some(state) = host.machine
            && state != MachineState::Running
        {
            let problem = format!("machine {} is {}", host.name, state.name());
            status.problems.push(problem);
        }
    }
    let stopped =
        machine_states.is_some_and(|states| states.iter().all(|it| *it != MachineState::Running));
    if stopped {
        return Ok(status);
    }
    let runtime = runtime::start()?;
    let answers = runtime.block_on(async {
        let (host, session) = kubectl::control_plane(project, machines).await?;
        let answers = tokio::try_join!(
            session.exec_as_root(OBJECTS),
            session.exec_as_root(CERTIFICATES)
        );
        answers.map_err(|error| vec![error.diagnostic(&host.name)])
    });
    match answers {
        Err(errors) => {
            for Diagnostic { message, hints, .. } in errors {
                let parts: Vec<_> = std::iter::once(message).chain(hints).collect();
                status.problems.push(parts.join("; "));
            }
        }
        Ok((objects, certificates)) => {
            match parse(&objects) {
                Ok(list) => status.add_objects(&list),
                Err(problem) => status
                    .problems
                    .push(format!("the API server did not answer: {problem}")),
            }
            match parse(&certificates) {
                Ok(report) => status.add_certificates(&report),
                Err(problem) => status.problems.push(format!("certificates: {problem}")),
            }
        }
    }
    add_problems(&mut status);
    Ok(status)
}

fn parse(finished: &Finished) -> Result<Value, String> {
    serde_json::from_slice(&finished.stdout).map_err(|_| {
        let text = String::from_utf8_lossy(&finished.stderr);
        text.lines().last().unwrap_or("no output").to_owned()
    })
}

fn add_problems(status: &mut ClusterStatus) {
    let mut problems = Vec::new();
    for host in &status.hosts {
        match &host.node {
            None => problems.push(format!("{} is not a node of the cluster", host.name)),
            Some(node) if !node.ready => problems.push(format!("node {} is not ready", host.name)),
            Some(_) => {}
        }
    }
    for node in &status.foreign_nodes {
        problems.push(format!(
            "Kubernetes has the node {node}, which the inventory hasn't"
        ));
    }
    for it in &status.workloads {
        if it.ready < it.wanted {
            let ready = format!("{} of {} pods ready", it.ready, it.wanted);
            problems.push(format!("{}/{}: {ready}", it.namespace, it.name));
        }
    }
    if status.problems.is_empty() {
        status.problems = problems;
    }
}
