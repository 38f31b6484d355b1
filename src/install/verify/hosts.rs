//! The hosts of the inventory, asked one by one: Kubernetes needs most of a minute to see that a kubelet is gone.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::diagnostic::Diagnostic;
use crate::install::lab::LabMachines;
use crate::install::members::Members;
use crate::install::project::Project;
use crate::model::HostSpec;
use crate::ssh::{Session, Target};
use crate::verify::HostEvidence;

/// Of a node of Kubernetes.
const OF_NODES: [&str; 2] = ["kubelet", "containerd"];

/// Hosts that are asked at once.
const AT_ONCE: usize = 32;

/// Asks every host whether it answers and its services run; in the order of the inventory. Which ones run etcd, `up` has
/// written down.
pub(super) async fn ask_all(project: &Project, machines: &LabMachines) -> Vec<HostEvidence> {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    let members = Members::load(&project.directory).unwrap_or_default();
    for (index, host) in project.cluster.hosts.iter().enumerate() {
        let (target, turns) = (machines.target(host), Arc::clone(&turns));
        let services = services(host, members.as_ref());
        tasks.spawn(async move {
            let _turn = turns.acquire_owned().await;
            (index, ask(&target, &services).await)
        });
    }
    let mut answers = tasks.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

fn services(host: &HostSpec, members: Option<&Members>) -> Vec<&'static str> {
    let mut services = Vec::new();
    if host.roles.is_node() {
        services.extend(OF_NODES);
    }
    if members.is_some_and(|it| it.etcd_hosts().contains(&host.name.as_str())) {
        services.push("etcd");
    }
    services
}

async fn ask(target: &Target, services: &[&str]) -> HostEvidence {
    let name = target.name.clone();
    let line = match services {
        [] => "true".to_owned(),
        _ => format!("systemctl is-active {}", services.join(" ")),
    };
    let asked = async { Session::connect(target).await?.exec(&line, &[]).await };
    let (unreachable, stopped) = match asked.await {
        Ok(finished) => {
            let text = String::from_utf8_lossy(&finished.stdout).into_owned();
            let states = text.lines().zip(services);
            let stopped = states.filter(|(state, _)| *state != "active");
            let stopped = stopped.map(|(_, service)| (*service).to_owned());
            (None, stopped.collect())
        }
        Err(error) => {
            let Diagnostic { message, .. } = error.diagnostic(&name);
            (Some(message), Vec::new())
        }
    };
    HostEvidence {
        name,
        unreachable,
        stopped,
    }
}
