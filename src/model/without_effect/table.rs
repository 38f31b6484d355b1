//! The variables, by the reason why they have no effect.

/// Variables that have no effect for one reason.
pub struct Topic {
    /// The reason, as the end of "has no effect: …".
    pub reason: &'static str,
    /// Names; a `*` stands for anything.
    pub names: &'static [&'static str],
}

/// Names that only steer how Ansible and kubespray work; no value of theirs is a wish about the cluster.
#[rustfmt::skip]
pub(super) const TOOLING: &[&str] = &[
    "ansible_python_interpreter",
    "ansible_group_priority",
    "ansible_*pipelining",
    "ansible_*timeout",
    "ansible_ssh_executable",
    "ansible_ssh_retries",
    "ansible_ssh_transfer_method",
    "ansible_become_exe",
    "ansible_become_flags",
    "ansible_shell_*",
    "ansible_*host_key_checking",
    "ansible_distribution*",
    "retry_stagger",
    "local_release_dir",
    "credentials_dir",
    "unsafe_show_logs",
    "ignore_assert_errors",
    "download_*",
    "skip_downloads",
    "bootstrap_os",
    "kube_script_dir",
    "kube_users_dir",
    "kube_token_dir",
    "kube_cert_group",
    "kube_owner",
    "docker_rpm_keepcache",
    "kubeconfig_localhost*",
    "kubectl_localhost",
    "artifacts_dir",
    "ping_access_ip",
    "allow_unsupported_distribution_setup",
    "skip_package_cache_update",
    "kubespray_branch",
    "kubeadm_enabled",
    "etcd_member_name",
    "docker_bin_dir",
    "dns_setup",
    "kubeadm_certificate_key",
    "kube_api_pwd",
    "kube_users",
    "system_namespace",
];

/// All other names, the first match wins.
#[rustfmt::skip]
pub(super) const TOPICS: &[Topic] = &[
    Topic {
        reason: "kinstall installs flannel with its own settings",
        names: &[
            "calico_*", "calicoctl_*", "typha_*", "cilium_*", "ciliumcli_*", "kube_ovn_*",
            "kube_router_*", "weave_*", "macvlan_*", "flannel_*", "multus_*", "custom_cni_*",
            "peer_with_router", "nat_outgoing*", "global_as_num", "local_as",
            "enable_network_policy", "kube_network_plugin_multus", "enable_nat_default_gateway",
            "canal_*", "contiv_*", "romana_*",
        ],
    },
    Topic {
        reason: "clusters have one address family",
        names: &[
            "*_ipv6", "enable_dual_stack_networks", "ipv4_stack", "ipv6_stack",
        ],
    },
    Topic {
        reason: "kinstall doesn't install this add-on",
        names: &[
            "helm_*", "krew_*", "registry_*", "cert_manager_*", "argocd_*", "dashboard_*",
            "local_path_provisioner_*", "local_volume_provisioner_*", "cephfs_provisioner_*",
            "rbd_provisioner_*", "*_csi_*", "*csi_snapshot*", "snapshot_controller_*",
            "ingress_alb_*", "alb_ingress_*", "ingress_ambassador_*", "kube_vip_*",
            "node_feature_discovery_*", "gateway_api_*", "prometheus_operator_*", "k8s_metrics_*",
            "efk_*", "persistent_volumes_enabled", "scheduler_plugins_*", "storage_classes",
            "deploy_netchecker", "netcheck*", "istio_*", "monitoring_*",
            "volume_cross_zone_attachment", "expand_persistent_volumes",
        ],
    },
    Topic {
        reason: "Contour serves Ingress objects, with its own settings",
        names: &["ingress_nginx_*", "ingress_publish_status_address"],
    },
    Topic {
        reason: "kinstall installs the add-on with its own settings",
        names: &["metallb_*", "metrics_server_*"],
    },
    Topic {
        reason: "programs and images come from kinstall's bundle",
        names: &[
            "docker_*", "containerd_*", "crio_*", "cri_*", "*_image_repo", "*_image_tag",
            "*_download_url", "*_version", "*_checksum", "*_binary_checksums", "files_repo",
            "registry_host", "kube_image_repo", "k8s_image_pull_policy", "github_url",
            "dl_k8s_io_url", "storage_googleapis_url", "get_helm_url", "yum_repo", "debian_repo",
            "ubuntu_repo", "deploy_container_engine", "kata_*", "gvisor_*", "crun_*", "youki_*",
            "runc_*", "rkt_*", "nerdctl_*", "https_proxy_cert_file", "no_proxy*",
            "additional_no_proxy*", "skip_http_proxy*", "bin_dir",
        ],
    },
    Topic {
        reason: "kubeadm sets up the control plane with its own settings",
        names: &[
            "kube_api_*", "kube_apiserver_*", "kube_oidc_*", "kube_webhook_*", "kube_token_auth",
            "kube_basic_auth", "kube_users", "kube_encrypt_*", "kubernetes_audit*", "audit_*",
            "authorization_modes", "kube_authorization_modes", "kube_feature_gates",
            "podsecuritypolicy_*", "kube_pod_security_*", "tls_*", "auto_renew_certificates*",
            "event_ttl_duration", "kube_controller_*", "kube_scheduler_*", "kubeadm_*",
            "remove_anonymous_access", "kube_config_dir", "kube_cert_dir", "kube_manifest_dir",
            "kube_log_dir", "kube_log_level", "cert_management", "vault_*", "kube_profiling",
        ],
    },
    Topic {
        reason: "etcd runs on the control planes with kubeadm's settings",
        names: &["etcd_*", "kube_etcd_*"],
    },
    Topic {
        reason: "nodes reach the API at one endpoint",
        names: &["loadbalancer_apiserver_*", "nginx_kube_*", "haproxy_*"],
    },
    Topic {
        reason: "kube-proxy runs in nftables mode with its own settings",
        names: &["kube_proxy_*"],
    },
    Topic {
        reason: "cluster DNS has its own settings, and resolvers of the nodes are left alone",
        names: &[
            "dns_*", "ndots", "resolvconf_mode", "skydns_*", "coredns_*", "enable_coredns_*",
            "nodelocaldns_*", "enable_nodelocaldns_*", "dnsmasq_*", "searchdomains", "nameservers",
            "remove_default_searchdomains", "disable_host_nameservers", "manual_dns_server",
            "kubedns_*", "enable_dns_autoscaler", "dnsautoscaler_*",
        ],
    },
    Topic {
        reason: "kinstall leaves these parts of a node alone",
        names: &[
            "kubelet_*", "default_kubelet_config_dir", "dynamic_kubelet_*", "kube_reserved*",
            "system_reserved*", "kube_*_reserved", "system_*_reserved", "eviction_*",
            "kube_read_only_port", "ntp_*", "sysctl_*", "additional_sysctl", "rh_subscription_*",
            "rhel_*", "coreos_*", "nvidia_*", "node_*", "kube_override_hostname",
            "populate_inventory_to_hosts_file", "pam_limits", "disable_ipv6_dns",
            "preinstall_selinux_state", "system_upgrade*", "upgrade_cluster_setup", "drain_*",
            "serial",
        ],
    },
    Topic {
        reason: "kinstall has no cloud providers",
        names: &[
            "cloud_provider", "external_*", "aws_*", "azure_*", "openstack_*", "vsphere_*",
            "oci_*", "gcp_*", "hcloud_*", "upcloud_*", "huaweicloud_*", "cinder_*",
        ],
    },
];

/// Values of kubespray's sample files, of all its ages, that aren't simply off.
#[rustfmt::skip]
pub(super) const SAMPLE: &[(&str, &[&str])] = &[
    ("bin_dir", &["/usr/local/bin"]),
    ("calico_cni_name", &["k8s-pod-network"]),
    ("calico_pool_blocksize", &["26"]),
    ("cert_management", &["script"]),
    ("coredns_k8s_external_zone", &["k8s_external.local"]),
    ("default_kubelet_config_dir", &["{{ kube_config_dir }}/dynamic_kubelet_dir"]),
    ("dns_mode", &["coredns", "kubedns", "dnsmasq_kubedns", "coredns_dual"]),
    ("docker_daemon_graph", &["/var/lib/docker"]),
    ("docker_iptables_enabled", &["false"]),
    ("docker_log_opts", &["--log-opt max-size=50m --log-opt max-file=5"]),
    ("dynamic_kubelet_configuration_dir", &["{{ kubelet_config_dir | default(default_kubelet_config_dir) }}"]),
    ("enable_nat_default_gateway", &["true"]),
    ("etcd_data_dir", &["/var/lib/etcd"]),
    ("etcd_deployment_type", &["host", "docker"]),
    ("etcd_multiaccess", &["true"]),
    ("event_ttl_duration", &["1h0m0s"]),
    ("helm_deployment_type", &["host"]),
    ("k8s_image_pull_policy", &["IfNotPresent"]),
    ("kube_api_anonymous_auth", &["true"]),
    ("kube_apiserver_insecure_port", &["0", "8080"]),
    ("kube_cert_dir", &["{{ kube_config_dir }}/ssl"]),
    ("kube_config_dir", &["/etc/kubernetes"]),
    ("kube_image_repo", &["gcr.io/google-containers", "k8s.gcr.io", "{{ gcr_image_repo }}/google-containers"]),
    ("kube_log_dir", &["/var/log/kubernetes"]),
    ("kube_log_level", &["2"]),
    ("kube_manifest_dir", &["{{ kube_config_dir }}/manifests"]),
    ("kube_network_node_prefix_ipv6", &["120"]),
    ("kube_pods_subnet_ipv6", &["fd85:ee78:d8a6:8607::1:0000/112"]),
    ("kube_service_addresses_ipv6", &["fd85:ee78:d8a6:8607::1000/116"]),
    ("kubeadm_patches_dir", &["{{ kube_config_dir }}/patches"]),
    ("kubelet_deployment_type", &["host", "docker"]),
    ("loadbalancer_apiserver_healthcheck_port", &["8081"]),
    ("loadbalancer_apiserver_localhost", &["true"]),
    ("loadbalancer_apiserver_port", &["6443"]),
    ("macvlan_interface", &["eth1"]),
    ("metallb_namespace", &["metallb-system"]),
    ("metallb_speaker_enabled", &["true", "{{ metallb_enabled }}"]),
    ("metrics_server_kubelet_insecure_tls", &["true"]),
    ("ndots", &["2", "5"]),
    ("nginx_kube_apiserver_healthcheck_port", &["8081"]),
    ("nginx_kube_apiserver_port", &["6443"]),
    ("nodelocaldns_health_port", &["9254"]),
    ("nodelocaldns_second_health_port", &["9256"]),
    ("nodelocaldns_secondary_skew_seconds", &["5"]),
    ("resolvconf_mode", &["host_resolvconf", "docker_dns"]),
    ("rkt_version", &["1.21.0"]),
    ("vault_deployment_type", &["docker"]),
];

/// Sample values that are computed: whatever they say, they follow from other variables.
#[rustfmt::skip]
pub(super) const COMPUTED: &[&str] = &[
    "dns_server",
    "dnsmasq_dns_server",
    "docker_options",
    "kube_apiserver_ip",
    "skydns_server",
    "skydns_server_secondary",
    "kube_proxy_nodeport_addresses",
];

/// Beginnings of variables that speak to one network plugin.
pub(super) const PLUGINS: &[(&str, &str)] = &[
    ("calico", "calico"),
    ("cilium", "cilium"),
    ("flannel_", "flannel"),
    ("kube_ovn_", "kube-ovn"),
    ("kube_router_", "kube-router"),
    ("macvlan_", "macvlan"),
    ("typha_", "calico"),
    ("weave_", "weave"),
];
