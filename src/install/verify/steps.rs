//! One step of a check: does it, and holds what comes back against what is expected.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::access::{Answer, Cluster, seconds};
use super::{hosts, requests};
use crate::diagnostic::Diagnostics;
use crate::verify::{Action, HostEvidence, Pairs, PortForward, Step, StepReport, fill_in};

/// Time between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// Commands that run at once; sshd allows ten in a connection.
const AT_ONCE: usize = 6;

/// Longest time for one pod to answer another.
const PAIR: u32 = 3;

/// A pod of the DaemonSet `nettool`.
#[derive(Clone)]
struct NodePod {
    name: String,
    node: String,
    address: String,
}

/// What steps of earlier checks have found.
pub(super) struct Findings {
    pub(super) values: BTreeMap<String, String>,
    pub(super) pairs: Pairs,
}

/// Takes a step, again until it succeeds or its time is over; returns what is wrong, if anything is.
pub(super) async fn take(
    cluster: &Cluster<'_>,
    step: &Step,
    findings: &mut Findings,
) -> Result<(StepReport, Option<String>), Diagnostics> {
    let begun = Instant::now();
    let limit = Duration::from_secs(step.within);
    loop {
        let (command, answer) = act(cluster, step, findings).await?;
        let problem = problem(step, &answer, &findings.values);
        if problem.is_some() && begun.elapsed() < limit {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        let answer = answer.stdout.trim().to_owned();
        if let (Some(name), None) = (&step.save, &problem) {
            findings.values.insert(name.clone(), answer.clone());
        }
        let report = StepReport {
            command,
            answer,
            seconds: seconds(begun),
        };
        return Ok((report, problem));
    }
}

fn problem(step: &Step, answer: &Answer, values: &BTreeMap<String, String>) -> Option<String> {
    if !answer.succeeded {
        let said = answer.stderr.trim();
        let said = if said.is_empty() {
            answer.stdout.trim()
        } else {
            said
        };
        let mut lines: Vec<&str> = said.lines().rev().take(3).collect();
        lines.reverse();
        return Some(lines.join("; "));
    }
    let filled_in = |text: &Option<String>| {
        let text = text.as_ref()?;
        Some(fill_in(text, values).unwrap_or_else(|_| text.clone()))
    };
    let expect = crate::verify::Expectation {
        equals: filled_in(&step.expect.equals),
        contains: filled_in(&step.expect.contains),
        matches: filled_in(&step.expect.matches),
    };
    expect.fault(&answer.stdout)
}

/// Does what the step says; returns a command that shows the same, and the answer.
async fn act(
    cluster: &Cluster<'_>,
    step: &Step,
    findings: &mut Findings,
) -> Result<(String, Answer), Diagnostics> {
    let namespace = &cluster.namespace;
    let fill = |text: &str| fill_in(text, &findings.values).unwrap_or_else(|_| text.to_owned());
    match step.action() {
        Some(Action::Apply(manifests)) => {
            let manifests = fill(manifests);
            let answer = cluster.apply(&manifests).await?;
            let command = format!(
                "kubectl -n {namespace} apply -f - <<EOF\n{}\nEOF",
                manifests.trim()
            );
            Ok((command, answer))
        }
        Some(Action::Kubectl(arguments)) => {
            let arguments = fill(arguments);
            let answer = cluster.kubectl(&arguments).await?;
            Ok((format!("kubectl -n {namespace} {arguments}"), answer))
        }
        Some(Action::Request { url, host }) => {
            let (url, host) = (fill(url), host.map(fill));
            let answer = requests::get(&cluster.ways, &url, host.as_deref()).await;
            let header = host.map(|host| format!("-H 'Host: {host}' "));
            Ok((format!("curl {}{url}", header.unwrap_or_default()), answer))
        }
        Some(Action::PortForward(forward)) => {
            let PortForward { to, port, path } = forward;
            let command = format!(
                "kubectl -n {namespace} port-forward {to} {port} & curl http://localhost:{port}/{path}"
            );
            Ok((command, port_forward(cluster, forward).await?))
        }
        Some(Action::NodesAreReady) => Ok((
            "kubectl get nodes -o wide".to_owned(),
            nodes_are_ready(cluster).await?,
        )),
        Some(Action::OnEveryNode(command)) => {
            let command = fill(command);
            let shown = format!("kubectl -n {namespace} exec POD-OF-EACH-NODE -- {command}");
            Ok((shown, on_every_node(cluster, &command).await?))
        }
        Some(Action::EveryPair(port)) => {
            let shown = format!(
                "kubectl -n {namespace} exec POD-OF-EACH-NODE -- curl http://POD-OF-EACH-OTHER:{port}/hostname"
            );
            Ok((shown, every_pair(cluster, port, &mut findings.pairs).await?))
        }
        // Files with such steps aren't read.
        None => Ok((
            String::new(),
            Answer::of_text(false, "nothing to do".to_owned()),
        )),
    }
}

async fn nodes_are_ready(cluster: &Cluster<'_>) -> Result<Answer, Diagnostics> {
    let hosts = hosts::ask_all(cluster.project, cluster.machines).await;
    let nodes = cluster.objects("get nodes").await?;
    let nodes = nodes["items"].as_array().cloned().unwrap_or_default();
    let mut problems = Vec::new();
    for HostEvidence {
        name,
        unreachable,
        stopped,
    } in &hosts
    {
        let spec = &cluster.project.cluster;
        let is_to_be_node = spec.host(name).is_some_and(|host| host.roles.is_node());
        let node = nodes
            .iter()
            .find(|node| node["metadata"]["name"] == name.as_str());
        if unreachable.is_some() {
            problems.push(format!("{name} can't be reached"));
        } else if !stopped.is_empty() {
            problems.push(format!("{name}: {} stopped", stopped.join(" and ")));
        } else if is_to_be_node && !node.is_some_and(crate::verify::is_ready) {
            problems.push(format!("{name} is not a node that is ready"));
        }
    }
    Ok(if problems.is_empty() {
        Answer::of_text(
            true,
            format!(
                "{} nodes are ready",
                cluster.project.cluster.nodes().count()
            ),
        )
    } else {
        Answer::of_text(false, problems.join("; "))
    })
}

/// Returns the pods of the DaemonSet, one a node.
async fn pods(cluster: &Cluster<'_>) -> Result<Vec<NodePod>, Diagnostics> {
    let list = cluster.objects("get pods --selector app=nettool").await?;
    let pods = list["items"].as_array().into_iter().flatten();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let pods = pods.map(|pod| NodePod {
        name: text(&pod["metadata"]["name"]),
        node: text(&pod["spec"]["nodeName"]),
        address: text(&pod["status"]["podIP"]),
    });
    Ok(pods.collect())
}

async fn on_every_node(cluster: &Cluster<'_>, command: &str) -> Result<Answer, Diagnostics> {
    let answers = on_each(cluster, |_, _| command.to_owned()).await?;
    let count = answers.len();
    let failed: Vec<String> = answers
        .iter()
        .filter(|(_, answer)| !answer.succeeded)
        .map(|(pod, answer)| {
            let said = format!("{}\n{}", answer.stdout.trim(), answer.stderr.trim());
            let mut lines = said
                .lines()
                .rev()
                .filter(|line| !line.contains("exit code"));
            format!("on {}: {}", pod.node, lines.next().unwrap_or_default())
        })
        .collect();
    Ok(if failed.is_empty() {
        Answer::of_text(true, format!("works on all {count} nodes"))
    } else {
        Answer::of_text(false, failed.join("; "))
    })
}

async fn every_pair(
    cluster: &Cluster<'_>,
    port: u16,
    pairs: &mut Pairs,
) -> Result<Answer, Diagnostics> {
    let answers = on_each(cluster, |_, all| {
        let peers: Vec<String> = all.iter().map(|pod| format!("{}={}", pod.node, pod.address)).collect();
        // Together, for a peer that is silent takes its time; not all at once where there are many.
        format!(
            "bash -c 'n=0; for peer in {}; do (curl --silent --output /dev/null --max-time {PAIR} \
             http://${{peer#*=}}:{port}/hostname && echo \"+ ${{peer%%=*}}\" || echo \"- ${{peer%%=*}}\") & \
             n=$((n+1)); [ $((n%64)) = 0 ] && wait; done; wait'",
            peers.join(" ")
        )
    })
    .await?;
    *pairs = Pairs::default();
    let mut problems = Vec::new();
    for (pod, answer) in &answers {
        let mut count = 0;
        for line in answer.stdout.lines() {
            if let Some((sign, peer)) = line.split_once(' ') {
                pairs.add(&pod.node, peer, sign == "+");
                count += 1;
            }
        }
        if count != answers.len() {
            problems.push(format!("on {}: {}", pod.node, answer.stderr.trim()));
        }
    }
    let failed = pairs.failed();
    if !failed.is_empty() {
        problems.push(format!("no answer: {}", failed.join(", ")));
    }
    Ok(if problems.is_empty() {
        Answer::of_text(true, format!("{} pairs of nodes answer", pairs.tried()))
    } else {
        Answer::of_text(false, problems.join("; "))
    })
}

/// Runs a command in the pod of each node, several at once.
async fn on_each(
    cluster: &Cluster<'_>,
    command: impl Fn(&NodePod, &[NodePod]) -> String,
) -> Result<Vec<(NodePod, Answer)>, Diagnostics> {
    let pods = pods(cluster).await?;
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for pod in &pods {
        let arguments = format!("exec {} -- {}", pod.name, command(pod, &pods));
        let (pod, turns, shell) = (pod.clone(), Arc::clone(&turns), cluster.shell());
        tasks.spawn(async move {
            let _turn = turns.acquire_owned().await;
            let answer = shell.kubectl(&arguments).await;
            answer.map(|answer| (pod, answer))
        });
    }
    let mut answers = Vec::new();
    while let Some(answered) = tasks.join_next().await {
        if let Ok(answered) = answered {
            answers.push(answered?);
        }
    }
    answers.sort_by(|(one, _), (other, _)| one.node.cmp(&other.node));
    Ok(answers)
}

/// Asks a port of a pod by kubectl's forward on the control plane.
async fn port_forward(cluster: &Cluster<'_>, forward: &PortForward) -> Result<Answer, Diagnostics> {
    let PortForward { to, port, path } = forward;
    let namespace = &cluster.namespace;
    let script = format!(
        r#"bash -c '
            coproc forward {{ timeout 20 kubectl --namespace {namespace} port-forward {to} :{port} 2>&1; }}
            read -r line <&${{forward[0]}}
            port=${{line#*127.0.0.1:}}
            if ! exec 3<>/dev/tcp/127.0.0.1/${{port%% *}}; then echo "$line"; exit 1; fi
            printf "GET /{path} HTTP/1.0\r\n\r\n" >&3
            cat <&3
            kill $forward_PID
        '"#
    );
    cluster.run(&script).await
}
