//! The variables that kinstall understands.
//!
//! [`KNOWN`] is the whole list: reading any other name is a bug (the reader asserts it), and a name in
//! the inventory that is neither here nor in [`super::without_effect`] is reported.

/// What a variable speaks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole cluster: all hosts must agree.
    Cluster,
    /// One host.
    Host,
}

use Scope::{Cluster, Host};

/// Every variable by name, with what it sets.
#[rustfmt::skip]
pub const KNOWN: &[(&str, Scope, &str)] = &[
    // Cluster
    ("cluster_name", Cluster, "name of the cluster, and its DNS domain"),
    ("kube_version", Cluster, "Kubernetes version"),
    ("kinstall_provider", Cluster, "who makes the machines: virtualbox, qemu, container or existing"),
    ("node_domain", Cluster, "domain that completes node names in /etc/hosts"),
    ("preload_images", Cluster, "further images of the bundle to put on every node"),
    // API server
    ("kube_apiserver_port", Cluster, "port that the API server listens on"),
    ("loadbalancer_apiserver", Cluster, "address and port of the load balancer of the API servers"),
    ("apiserver_loadbalancer_domain_name", Cluster, "name of that load balancer"),
    ("loadbalancer_apiserver_localhost", Cluster, "whether every node has a proxy to the API servers"),
    ("loadbalancer_apiserver_port", Cluster, "port of that proxy; 7443 where it is the API server's own"),
    ("loadbalancer_apiserver_healthcheck_port", Cluster, "port where that proxy answers GET /healthz"),
    ("kube_apiserver_node_port_range", Cluster, "ports of Services of type NodePort"),
    ("kube_api_anonymous_auth", Cluster, "false: only health is told without a login"),
    ("kube_profiling", Cluster, "whether the control plane's programs can be profiled"),
    ("event_ttl_duration", Cluster, "how long events are kept"),
    ("tls_min_version", Cluster, "oldest TLS version of the API server and the kubelets"),
    ("supplementary_addresses_in_ssl_keys", Cluster, "more names in the API server's certificate"),
    // Network
    ("kube_network_plugin", Cluster, "pod network; kinstall has flannel"),
    ("kube_pods_subnet", Cluster, "pod network"),
    ("kube_service_addresses", Cluster, "service network"),
    ("kube_network_node_prefix", Cluster, "prefix length of one node's pods"),
    ("kube_proxy_mode", Cluster, "nftables or iptables"),
    ("kube_proxy_strict_arp", Cluster, "only of effect in ipvs mode"),
    ("container_manager", Cluster, "container runtime; kinstall has containerd"),
    // Nodes
    ("kubelet_max_pods", Host, "pods of a node"),
    ("kubelet_pod_pids_limit", Host, "processes of a pod"),
    ("kubelet_fail_swap_on", Host, "false: nodes keep their swap"),
    ("populate_inventory_to_hosts_file", Cluster, "names of all nodes in /etc/hosts of each"),
    // DNS
    ("dns_domain", Cluster, "domain of services"),
    ("enable_nodelocaldns", Cluster, "DNS cache on every node"),
    ("nodelocaldns_ip", Cluster, "address of that cache"),
    ("upstream_dns_servers", Cluster, "where other names are looked up"),
    // Add-ons
    ("metrics_server_enabled", Cluster, "metrics-server"),
    ("metallb_enabled", Cluster, "MetalLB"),
    ("metallb_ip_range", Cluster, "MetalLB's addresses, as of kubespray 2.13-2.22"),
    ("metallb_protocol", Cluster, "layer2"),
    ("metallb_pool_name", Cluster, "name of the pool of metallb_ip_range"),
    ("metallb_auto_assign", Cluster, "false: only Services that ask for that pool get its addresses"),
    ("metallb_config", Cluster, "MetalLB's pools, as of kubespray 2.23"),
    ("metallb_additional_address_pools", Cluster, "more pools, as of kubespray 2.15-2.22"),
    ("ingress_nginx_enabled", Cluster, "ingress controller"),
    ("ingress_enabled", Cluster, "ingress controller, kinstall's own name"),
    ("ingress_nginx_without_class", Cluster, "whether objects without a class are served"),
    ("ingress_nginx_class", Cluster, "class that ingress objects ask for"),
    // Hosts
    ("ip", Host, "address of the node"),
    ("access_ip", Host, "address of the node as others see it"),
    ("node_labels", Host, "labels"),
    ("node_taints", Host, "taints, key=value:effect"),
    ("machine_cpus", Host, "processors of a machine that kinstall makes"),
    ("machine_memory", Host, "its memory: MiB, or with a unit"),
    ("machine_disk", Host, "its disk: GiB, or with a unit"),
    ("machine_image", Host, "its image: a name of the catalog, a box name, a path or a URL"),
    ("machine_extra_disks", Host, "sizes of further disks"),
    ("machine_networks", Host, "its addresses in further networks, with prefix"),
    ("machine_forwarded_ports", Host, "HOST:GUEST, ports of loopback that lead to it"),
    ("machine_shared_folders", Host, "HOST:GUEST, folders of this computer that it mounts"),
    ("machine_time_zone", Cluster, "time zone of machines that kinstall makes"),
    ("machine_proxy", Cluster, "HTTP proxy for their package manager"),
    ("machine_package_mirror", Cluster, "mirror for their package manager"),
    // The same by other tools' names
    ("vm_cpus", Host, "other name of machine_cpus"),
    ("vm_cpu", Host, "other name of machine_cpus"),
    ("vm_vcpus", Host, "other name of machine_cpus"),
    ("vm_cores", Host, "other name of machine_cpus"),
    ("cpus", Host, "other name of machine_cpus"),
    ("vm_memory", Host, "other name of machine_memory"),
    ("vm_memory_mb", Host, "other name of machine_memory"),
    ("vm_mem", Host, "other name of machine_memory"),
    ("vm_ram", Host, "other name of machine_memory"),
    ("memory", Host, "other name of machine_memory"),
    ("vm_disk_size", Host, "other name of machine_disk"),
    ("vm_disk", Host, "other name of machine_disk"),
    ("vm_disk_gb", Host, "other name of machine_disk"),
    ("vagrant_box", Host, "other name of machine_image"),
    ("vm_box", Host, "other name of machine_image"),
    ("ntp_timezone", Cluster, "kubespray's name of machine_time_zone"),
    ("timezone", Cluster, "other name of machine_time_zone"),
    ("http_proxy", Cluster, "kubespray's name of machine_proxy"),
    ("https_proxy", Cluster, "the same"),
    // Connection
    ("ansible_host", Host, "where to connect to"),
    ("ansible_ssh_host", Host, "old name of ansible_host"),
    ("ansible_port", Host, "SSH port"),
    ("ansible_ssh_port", Host, "old name of ansible_port"),
    ("ansible_user", Host, "login name"),
    ("ansible_ssh_user", Host, "old name of ansible_user"),
    ("ansible_password", Host, "login password"),
    ("ansible_ssh_password", Host, "old name of ansible_password"),
    ("ansible_ssh_pass", Host, "old name of ansible_password"),
    ("ansible_ssh_private_key_file", Host, "login key"),
    ("ansible_private_key_file", Host, "other name of ansible_ssh_private_key_file"),
    ("ansible_ssh_common_args", Host, "OpenSSH options; jump hosts are understood"),
    ("ansible_ssh_extra_args", Host, "more OpenSSH options"),
    ("ansible_connection", Host, "ssh"),
    ("ansible_become", Host, "whether the login user becomes root"),
    ("ansible_become_user", Host, "root"),
    ("ansible_become_method", Host, "sudo"),
    ("ansible_become_password", Host, "sudo password"),
    ("ansible_become_pass", Host, "old name of ansible_become_password"),
    ("ansible_sudo_pass", Host, "old name of ansible_become_password"),
];

/// Tells whether kinstall uses a variable.
pub fn is_known(name: &str) -> bool {
    KNOWN.iter().any(|(known, ..)| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_once() {
        for (index, (name, ..)) in KNOWN.iter().enumerate() {
            assert!(
                !KNOWN[..index].iter().any(|(other, ..)| other == name),
                "{name}"
            );
        }
    }
}
