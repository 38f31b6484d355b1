//! Limits of Linux, Kubernetes and the networks, judged before any machine exists.

use super::{GOOD, messages, spoiled, with_variables};

/// Expects one message that begins with this line.
fn assert_says(said: &str, expected: &str) {
    assert_eq!(said.lines().next(), Some(expected), "{said}");
    let count = said.matches("\n\n").count() + 1;
    assert_eq!(count, 1, "{said}");
}

#[test]
fn values_that_no_cluster_can_have() {
    for (variables, expected) in [
        // Ports
        (
            "kube_apiserver_port: 10250",
            "error: the API server can't have port 10250: the kubelet has it",
        ),
        (
            "kube_apiserver_port: 2379",
            "error: the API server can't have port 2379: etcd has it",
        ),
        (
            "kube_apiserver_port: 22",
            "error: the API server can't have port 22: the SSH server has it",
        ),
        (
            "kube_apiserver_port: 30443",
            "error: the API server can't have port 30443: a Service of type NodePort may have it",
        ),
        (
            "kube_apiserver_port: 7443",
            "error: the API server can't have port 7443: the proxy to the API servers has it",
        ),
        (
            "kube_apiserver_port: 8081\nloadbalancer_apiserver_healthcheck_port: 8081",
            "error: the health check of the proxy to the API servers can't have port 8081: the API server has it",
        ),
        (
            "loadbalancer_apiserver_healthcheck_port: 7443",
            "error: the health check of the proxy to the API servers can't have port 7443: the proxy to the API servers has it",
        ),
        (
            "loadbalancer_apiserver_port: 10250",
            "error: the proxy to the API servers can't have port 10250: the kubelet has it",
        ),
        (
            "loadbalancer_apiserver_port: 22",
            "error: the proxy to the API servers can't have port 22: the SSH server has it",
        ),
        (
            "kube_apiserver_port: 9254",
            "error: the API server can't have port 9254: the DNS cache has it",
        ),
        (
            "kube_apiserver_port: 7946",
            "error: the API server can't have port 7946: MetalLB has it",
        ),
        (
            "kube_apiserver_port: 0",
            "error: `kube_apiserver_port` must be a port (1-65535), not `0`",
        ),
        (
            "loadbalancer_apiserver: {address: 192.168.56.5, port: 0}",
            "error: `loadbalancer_apiserver.port` must be a port (1-65535), not `0`",
        ),
        (
            "kube_apiserver_node_port_range: 6000-7000\nkube_apiserver_port: 6443",
            "error: the API server can't have port 6443: a Service of type NodePort may have it",
        ),
        (
            "kube_apiserver_node_port_range: 40000-30000",
            "error: `kube_apiserver_node_port_range` must be two ports such as 30000-32767, not `40000-30000`",
        ),
        // Service network
        (
            "kube_service_addresses: 10.233.0.0/30",
            "error: service network 10.233.0.0/30 is too small",
        ),
        (
            "kube_service_addresses: 10.233.0.0/29",
            "error: service network 10.233.0.0/29 is too small",
        ),
        (
            "kube_service_addresses: 11.0.0.0/8",
            "error: service network 11.0.0.0/8 is too large",
        ),
        (
            "kube_service_addresses: 127.1.0.0/18",
            "error: service network 127.1.0.0/18 holds loopback addresses",
        ),
        (
            "kube_pods_subnet: 224.0.0.0/18",
            "error: pod network 224.0.0.0/18 holds multicast and reserved addresses",
        ),
        (
            "kube_pods_subnet: 169.254.0.0/18",
            "error: pod network 169.254.0.0/18 holds link-local addresses",
        ),
        // Pods of a node
        (
            "kube_network_node_prefix: 29",
            "error: a node's share of the pod network, /29, has addresses for 5 pods",
        ),
        (
            "kube_network_node_prefix: 28",
            "error: a node's share of the pod network, /28, has addresses for 13 pods",
        ),
        (
            "kube_network_node_prefix: 26",
            "warning: a node's share of the pod network, /26, has addresses for 61 pods",
        ),
        ("kube_network_node_prefix: 26\nkubelet_max_pods: 60", ""),
        (
            "kube_network_node_prefix: 26\nkubelet_max_pods: 110",
            "error: a node's share of the pod network, /26, has addresses for 61 pods, not for 110",
        ),
        (
            "kubelet_max_pods: none",
            "error: `kubelet_max_pods` must be a number of pods, not `none`",
        ),
        (
            "kubelet_max_pods: 300\nkube_network_node_prefix: 24",
            "error: a node's share of the pod network, /24, has addresses for 253 pods, not for 300",
        ),
        (
            "kubelet_max_pods: 300",
            "error: a node's share of the pod network, /24, has addresses for 253 pods, not for 300",
        ),
        (
            "kube_pods_subnet: 12.0.0.0/7\nkube_network_node_prefix: 24",
            "error: pod network 12.0.0.0/7 is too large for nodes of /24",
        ),
        // DNS
        (
            "nodelocaldns_ip: 192.168.56.21",
            "error: `nodelocaldns_ip` can't be 192.168.56.21: it is the address of `node1`",
        ),
        (
            "nodelocaldns_ip: 10.233.0.10",
            "error: `nodelocaldns_ip` can't be 10.233.0.10: it is in the service network 10.233.0.0/18",
        ),
        (
            "nodelocaldns_ip: 10.233.64.10",
            "error: `nodelocaldns_ip` can't be 10.233.64.10: it is in the pod network 10.233.64.0/18",
        ),
        (
            "nodelocaldns_ip: 127.0.0.53",
            "error: `nodelocaldns_ip` can't be 127.0.0.53: it is a loopback address, which pods can't reach",
        ),
        (
            "upstream_dns_servers: [10.233.0.3]",
            "error: upstream DNS server `10.233.0.3` is the cluster's own DNS",
        ),
        (
            "upstream_dns_servers: [10.233.0.99]",
            "error: upstream DNS server `10.233.0.99` is in the service network 10.233.0.0/18",
        ),
        (
            "upstream_dns_servers: [169.254.25.10]",
            "error: upstream DNS server `169.254.25.10` is the nodes' DNS cache",
        ),
        (
            "dns_domain: My Lab_1",
            "error: `My Lab_1` is no DNS domain for a cluster",
        ),
        (
            "node_domain: ex_ample",
            "error: `ex_ample` is not a valid domain for nodes",
        ),
        // MetalLB
        (
            "metallb_enabled: true\nmetallb_ip_range: 10.233.70.1-10.233.70.9",
            "error: MetalLB range 10.233.70.1-10.233.70.9 lies in the pod network 10.233.64.0/18",
        ),
        (
            "metallb_enabled: true\nmetallb_ip_range: 10.233.0.0/24",
            "error: MetalLB range 10.233.0.0-10.233.0.255 lies in the service network 10.233.0.0/18",
        ),
        (
            "metallb_enabled: true\nmetallb_ip_range: 192.168.56.1-192.168.56.9\nloadbalancer_apiserver: {address: 192.168.56.5, port: 6443}",
            "error: MetalLB range 192.168.56.1-192.168.56.9 holds 192.168.56.5, the address of the API",
        ),
        (
            "metallb_enabled: true\nmetallb_ip_range: 192.168.56.50-192.168.56.59\nmetallb_pool_name: My Pool",
            "error: `My Pool` can't be the name of a MetalLB pool",
        ),
        // Names
        (
            "supplementary_addresses_in_ssl_keys: ['https://api']",
            "error: `supplementary_addresses_in_ssl_keys` must be a name or an address, without port, not `https://api`",
        ),
        (
            "ingress_nginx_enabled: true\ningress_nginx_class: My Class",
            "error: `My Class` can't be the name of an ingress class",
        ),
        (
            "ingress_nginx_enabled: true\nkinstall_ingress_domains: [My.example.com]",
            "error: `My.example.com` can't be the name of a domain",
        ),
        (
            &format!(
                "ingress_nginx_enabled: true\nkinstall_ingress_domains: [{0}.com, {0}.org, {0}.net, {0}.dev]",
                "a".repeat(60)
            ),
            "error: the domains of `kinstall_ingress_domains` are too long for one certificate",
        ),
        (
            "metrics_server_enabled: true\nmetrics_server_metric_resolution: 5s",
            "error: `metrics_server_metric_resolution` can't be `5s`",
        ),
        (
            "metrics_server_enabled: true\nmetrics_server_metric_resolution: 1m",
            "",
        ),
        (
            "node_labels: {'bad label!': x}",
            "error: `bad label!` can't be the name of a label",
        ),
        (
            "node_labels: {tier: 'x y'}",
            "error: `x y` can't be the value of a label",
        ),
        (
            "node_taints: ['a b=c:NoSchedule']",
            "error: `a b` can't be the key of a taint",
        ),
        (
            "node_taints: ['a=c d:NoSchedule']",
            "error: `c d` can't be the value of a taint",
        ),
        (
            "event_ttl_duration: 1 hour",
            "error: `event_ttl_duration` must be a duration such as 1h0m0s, not `1 hour`",
        ),
        (
            "tls_min_version: TLS1.2",
            "error: `tls_min_version` must be VersionTLS12 or VersionTLS13, not `TLS1.2`",
        ),
        // Addresses of one family
        (
            "kube_pods_subnet: fd00:10::/56\nkube_network_node_prefix: 64",
            "error: `kube_pods_subnet` is IPv6, others are IPv4",
        ),
        (
            "kube_service_addresses: fd00:20::/112",
            "error: `kube_service_addresses` is IPv6, others are IPv4",
        ),
        (
            "nodelocaldns_ip: fd00::53",
            "error: `nodelocaldns_ip` is IPv6, others are IPv4",
        ),
    ] {
        let said = with_variables(&format!("{variables}\n"));
        let said = without_ingress(&said);
        if expected.is_empty() {
            assert_eq!(said, "", "{variables}");
        } else {
            assert_says(&said, expected);
        }
    }
}

/// Leaves out what is said whenever an ingress controller is wanted.
fn without_ingress(said: &str) -> String {
    let parts = said.split("\n\n");
    let parts: Vec<&str> = parts
        .filter(|part| !part.starts_with("warning: Traefik is"))
        .collect();
    parts.join("\n\n")
}

#[test]
fn hosts_that_linux_kubernetes_or_the_provider_refuse() {
    let long = "a".repeat(60) + ".example.com";
    let label = "b".repeat(64);
    let container = format!("{}.example.com", "c".repeat(45));
    for (from, to, expected) in [
        (
            "node1",
            long.as_str(),
            format!("error: the host name `{long}` is too long for a node"),
        ),
        (
            "node1",
            &label,
            format!("error: the host name `{label}` is too long for a node"),
        ),
        ("node1", &container, String::new()),
    ] {
        let text = GOOD
            .replace(&format!("{from}\n"), &format!("{to}\n"))
            .replace(&format!("{from} "), &format!("{to} "));
        let said = messages(&[("inventory.ini", &text)]);
        assert_eq!(said.lines().next().unwrap_or_default(), expected, "{said}");
    }
    let text = GOOD
        .replace("node1\n", &format!("{container}\n"))
        .replace("node1 ", &format!("{container} "));
    let said = messages(&[
        ("inventory.ini", &text),
        ("group_vars/all.yml", "kinstall_provider: container\n"),
    ]);
    assert_says(
        &said,
        &format!("error: the host name `{container}` is too long for a container"),
    );
}

#[test]
fn two_hosts_are_two_machines() {
    assert_says(
        &spoiled(
            "node2 ansible_host=192.168.56.22",
            "node2 ansible_host=192.168.56.21",
        ),
        "error: `node1` and `node2` are the same machine",
    );
    // Behind one address, ports tell machines apart.
    assert_eq!(
        spoiled(
            "node2 ansible_host=192.168.56.22",
            "node2 ansible_host=192.168.56.21 ansible_port=2222"
        ),
        ""
    );
    assert_says(
        &messages(&[(
            "inventory.ini",
            &GOOD.replace(
                "ip=192.168.56.2",
                "machine_forwarded_ports='[\"8080:80\"]' ip=192.168.56.2",
            ),
        )]),
        "error: `node1` and `node2` forward the same port 8080",
    );
}

#[test]
fn nodes_of_two_address_families() {
    let said = spoiled(
        "node1 ansible_host=192.168.56.21 ip=192.168.56.21",
        "node1 ansible_host=192.168.56.21 ip=fd00::21",
    );
    assert_says(
        &said,
        "error: the address of `node1` is IPv6, others are IPv4",
    );
}

#[test]
fn a_further_network_of_a_machine_is_apart_from_the_pods() {
    let said = spoiled(
        "ip=192.168.56.22",
        "ip=192.168.56.22 machine_networks='[\"10.233.65.1/24\"]'",
    );
    assert_says(
        &said,
        "error: pod network 10.233.64.0/18 holds the address 10.233.65.1 of `node2`",
    );
}
