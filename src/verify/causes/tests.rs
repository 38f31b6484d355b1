//! Each fault alone, and what is said of it.

use serde_json::{Value, json};

use super::find;
use crate::verify::{Evidence, HostEvidence, Need, Pairs};

fn node(name: &str, is_ready: bool) -> Value {
    let status = if is_ready { "True" } else { "Unknown" };
    json!({ "kind": "Node", "metadata": { "name": name }, "status": { "conditions": [
        { "type": "Ready", "status": status, "message": "Kubelet stopped posting node status." },
    ] } })
}

fn pod(namespace: &str, name: &str, node: &str) -> Value {
    json!({ "kind": "Pod", "metadata": { "namespace": namespace, "name": name },
        "spec": { "nodeName": node },
        "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] } })
}

fn coredns(replicas: u64, ready: u64) -> Value {
    json!({ "kind": "Deployment", "metadata": { "name": "coredns" },
        "spec": { "replicas": replicas }, "status": { "readyReplicas": ready } })
}

fn host(name: &str, stopped: &[&str]) -> HostEvidence {
    HostEvidence {
        name: name.to_owned(),
        unreachable: None,
        stopped: stopped.iter().map(ToString::to_string).collect(),
    }
}

/// A cluster of three nodes in which nothing is wrong, with `more` objects.
fn healthy(more: Vec<Value>) -> Evidence {
    let mut items = Vec::new();
    for name in ["a", "b", "c"] {
        items.push(node(name, true));
        items.push(pod("kube-system", &format!("flannel-{name}"), name));
        items.push(pod("kube-system", &format!("node-local-dns-{name}"), name));
    }
    items.push(json!({ "kind": "DaemonSet", "metadata": { "name": "node-local-dns" } }));
    items.push(coredns(2, 2));
    items.extend(more);
    Evidence {
        hosts: ["a", "b", "c"].map(|name| host(name, &[])).to_vec(),
        objects: json!({ "items": items }),
        events: json!({ "items": [] }),
        namespace: "checks".to_owned(),
        has_load_balancer: true,
        pairs: pairs(|_, _| true),
    }
}

fn pairs(answers: impl Fn(&str, &str) -> bool) -> Pairs {
    let mut pairs = Pairs::default();
    for from in ["a", "b", "c"] {
        for to in ["a", "b", "c"] {
            pairs.add(from, to, answers(from, to));
        }
    }
    pairs
}

/// Replaces the objects of one name.
fn with(mut evidence: Evidence, name: &str, object: Option<Value>) -> Evidence {
    let items = evidence.objects["items"].as_array_mut().unwrap();
    items.retain(|item| item["metadata"]["name"] != name);
    items.extend(object);
    evidence
}

fn pending() -> Value {
    json!({ "kind": "Service", "spec": { "type": "LoadBalancer" }, "status": { "loadBalancer": {} } })
}

fn pool() -> Value {
    json!({ "kind": "IPAddressPool", "metadata": { "name": "primary" },
        "spec": { "addresses": ["10.0.0.1-10.0.0.2"] } })
}

#[test]
fn a_healthy_cluster_has_no_causes() {
    for needs in [[].as_slice(), &[Need::LoadBalancer]] {
        assert_eq!(find(&healthy(Vec::new()), needs), Vec::<String>::new());
    }
}

#[test]
fn each_fault_is_named_with_its_place() {
    let mut stopped = healthy(Vec::new());
    stopped.hosts[1] = host("b", &["kubelet"]);
    let mut silent = healthy(Vec::new());
    silent.hosts[2].unreachable = Some("timed out".to_owned());
    let mut blocked = healthy(Vec::new());
    blocked.pairs = pairs(|from, to| from == to || (from != "b" && to != "b"));
    let mut all_blocked = healthy(Vec::new());
    all_blocked.pairs = pairs(|from, to| from == to);
    let mut without_flannel = with(healthy(Vec::new()), "flannel-c", None);
    without_flannel.pairs = pairs(|from, to| from == to || (from != "c" && to != "c"));
    let mut without_cilium = healthy(vec![pod("kube-system", "cilium-a", "a")]);
    without_cilium.pairs = pairs(|from, to| from == to);
    let mut full = healthy(vec![pending(), pool()]);
    full.events =
        json!({ "items": [{ "reason": "AllocationFailed", "message": "no available IPs" }] });
    let lacks_image = json!({ "kind": "Pod", "metadata": { "name": "nettool-1" }, "spec": { "nodeName": "a" },
        "status": { "containerStatuses": [
            { "image": "kinstall.local/nettool:v1", "state": { "waiting": { "reason": "ErrImageNeverPull" } } },
        ] } });
    let waits = json!({ "kind": "Pod", "metadata": { "namespace": "checks", "name": "web" },
        "spec": {}, "status": { "phase": "Pending", "conditions": [
            { "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes" },
        ] } });
    let cases = [
        ("kubelet", stopped),
        ("silent host", silent),
        (
            "node not ready",
            with(healthy(Vec::new()), "b", Some(node("b", false))),
        ),
        ("image", healthy(vec![lacks_image])),
        ("one node blocked", blocked),
        ("all nodes blocked", all_blocked),
        ("no flannel", without_flannel),
        ("no cilium", without_cilium),
        (
            "DNS scaled to 0",
            with(healthy(Vec::new()), "coredns", Some(coredns(0, 0))),
        ),
        (
            "DNS not ready",
            with(healthy(Vec::new()), "coredns", Some(coredns(2, 0))),
        ),
        ("no DNS", with(healthy(Vec::new()), "coredns", None)),
        (
            "no cache",
            with(healthy(Vec::new()), "node-local-dns-b", None),
        ),
        ("no scheduling", healthy(vec![waits])),
    ];
    let outside = [("no pool", healthy(vec![pending()])), ("full pool", full)];
    let cases = cases.iter().map(|case| (case, [].as_slice()));
    let outside = outside
        .iter()
        .map(|case| (case, [Need::LoadBalancer].as_slice()));
    let found: Vec<String> = (cases.chain(outside))
        .map(|((name, evidence), needs)| format!("{name}: {}", find(evidence, needs).join(" | ")))
        .collect();
    insta::assert_snapshot!(found.join("\n"));
}
