//! What must work on a cluster that `up` has made.

use super::kinstall::{Kinstall, eventually};

const NODES: [&str; 4] = ["controll-plane", "node1", "node2", "node3"];

/// An echo server behind a LoadBalancer, a NodePort and an Ingress of class `nginx`.
const WORKLOAD: &str = include_str!("workload.yaml");

/// Checks everything that the course does on its cluster.
pub fn works(lab: &Kinstall) {
    nodes_are_ready(lab);
    system_is_available(lab);
    lab.apply(WORKLOAD);
    lab.kubectl(&["rollout", "status", "deployment/echo", "--timeout=120s"]);
    load_balancer_answers(lab);
    node_port_answers(lab);
    ingress_routes_by_host(lab);
    names_resolve(lab);
    metrics_are_there(lab);
}

/// Every pod with its start time and restarts, and every node's kubelet and containerd start time.
pub fn start_times(lab: &Kinstall) -> Vec<String> {
    let pods = lab.objects(&["get", "pods", "-A"]);
    let mut times: Vec<String> = pods["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pod| {
            let (name, status) = (&pod["metadata"]["name"], &pod["status"]);
            let restarts = &status["containerStatuses"][0]["restartCount"];
            format!("{name} {} {restarts}", status["startTime"])
        })
        .collect();
    times.sort();
    for node in NODES {
        let show = [
            "systemctl",
            "show",
            "-p",
            "ActiveEnterTimestamp",
            "kubelet",
            "containerd",
        ];
        times.push(lab.ok(&[&["ssh", node, "--"], show.as_slice()].concat()));
    }
    times
}

fn nodes_are_ready(lab: &Kinstall) {
    let nodes = lab.objects(&["get", "nodes"]);
    let ready: Vec<_> = nodes["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| {
            let conditions = node["status"]["conditions"].as_array().unwrap();
            conditions
                .iter()
                .any(|it| it["type"] == "Ready" && it["status"] == "True")
        })
        .map(|node| node["metadata"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(ready, NODES);
}

fn system_is_available(lab: &Kinstall) {
    let status: serde_json::Value =
        serde_json::from_str(&lab.ok(&["status", "--output", "json"])).unwrap();
    let workloads = status["workloads"].as_array().unwrap();
    for name in [
        "coredns",
        "node-local-dns",
        "flannel",
        "kube-proxy",
        "controller",
        "speaker",
        "metrics-server",
        "local-path-provisioner",
        "traefik",
    ] {
        let found = workloads.iter().find(|it| it["name"] == name);
        let found = found.unwrap_or_else(|| panic!("{name} is not among {workloads:#?}"));
        assert!(
            found["ready"].as_u64() > Some(0),
            "{name} is not ready: {found}"
        );
        assert_eq!(found["ready"], found["wanted"], "{name}");
    }
    assert_eq!(status["problems"], serde_json::json!([]));
}

fn load_balancer_answers(lab: &Kinstall) {
    let mut address = String::new();
    eventually("the Service has an address", 30, || {
        let service = lab.objects(&["get", "service", "echo"]);
        let ingress = &service["status"]["loadBalancer"]["ingress"][0]["ip"];
        ingress
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut address);
        !address.is_empty()
    });
    let last: u8 = address
        .strip_prefix("192.168.56.")
        .unwrap()
        .parse()
        .unwrap();
    assert!((50..=99).contains(&last), "{address} is not of the pool");
    eventually(
        "the LoadBalancer's address answers outside of the cluster",
        30,
        || {
            let url = format!("http://{address}:8080/hostname");
            get(lab, &url, None).is_some_and(|body| body.starts_with("echo-"))
        },
    );
}

fn node_port_answers(lab: &Kinstall) {
    for address in [
        "192.168.56.11",
        "192.168.56.21",
        "192.168.56.22",
        "192.168.56.23",
    ] {
        eventually(&format!("NodePort 31111 answers on {address}"), 30, || {
            get(lab, &format!("http://{address}:31111/hostname"), None).is_some()
        });
    }
}

fn ingress_routes_by_host(lab: &Kinstall) {
    let service = lab.objects(&["get", "service", "-n", "ingress", "traefik"]);
    let address = service["status"]["loadBalancer"]["ingress"][0]["ip"]
        .as_str()
        .unwrap()
        .to_owned();
    let url = format!("http://{address}/hostname");
    for host in ["echo.example.com", "classless.example.com"] {
        eventually(&format!("the Ingress routes {host}"), 60, || {
            get(lab, &url, Some(host)).is_some_and(|body| body.starts_with("echo-"))
        });
    }
    assert_eq!(get(lab, &url, Some("unknown.example.com")), None);
}

fn names_resolve(lab: &Kinstall) {
    let pod = lab.kubectl(&["get", "pods", "-l", "app=echo", "-o", "name"]);
    let pod = pod.lines().next().unwrap();
    let servers = lab.kubectl(&["exec", pod, "--", "agnhost", "dns-server-list"]);
    assert_eq!(servers.trim(), "169.254.25.10");
    let command = [
        "agnhost",
        "connect",
        "echo.default.svc.cluster.local:8080",
        "--timeout=5s",
    ];
    lab.kubectl(&[&["exec", pod, "--"], command.as_slice()].concat());
    for node in NODES {
        let hosts = lab.ok(&["ssh", node, "--", "getent", "hosts", "node1.example.com"]);
        assert!(hosts.starts_with("192.168.56.21"), "{hosts}");
    }
}

fn metrics_are_there(lab: &Kinstall) {
    eventually("`kubectl top nodes` answers for every node", 90, || {
        let top = lab.run(&[
            "ssh",
            "controll-plane",
            "--",
            "sudo",
            "kubectl",
            "top",
            "nodes",
            "--no-headers",
        ]);
        let text = top.stdout();
        text.lines()
            .filter(|line| !line.contains("unknown"))
            .count()
            == NODES.len()
    });
}

/// Gets a URL from inside the lab's network, outside of the cluster; `None` unless it answers 200.
fn get(lab: &Kinstall, url: &str, host: Option<&str>) -> Option<String> {
    let header = format!("Host: {}", host.unwrap_or("echo"));
    lab.in_network(&[
        "curl",
        "--silent",
        "--fail",
        "--max-time",
        "5",
        "--header",
        &header,
        url,
    ])
}
