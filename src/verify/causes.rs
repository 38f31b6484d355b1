//! Why a check failed: what is known to break it, looked for in the evidence.

use super::check::Need;
use super::evidence::{Evidence, is_ready, text};

/// Returns the causes that are found of the failure of a check with these needs.
pub fn find(evidence: &Evidence, needs: &[Need]) -> Vec<String> {
    // Each of these breaks what stands on it: the rest would only repeat it.
    for rule in [hosts, nodes, images, pod_network] {
        let causes = rule(evidence);
        if !causes.is_empty() {
            return causes;
        }
    }
    // What is asked from outside is asked by address.
    let is_outside = needs.contains(&Need::LoadBalancer) || needs.contains(&Need::Ingress);
    let rules: &[fn(&Evidence) -> Vec<String>] = if is_outside {
        &[address_pool, pods]
    } else {
        &[dns, node_local_dns, pods]
    };
    rules.iter().flat_map(|rule| rule(evidence)).collect()
}

fn hosts(evidence: &Evidence) -> Vec<String> {
    let mut causes = Vec::new();
    for host in &evidence.hosts {
        let name = &host.name;
        if let Some(reason) = &host.unreachable {
            causes.push(format!("the host {name} can't be reached: {reason}"));
        }
        for service in &host.stopped {
            causes.push(format!(
                "{service} is stopped on {name}: `kinstall up` starts it; \
                 `kinstall ssh {name} -- sudo journalctl -u {service}` tells why it stopped"
            ));
        }
    }
    causes
}

fn nodes(evidence: &Evidence) -> Vec<String> {
    let not_ready = evidence.of_kind("Node").filter(|node| !is_ready(node));
    let causes = not_ready.map(|node| {
        let name = text(&node["metadata"]["name"]);
        let conditions = node["status"]["conditions"].as_array();
        let ready = conditions
            .into_iter()
            .flatten()
            .find(|it| it["type"] == "Ready");
        let message = ready.map_or("it has never been ready", |it| text(&it["message"]));
        format!("the node {name} is not ready: {message}")
    });
    causes.collect()
}

/// Pods that wait for an image which is never pulled.
fn images(evidence: &Evidence) -> Vec<String> {
    let mut causes = Vec::new();
    for pod in evidence.of_kind("Pod") {
        let statuses = pod["status"]["containerStatuses"].as_array();
        for status in statuses.into_iter().flatten() {
            if status["state"]["waiting"]["reason"] == "ErrImageNeverPull" {
                let (image, node) = (text(&status["image"]), text(&pod["spec"]["nodeName"]));
                causes.push(format!(
                    "{node} lacks the image {image}: `kinstall bundle build` and `kinstall up` bring it"
                ));
            }
        }
    }
    causes.sort();
    causes.dedup();
    causes
}

/// Returns the name of what connects pods.
fn plugin(evidence: &Evidence) -> &'static str {
    let mut pods = evidence.of_kind("Pod");
    let is_cilium = |pod: &serde_json::Value| {
        let metadata = &pod["metadata"];
        metadata["namespace"] == "kube-system" && text(&metadata["name"]).starts_with("cilium-")
    };
    let has_cilium = pods.any(is_cilium);
    if has_cilium { "cilium" } else { "flannel" }
}

fn pod_network(evidence: &Evidence) -> Vec<String> {
    let pairs = &evidence.pairs;
    if pairs.failed().is_empty() {
        return Vec::new();
    }
    let cut_off = pairs.cut_off();
    let plugin = plugin(evidence);
    let prefix = format!("{plugin}-");
    let without: Vec<&str> = (evidence.of_kind("Node"))
        .map(|node| text(&node["metadata"]["name"]))
        .filter(|node| {
            let pod = evidence.pod_on(node, "kube-system", &prefix);
            !pod.is_some_and(is_ready)
        })
        .collect();
    if !without.is_empty() {
        let nodes = without.join(", ");
        return vec![format!(
            "{plugin} doesn't run on {nodes}: pods there have no network"
        )];
    }
    let blocked = "packets of the pod network (VXLAN, UDP port 8472) are lost";
    let hint = "look for a firewall there or between the hosts";
    if cut_off.is_empty() {
        let pairs = pairs.failed().join(", ");
        vec![format!("{blocked} between some nodes ({pairs}): {hint}")]
    } else if cut_off.len() == pairs.nodes() {
        vec![format!("{blocked} between all nodes: {hint}")]
    } else {
        let nodes = cut_off.join(", ");
        vec![format!(
            "{blocked} to and from {nodes}, while the host itself answers: {hint}"
        )]
    }
}

fn dns(evidence: &Evidence) -> Vec<String> {
    let mut deployments = evidence.of_kind("Deployment");
    let coredns = deployments.find(|it| it["metadata"]["name"] == "coredns");
    let Some(coredns) = coredns else {
        return vec![
            "the cluster has no DNS: there is no Deployment kube-system/coredns".to_owned(),
        ];
    };
    let wanted = coredns["spec"]["replicas"].as_u64().unwrap_or(0);
    let ready = coredns["status"]["readyReplicas"].as_u64().unwrap_or(0);
    if ready > 0 {
        return Vec::new();
    }
    vec![if wanted == 0 {
        "the cluster's DNS is down: CoreDNS is scaled to 0 \
         (`kubectl -n kube-system scale deployment coredns --replicas=2`)"
            .to_owned()
    } else {
        format!(
            "the cluster's DNS is down: none of CoreDNS's {wanted} pods is ready \
             (`kubectl -n kube-system describe pods -l k8s-app=kube-dns`)"
        )
    }]
}

fn node_local_dns(evidence: &Evidence) -> Vec<String> {
    let has_caches =
        (evidence.of_kind("DaemonSet")).any(|it| it["metadata"]["name"] == "node-local-dns");
    if !has_caches {
        return Vec::new();
    }
    let nodes = evidence
        .of_kind("Node")
        .map(|node| text(&node["metadata"]["name"]));
    let without = nodes.filter(|node| {
        let pod = evidence.pod_on(node, "kube-system", "node-local-dns-");
        !pod.is_some_and(is_ready)
    });
    let causes = without.map(|node| {
        format!("the DNS cache of {node} is down: its pod node-local-dns is not ready")
    });
    causes.collect()
}

fn address_pool(evidence: &Evidence) -> Vec<String> {
    if !evidence.has_load_balancer {
        return Vec::new();
    }
    let pending = evidence.of_kind("Service").any(|service| {
        service["spec"]["type"] == "LoadBalancer"
            && service["status"]["loadBalancer"]["ingress"]
                .get(0)
                .is_none()
    });
    if !pending {
        return Vec::new();
    }
    let pools: Vec<String> = (evidence.of_kind("IPAddressPool"))
        .map(|pool| {
            let addresses = pool["spec"]["addresses"].as_array().into_iter().flatten();
            let addresses: Vec<&str> = addresses.map(text).collect();
            format!(
                "{} ({})",
                text(&pool["metadata"]["name"]),
                addresses.join(", ")
            )
        })
        .collect();
    if pools.is_empty() {
        return vec![
            "MetalLB has no addresses: there is no IPAddressPool; `kinstall up` brings back those of \
             the inventory (`metallb_ip_range`)"
                .to_owned(),
        ];
    }
    let events = evidence.events["items"].as_array().into_iter().flatten();
    let mut failures = events.filter(|event| event["reason"] == "AllocationFailed");
    let pools = pools.join("; ");
    match failures.next() {
        Some(event) => vec![format!(
            "MetalLB has no free address in its pools, {pools}: {}; make `metallb_ip_range` larger, or remove \
             Services of type LoadBalancer",
            text(&event["message"])
        )],
        None => vec![format!(
            "MetalLB gave no address out of its pools, {pools}: `kubectl -n metallb-system logs \
             deployment/controller` tells why"
        )],
    }
}

/// Pods of the checks that don't run, for whatever reason Kubernetes gives.
fn pods(evidence: &Evidence) -> Vec<String> {
    let own = evidence
        .of_kind("Pod")
        .filter(|pod| text(&pod["metadata"]["namespace"]) == evidence.namespace);
    let waiting = own.filter(|pod| pod["status"]["phase"] == "Pending");
    let causes = waiting.filter_map(|pod| {
        let name = text(&pod["metadata"]["name"]);
        let statuses = pod["status"]["containerStatuses"].as_array();
        let state = &statuses.and_then(|it| it.first())?["state"]["waiting"];
        Some(format!(
            "the pod {name} on {} waits: {} {}",
            text(&pod["spec"]["nodeName"]),
            text(&state["reason"]),
            text(&state["message"])
        ))
    });
    let unscheduled = evidence.of_kind("Pod").filter_map(|pod| {
        let conditions = pod["status"]["conditions"].as_array()?;
        let condition = conditions
            .iter()
            .find(|it| it["reason"] == "Unschedulable")?;
        let name = text(&pod["metadata"]["name"]);
        Some(format!(
            "no node takes the pod {name}: {}",
            text(&condition["message"])
        ))
    });
    causes.chain(unscheduled).collect()
}

#[cfg(test)]
mod tests;
