//! Connects to all hosts of a cluster at once and starts their agents.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tracing::{Instrument as _, debug, debug_span};

use super::lab::LabMachines;
use super::project::Project;
use super::providers;
use crate::bundle::Bundle;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::{ClusterSpec, Provider};
use crate::run::{Cancel, EventSender, HostRun, RunEvent};
use crate::ssh::{AgentBinary, NoAgent, Session, SshError, Target, wait_for};
use crate::wire::{Event, PROTOCOL, StepError};

/// A host that doesn't know the lab's key: the login was done with something else.
pub struct Stranger {
    host: String,
    session: Session,
}

/// What connecting to the hosts came to.
pub struct Connected {
    pub hosts: Vec<HostRun>,
    pub strangers: Vec<Stranger>,
    /// Observers have been told of hosts that can't be used.
    pub all_answer: bool,
}

/// Connects to the hosts of the limit, or all, and to all control planes, which know what there is of a cluster.
/// Hosts that are being started are given `patience` to answer. Where no host can be used, all reasons are
/// returned; else observers are told of those of the limit that can't. Where hosts are `leaving`, others that
/// can't be reached are left out silently: a dead host is a reason to take it out, and another one no reason
/// not to.
#[expect(
    clippy::too_many_arguments,
    reason = "one caller, and each says another thing about the run"
)]
pub async fn all(
    project: &Project,
    cluster: &ClusterSpec,
    machines: &LabMachines,
    limit: Option<&[String]>,
    patience: Duration,
    leaving: &[String],
    bundle: &Arc<Bundle>,
    events: &EventSender,
    cancel: &Cancel,
) -> Result<Connected, Diagnostics> {
    let cache = crate::bundle::cache_directory().unwrap_or_else(std::env::temp_dir);
    let program = AgentBinary::current(&cache).map_err(|error| {
        let diagnostic = Diagnostic::from_error(Kind::Environment, &error);
        vec![match error {
            NoAgent::NotInside { .. } => diagnostic
                .hint("use a release, or build kinstall with the agent inside (docs/building.md)"),
            NoAgent::Read(_) => diagnostic,
        }]
    })?;
    let program = Arc::new(program);
    let mut tasks = JoinSet::new();
    let is_concerned = |name: &String| limit.is_none_or(|limit| limit.contains(name));
    for (index, host) in cluster.hosts.iter().enumerate() {
        let acts = host.roles.control_plane || host.roles.etcd;
        if !is_concerned(&host.name) && !acts {
            continue;
        }
        let target = machines.target(host);
        // A machine that goes is not being started.
        let patience = if leaving.contains(&host.name) {
            Duration::ZERO
        } else {
            patience
        };
        let name = host.name.clone();
        let _ = events.send(RunEvent::Connecting { host: name });
        let (bundle, events, cancel) = (Arc::clone(bundle), events.clone(), cancel.clone());
        let program = Arc::clone(&program);
        let span = debug_span!("host", name = host.name);
        tasks.spawn(
            async move {
                let result = one(target, patience, &program, bundle, events, cancel).await;
                (index, result)
            }
            .instrument(span),
        );
    }
    let mut results = tasks.join_all().await;
    results.sort_by_key(|(index, _)| *index);
    let (mut hosts, mut strangers, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    let mut nobody_answers = true;
    for (index, result) in results {
        match result {
            Ok((host, stranger)) => {
                strangers.extend(stranger.filter(|_| is_concerned(&host.name)));
                hosts.push(host);
            }
            Err(error) if leaving.contains(&cluster.hosts[index].name) => {
                let host = cluster.hosts[index].name.clone();
                let reason = error.diagnostic(&host).message;
                let message = format!(
                    "{reason}; it is taken out of the cluster all the same, and what is on the machine stays there"
                );
                let _ = events.send(RunEvent::Notice { host, message });
            }
            Err(error) if !leaving.is_empty() && error.is_unreachable() => {}
            Err(error) => {
                nobody_answers &= error.is_unreachable();
                let host = cluster.hosts[index].name.clone();
                problems.push((error.diagnostic(&host), host));
            }
        }
    }
    if !hosts.is_empty() || problems.is_empty() {
        problems.retain(|(_, host)| is_concerned(host));
        let all_answer = problems.is_empty();
        for (problem, host) in problems {
            let message = problem.message.strip_prefix(&format!("{host}: "));
            let error = StepError {
                message: message.unwrap_or(&problem.message).to_owned(),
                output: Vec::new(),
                hint: (!problem.hints.is_empty()).then(|| problem.hints.join("; ")),
            };
            let _ = events.send(RunEvent::HostUnreachable { host, error });
        }
        return Ok(Connected {
            hosts,
            strangers,
            all_answer,
        });
    }
    let mut problems: Diagnostics = problems.into_iter().map(|(problem, _)| problem).collect();
    if nobody_answers && project.provider().is_none() {
        problems.push(which_provider(&usable()));
    }
    Err(problems)
}

/// Lets the lab's key log in to hosts that don't know it. One that won't have it is no failure: what
/// logged in now will do so again.
pub async fn authorize(strangers: Vec<Stranger>, key: &str, events: &EventSender) {
    let mut tasks = JoinSet::new();
    for stranger in strangers {
        let (key, events) = (key.to_owned(), events.clone());
        tasks.spawn(async move {
            let Stranger { host, session } = stranger;
            let problem = match session.authorize(&key).await {
                // It stands there already: sshd reads another file than the usual one.
                Ok(false) => return,
                Ok(true) => None,
                Err(error) => Some(error.diagnostic(&host).message),
            };
            let _ = events.send(RunEvent::KeyAdded { host, problem });
        });
    }
    tasks.join_all().await;
}

async fn one(
    target: Target,
    patience: Duration,
    program: &Arc<AgentBinary>,
    bundle: Arc<Bundle>,
    events: EventSender,
    cancel: Cancel,
) -> Result<(HostRun, Option<Stranger>), SshError> {
    let started = Instant::now();
    let name = target.name.clone();
    let connected = if patience.is_zero() {
        Session::connect(&target).await
    } else {
        wait_for(&target, patience).await
    };
    for key in target.known_hosts.take_accepted() {
        let _ = events.send(RunEvent::NewHostKey {
            address: key.address,
            fingerprint: key.fingerprint,
        });
    }
    let session = connected?;
    let channel = session.agent(program).await?;
    let pushed_agent = channel.pushed;
    debug!(facts = ?channel.facts, pushed_agent, "the agent answers");
    let seconds = started.elapsed().as_secs_f64();
    let _ = events.send(RunEvent::Connected {
        host: name.clone(),
        seconds,
        pushed_agent,
    });
    // What the node is belongs into the journal.
    let _ = events.send(RunEvent::Agent {
        host: name.clone(),
        event: Event::Hello {
            protocol: PROTOCOL,
            facts: channel.facts.clone(),
        },
    });
    let stranger = (!session.by_lab_key()).then(|| Stranger {
        host: name.clone(),
        session,
    });
    let host = HostRun::new(name, channel, bundle, events, cancel);
    Ok((host, stranger))
}

/// Returns the providers that can make machines on this computer.
fn usable() -> Vec<Provider> {
    Provider::ALL
        .into_iter()
        .filter(|it| it.makes_machines() && providers::obstacles(*it).is_empty())
        .collect()
}

/// Nothing answers and the inventory doesn't say who makes the machines: say what can be chosen.
fn which_provider(usable: &[Provider]) -> Diagnostic {
    let diagnostic = Diagnostic::error(
        Kind::Connection,
        "no host answers, and the inventory names no provider",
    );
    let names: Vec<&str> = usable.iter().map(|it| it.name()).collect();
    let diagnostic = match names.first() {
        None => diagnostic
            .hint("this computer can't run machines of kinstall's own; `kinstall doctor` says why"),
        Some(first) => diagnostic.hint(format!(
            "to have kinstall make the machines on this computer: `kinstall up --provider {}`, or \
             `kinstall_provider: {first}` in group_vars/all.yml",
            names.join("`, or `")
        )),
    };
    diagnostic.hint(
        "if the machines are there already, look at ansible_host, ansible_user and ansible_port",
    )
}

#[cfg(test)]
mod tests {
    use super::{Provider, which_provider};

    #[test]
    fn all_usable_providers_are_named() {
        let told = [
            &[][..],
            &[Provider::Qemu],
            &[Provider::VirtualBox, Provider::Qemu, Provider::Container],
        ]
        .map(|usable| which_provider(usable).hints[0].clone());
        insta::assert_snapshot!(told.join("\n"), @r"
        this computer can't run machines of kinstall's own; `kinstall doctor` says why
        to have kinstall make the machines on this computer: `kinstall up --provider qemu`, or `kinstall_provider: qemu` in group_vars/all.yml
        to have kinstall make the machines on this computer: `kinstall up --provider virtualbox`, or `qemu`, or `container`, or `kinstall_provider: virtualbox` in group_vars/all.yml
        ");
    }
}
