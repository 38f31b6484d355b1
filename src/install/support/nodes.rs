//! What the nodes are asked for a report: a fixed list of commands that read.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Item;
use crate::diagnostic::Diagnostics;
use crate::install::lab::LabMachines;
use crate::install::project::Project;
use crate::install::{kubectl, runtime};
use crate::ssh::{Session, Target};

/// By name of the file, what is read on every node.
const ON_NODES: [(&str, &str); 7] = [
    (
        "system.txt",
        "uname -a; cat /etc/os-release; uptime; free -m; df -h; ip -brief address; ip route; \
         systemctl --failed --no-pager; ls -l /etc/kubernetes/manifests",
    ),
    (
        "kubelet.log",
        "journalctl --unit kubelet --no-pager --lines 1000",
    ),
    (
        "containerd.log",
        "journalctl --unit containerd --no-pager --lines 500",
    ),
    (
        "api-proxy.log",
        "journalctl --unit kinstall-api-proxy --no-pager --lines 300",
    ),
    ("etcd.log", "journalctl --unit etcd --no-pager --lines 300"),
    (
        "control-plane.log",
        "for pod in etcd kube-apiserver kube-controller-manager kube-scheduler; do \
         for log in $(ls -t /var/log/pods/kube-system_$pod-*/*/*.log 2>/dev/null | head -2); do \
         echo \"== $log\"; tail -n 200 $log; done; done",
    ),
    (
        "agent.jsonl",
        "tail -q -n 300 $(ls -t /var/lib/kinstall/runs/*.jsonl | head -2)",
    ),
];

/// The same for the cluster, on a control plane.
const ON_CONTROL_PLANE: [(&str, &str); 3] = [
    (
        "objects.txt",
        "kubectl get nodes,pods,services,endpointslices,daemonsets,deployments --all-namespaces -o wide",
    ),
    (
        "events.txt",
        "kubectl get events --all-namespaces --sort-by=.lastTimestamp",
    ),
    ("nodes.txt", "kubectl describe nodes"),
];

/// Most bytes that are kept of one command's output: its end.
const MOST: usize = 200_000;

/// Nodes that are asked at once, and how long each has.
const AT_ONCE: usize = 16;
const PATIENCE: Duration = Duration::from_mins(1);

/// Asks all nodes and a control plane; what doesn't answer is an item that says why.
pub(super) fn ask(project: &Project, machines: &LabMachines) -> Result<Vec<Item>, Diagnostics> {
    let runtime = runtime::start()?;
    let items = runtime.block_on(async {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        for host in &project.cluster.hosts {
            let (target, turns) = (machines.target(host), Arc::clone(&turns));
            tasks.spawn(async move {
                let _turn = turns.acquire_owned().await;
                let name = target.name.clone();
                let asked = timeout(PATIENCE, ask_one(&target)).await;
                asked.unwrap_or_else(|_| vec![silent(&name, "no answer in time")])
            });
        }
        let mut items: Vec<Item> = tasks.join_all().await.into_iter().flatten().collect();
        let cluster = timeout(PATIENCE, ask_cluster(project, machines)).await;
        items.extend(cluster.unwrap_or_else(|_| vec![silent("cluster", "no answer in time")]));
        items
    });
    runtime.shutdown_background();
    Ok(items)
}

async fn ask_one(target: &Target) -> Vec<Item> {
    match Session::connect(target).await {
        Ok(session) => read(&session, &target.name, &ON_NODES).await,
        Err(error) => vec![silent(
            &target.name,
            &error.diagnostic(&target.name).message,
        )],
    }
}

async fn ask_cluster(project: &Project, machines: &LabMachines) -> Vec<Item> {
    match kubectl::control_plane(project, machines).await {
        Ok((_, session)) => read(&session, "cluster", &ON_CONTROL_PLANE).await,
        Err(errors) => {
            let messages: Vec<&str> = errors.iter().map(|it| it.message.as_str()).collect();
            vec![silent("cluster", &messages.join("\n"))]
        }
    }
}

async fn read(session: &Session, folder: &str, commands: &[(&str, &str)]) -> Vec<Item> {
    let mut items = Vec::new();
    for (file, command) in commands {
        let line = format!(
            "PATH=$PATH:/usr/local/bin; export KUBECONFIG=/etc/kubernetes/admin.conf; \
             {{ {command}; }} 2>&1 | tail -c {MOST}"
        );
        let text = match session.exec_as_root(&line).await {
            Ok(finished) => String::from_utf8_lossy(&finished.stdout).into_owned(),
            Err(error) => error.diagnostic(folder).message,
        };
        if !text.is_empty() {
            items.push(Item::new(format!("nodes/{folder}/{file}"), text));
        }
    }
    items
}

fn silent(folder: &str, message: &str) -> Item {
    Item::new(
        format!("nodes/{folder}/no-answer.txt"),
        format!("{message}\n"),
    )
}
