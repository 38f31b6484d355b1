//! The state of a lab: machines, nodes, versions, add-ons, addresses and certificates.

use jiff::Timestamp;
use serde_json::Value;

use super::etcd::node::FIND;
use super::lab::LabMachines;
use super::project::Project;
use super::{kubectl, runtime};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::ClusterSpec;
use crate::plan::etcd_refusals;
use crate::provision::MachineState;
use crate::report::status::Certificate;
use crate::report::{ClusterStatus, HostStatus};
use crate::ssh::{Exit, Finished, Session};

/// Everything that the status is made of, in one go.
const OBJECTS: &str = "PATH=$PATH:/usr/local/bin; exec kubectl --kubeconfig /etc/kubernetes/admin.conf get \
    nodes,deployments,daemonsets,services,ingresses,networkpolicies --all-namespaces --output json";
const CERTIFICATES: &str =
    "PATH=$PATH:/usr/local/bin; exec kubeadm certs check-expiration --output json";

/// Puts the status together; what can't be had is a problem in it, not an error.
pub fn of(project: &Project, machines: &LabMachines) -> Result<ClusterStatus, Diagnostics> {
    let mut status = of_machines(project, machines)?;
    if status.is_off() {
        return Ok(status);
    }
    let runtime = runtime::start()?;
    runtime.block_on(async {
        match kubectl::control_plane(project, machines).await {
            Ok((host, session)) => {
                add_cluster(&mut status, &project.cluster, &host.name, &session).await;
            }
            Err(errors) => add_errors(&mut status, &errors),
        }
    });
    Ok(status)
}

/// Begins with the machines.
pub(super) fn of_machines(
    project: &Project,
    machines: &LabMachines,
) -> Result<ClusterStatus, Diagnostics> {
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
            is_to_be_node: host.roles.is_node(),
            etcd: None,
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
    Ok(status)
}

/// Takes in what a control plane says.
pub(super) async fn add_cluster(
    status: &mut ClusterStatus,
    cluster: &ClusterSpec,
    host: &str,
    session: &Session,
) {
    let members = members(cluster);
    let urls: Vec<&str> = members.iter().map(|(_, url)| url.as_str()).collect();
    // Whatever the inventory says, it may be in pods.
    let etcd_health = format!(
        "if [ -e /etc/kubernetes/manifests/etcd.yaml ]; then echo true; else {FIND}etcd --endpoints={} \
         --command-timeout=5s endpoint health --write-out=json; fi",
        urls.join(",")
    );
    let etcd_health = async {
        if urls.is_empty() {
            return Ok(Vec::new());
        }
        let finished = session.exec_as_root(&etcd_health).await;
        finished.map(|it| it.stdout)
    };
    let answers = tokio::try_join!(
        session.exec_as_root(OBJECTS),
        session.exec_as_root(CERTIFICATES),
        etcd_health
    );
    let (objects, certificates, health) = match answers {
        Ok(answers) => answers,
        Err(error) => return add_errors(status, &[error.diagnostic(host)]),
    };
    // It fails when one of them is unwell, which is what is asked for.
    let health: Value = serde_json::from_slice(&health).unwrap_or_default();
    let is_stacked = health == Value::Bool(true);
    if !is_stacked {
        status.add_etcd_health(&health, &members);
    }
    match parse(&objects) {
        Ok(list) => status.add_objects(&list),
        Err(problem) => status
            .problems
            .push(format!("the API server did not answer: {problem}")),
    }
    match parse(&certificates) {
        Ok(report) => {
            status.add_certificates(&report);
            let now = Timestamp::now();
            let expired = expired(&status.certificates, now);
            status.problems.extend(expired);
        }
        Err(problem) => status.problems.push(format!("certificates: {problem}")),
    }
    add_problems(status);
    if is_stacked {
        status.problems.push(etcd_refusals::stacked(host).message);
    }
}

/// Takes in why no control plane says anything.
pub(super) fn add_errors(status: &mut ClusterStatus, errors: &[Diagnostic]) {
    let errors = errors.iter().map(Diagnostic::in_one_line);
    status.problems.extend(errors);
    add_problems(status);
}

/// Returns the hosts that run etcd as a service, and the URLs of their members.
fn members(cluster: &ClusterSpec) -> Vec<(String, String)> {
    let hosts = cluster.etcd_hosts().filter(|_| cluster.etcd.on_hosts);
    hosts
        .filter_map(|host| Some((host.name.clone(), host.etcd_client_url()?)))
        .collect()
}

fn parse(finished: &Finished) -> Result<Value, String> {
    let parsed: Option<Value> = serde_json::from_slice(&finished.stdout).ok();
    // kubectl prints an empty list where no API server answers.
    let is_answer = |value: &Value| {
        finished.exit == Exit::Code(0)
            || value["items"]
                .as_array()
                .is_none_or(|items| !items.is_empty())
    };
    parsed.filter(is_answer).ok_or_else(|| {
        let text = String::from_utf8_lossy(&finished.stderr);
        text.lines().last().unwrap_or("no output").to_owned()
    })
}

/// Says which certificates are of no use any more, in one line: they mostly end together.
fn expired(certificates: &[Certificate], now: Timestamp) -> Option<String> {
    let ended = |it: &&Certificate| it.expires.parse().is_ok_and(|end: Timestamp| end < now);
    let names: Vec<&str> = certificates
        .iter()
        .filter(ended)
        .map(|it| it.name.as_str())
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "certificates have expired: {}; `kinstall up` makes them anew",
            names.join(", ")
        )
    })
}

fn add_problems(status: &mut ClusterStatus) {
    let mut problems = Vec::new();
    for host in &status.hosts {
        match &host.node {
            None if !host.is_to_be_node => {}
            None => problems.push(format!("{} is not a node of the cluster", host.name)),
            Some(node) if !node.ready => problems.push(format!("node {} is not ready", host.name)),
            Some(_) => {}
        }
        if host.etcd == Some(false) {
            problems.push(format!("etcd on {} does not answer", host.name));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_of_a_kubectl_that_failed_is_no_answer() {
        let finished = |code, stdout: &str| Finished {
            exit: Exit::Code(code),
            stdout: stdout.into(),
            stderr: b"E1 memcache.go\nerror: You must be logged in to the server".to_vec(),
        };
        let empty = r#"{"kind": "List", "items": []}"#;
        assert_eq!(
            parse(&finished(1, empty)).unwrap_err(),
            "error: You must be logged in to the server"
        );
        assert!(parse(&finished(0, empty)).is_ok());
        assert!(parse(&finished(1, r#"{"items": [{"kind": "Node"}]}"#)).is_ok());
        assert!(parse(&finished(0, "")).is_err());
    }

    #[test]
    fn certificates_that_have_ended_are_named_in_one_line() {
        let certificate = |name: &str, expires: &str| Certificate {
            name: name.to_owned(),
            expires: expires.to_owned(),
        };
        let all = [
            certificate("admin.conf", "2026-11-27T06:48:05Z"),
            certificate("apiserver", "2026-11-27T06:48:06Z"),
            certificate("scheduler.conf", "2027-11-27T06:48:05Z"),
        ];
        let now = "2026-11-28T00:00:00Z".parse().unwrap();
        insta::assert_snapshot!(
            expired(&all, now).unwrap(),
            @"certificates have expired: admin.conf, apiserver; `kinstall up` makes them anew"
        );
        assert_eq!(expired(&all, "2026-11-01T00:00:00Z".parse().unwrap()), None);
    }
}
