//! The variables that kinstall understands.
//!
//! [`KNOWN`] and the definitions of add-ons ([`addon::variables`]) are the whole list: reading any other name is a
//! bug (the reader asserts it), and a name in the inventory that is neither here nor in [`super::without_effect`] is
//! reported.

use crate::addon;

/// Every variable by name, but for those of add-ons; what each means stands in `docs/inventory.md`.
pub const KNOWN: &[&str] = &[
    // Cluster
    "cluster_name",
    "kube_version",
    "kinstall_provider",
    "kinstall_egress",
    "node_domain",
    "preload_images",
    "kinstall_manifests",
    // API server
    "kube_apiserver_port",
    "loadbalancer_apiserver",
    "apiserver_loadbalancer_domain_name",
    "loadbalancer_apiserver_localhost",
    "loadbalancer_apiserver_port",
    "loadbalancer_apiserver_healthcheck_port",
    "kube_apiserver_node_port_range",
    "kube_api_anonymous_auth",
    "kube_profiling",
    "kubernetes_audit",
    "audit_log_maxage",
    "audit_log_maxbackups",
    "audit_log_maxsize",
    "auto_renew_certificates",
    "auto_renew_certificates_systemd_calendar",
    "etcd_data_dir",
    "kinstall_etcd_backup",
    "kinstall_etcd_backup_schedule",
    "kinstall_etcd_backup_count",
    "kube_encrypt_secret_data",
    "kube_encryption_algorithm",
    "kube_encryption_resources",
    "event_ttl_duration",
    "tls_min_version",
    "supplementary_addresses_in_ssl_keys",
    // Registries, and the proxy to them
    "containerd_registries_mirrors",
    "containerd_registries",
    "containerd_insecure_registries",
    "containerd_registry_auth",
    "docker_registry_mirrors",
    "docker_insecure_registries",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "additional_no_proxy",
    "additional_no_proxy_list",
    "no_proxy_exclude_workers",
    // Network
    "kube_network_plugin",
    "kube_pods_subnet",
    "kube_service_addresses",
    "kube_network_node_prefix",
    "kube_proxy_mode",
    "kube_proxy_strict_arp",
    "container_manager",
    // Nodes
    "kubelet_max_pods",
    "kubelet_pod_pids_limit",
    "kubelet_fail_swap_on",
    "populate_inventory_to_hosts_file",
    // DNS
    "dns_domain",
    "enable_nodelocaldns",
    "nodelocaldns_ip",
    "upstream_dns_servers",
    // Add-ons
    "metallb_enabled",
    "metallb_ip_range",
    "metallb_protocol",
    "metallb_pool_name",
    "metallb_auto_assign",
    "metallb_config",
    "metallb_additional_address_pools",
    "ingress_nginx_enabled",
    "ingress_enabled",
    "ingress_nginx_without_class",
    "ingress_nginx_class",
    "kinstall_ingress_domains",
    // Hosts
    "ip",
    "access_ip",
    "node_labels",
    "node_taints",
    "machine_cpus",
    "machine_memory",
    "machine_disk",
    "machine_image",
    "machine_extra_disks",
    "machine_networks",
    "machine_forwarded_ports",
    "machine_shared_folders",
    "machine_time_zone",
    "machine_proxy",
    "machine_package_mirror",
    // The same by other tools' names
    "vm_cpus",
    "vm_cpu",
    "vm_vcpus",
    "vm_cores",
    "cpus",
    "vm_memory",
    "vm_memory_mb",
    "vm_mem",
    "vm_ram",
    "memory",
    "vm_disk_size",
    "vm_disk",
    "vm_disk_gb",
    "vagrant_box",
    "vm_box",
    "ntp_timezone",
    "timezone",
    // Connection
    "ansible_host",
    "ansible_ssh_host",
    "ansible_port",
    "ansible_ssh_port",
    "ansible_user",
    "ansible_ssh_user",
    "ansible_password",
    "ansible_ssh_password",
    "ansible_ssh_pass",
    "ansible_ssh_private_key_file",
    "ansible_private_key_file",
    "ansible_ssh_common_args",
    "ansible_ssh_extra_args",
    "ansible_connection",
    "ansible_become",
    "ansible_become_user",
    "ansible_become_method",
    "ansible_become_password",
    "ansible_become_pass",
    "ansible_sudo_pass",
];

/// Tells whether kinstall uses a variable.
pub fn is_known(name: &str) -> bool {
    known().any(|it| it == name)
}

/// Returns every variable that kinstall uses.
pub fn known() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().copied().chain(addon::variables())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_once_and_in_the_documentation() {
        let documentation = [
            include_str!("../../docs/inventory.md"),
            include_str!("../../docs/machines.md"),
        ];
        for (index, name) in KNOWN.iter().enumerate() {
            assert!(!KNOWN[..index].contains(name), "{name} twice");
            let written = format!("`{name}`");
            let is_told = documentation.iter().any(|text| text.contains(&written));
            assert!(is_told, "{name} is not in docs/inventory.md");
        }
    }
}
