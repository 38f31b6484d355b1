//! The variables, by the reason why they have no effect.

use crate::diagnostic::Concern::{self, NoEffect, Outcome, Security};

/// Variables that have no effect for one reason.
pub struct Topic {
    /// How much that matters to the user.
    pub concern: Concern,
    /// The reason, as the end of "has no effect: …".
    pub reason: &'static str,
    /// Names; a `*` stands for anything. One that begins with a `*` only means names of kubespray.
    pub names: &'static [&'static str],
}

const FROM_THE_BUNDLE: &str = "programs and images come from kinstall's bundle";

/// Names that only steer how Ansible and kubespray work, or that kinstall meets whatever they say; no value
/// of theirs is a wish about the cluster that isn't fulfilled.
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
    "any_errors_fatal",
    "retry_stagger",
    "local_release_dir",
    "credentials_dir",
    "unsafe_show_logs",
    "ignore_assert_errors",
    "download_*",
    "skip_downloads",
    "skip_kubeadm_images",
    "skip_non_kubeadm_warning",
    "bootstrap_os",
    "kube_script_dir",
    "kube_users_dir",
    "kube_token_dir",
    "kube_cert_group",
    "kube_cert_compat_dir",
    "kube_owner",
    "docker_rpm_keepcache",
    "containerd_rpm_keepcache",
    "kubeconfig_localhost*",
    "kubectl_localhost",
    "artifacts_dir",
    "ping_access_ip",
    "allow_unsupported_distribution_setup",
    "skip_package_cache_update",
    "kubespray_branch",
    "kubeadm_enabled",
    "kubeadm_config_validate_enabled",
    "kubeadm_refresh_token",
    "kubeadm_image_pull_serial",
    "kubeadm_scale_down_coredns_enabled",
    "kubeadm_init_timeout",
    "discovery_timeout",
    "deploy_container_engine",
    "kubelet_fail_cgroup_v1",
    "enable_network_policy",
    "containerd_use_systemd_cgroup",
    "kubelet_cgroup_driver",
    "etcd_member_name",
    "etcd_cluster_setup",
    "etcd_retries",
    "docker_bin_dir",
    "dns_setup",
    "kubeadm_certificate_key",
    "kube_api_pwd",
    "kube_users",
    "system_namespace",
    "server_side_apply",
    "delete_node_*",
    "control_plane_*_retries",
    "control_plane_*_tries",
    "leave_etc_backup_files",
    "disable_fapolicyd",
    "minimal_*_memory_mb",
    "pkg_install_*",
    "pip_extra_args",
    "supported_os_distributions",
    "flush_iptables",
    "reset_restart_network*",
    "rhel_enable_repos",
    "use_oracle_public_repo",
    "epel_enabled",
    "centos_epel_enabled",
    "centos_fastestmirror_enabled",
    "openeuler_metalink_enabled",
];

/// kubespray has these for each part, and not the same in every version.
pub(super) const DOWNLOADS: &[&str] = &[
    "*_image_repo",
    "*_image_tag",
    "*_download_url",
    "*_checksum",
    "*_checksums",
];

/// Patterns that begin with a word which people use for variables of their own: they mean kubespray's names only.
#[rustfmt::skip]
pub(super) const GENERAL: &[&str] = &[
    "vault_*", "external_*", "aws_*", "azure_*", "gcp_*", "oci_*", "openstack_*", "vsphere_*", "hcloud_*",
    "registry_*", "monitoring_*", "snapshot_*", "dashboard_*", "elasticsearch_*", "kibana_*", "helm_*", "dns_*",
    "nginx_*", "haproxy_*", "audit_*", "tls_*", "certificates_*", "docker_*", "upgrade_*", "drain_*", "sysctl_*", "ntp_*",
];

/// All other names. A whole name wins over patterns, then the first match.
#[rustfmt::skip]
pub(super) const TOPICS: &[Topic] = &[
    Topic {
        concern: NoEffect,
        reason: FROM_THE_BUNDLE,
        names: DOWNLOADS,
    },
    Topic {
        concern: Security,
        reason: "kinstall makes the key that Secrets are encrypted with",
        names: &["kube_encrypt_token", "secrets_encryption_query"],
    },
    Topic {
        concern: Security,
        reason: "the audit log goes to /var/log/kubernetes/audit.log on the control planes, by kinstall's policy",
        names: &["kubernetes_audit*", "audit_*"],
    },
    Topic {
        concern: Security,
        reason: "the API server knows users by certificates and tokens of service accounts alone",
        names: &[
            "kube_oidc_*", "kube_webhook_token_*", "kube_token_auth", "kube_basic_auth",
            "kube_apiserver_*authentication_config*", "kube_apiserver_service_account_lookup",
            "remove_anonymous_access", "kubeadm_use_file_discovery",
        ],
    },
    Topic {
        concern: Security,
        reason: "the API server authorises by Node and RBAC",
        names: &[
            "authorization_modes", "kube_authorization_modes", "kube_webhook_auth*",
            "kube_apiserver_*authorization_config*", "rbac_enabled",
        ],
    },
    Topic {
        concern: Security,
        reason: "the API server has Kubernetes' usual admission plugins, without settings of their own",
        names: &[
            "kube_apiserver_enable_admission_plugins", "kube_apiserver_disable_admission_plugins",
            "kube_apiserver_admission_*", "kube_pod_security_*", "podsecuritypolicy_*",
            "kube_resource_quota_limited_resources",
        ],
    },
    Topic {
        concern: Security,
        reason: "kinstall makes keys and certificates itself, with its own settings",
        names: &[
            "tls_*", "kube_asymmetric_encryption_algorithm", "kube_*cert_validity_period",
            "kube_external_ca_mode", "cert_management", "vault_*", "force_certificate_regeneration",
            "kubeadm_upgrade_auto_cert_renewal", "certificates_*",
            "kube_vault_*", "etcd_vault_*", "force_etcd_cert_refresh",
        ],
    },
    Topic {
        concern: Security,
        reason: "the kubelet asks the API server who may use it, and keeps to kubeadm's settings",
        names: &[
            "kubelet_authentication_*", "kubelet_authorization_*", "kubelet_rotate_*",
            "kubelet_csr_approver_*", "kube_read_only_port", "kubelet_protect_kernel_defaults",
            "kubelet_secure_addresses", "kubelet_systemd_hardening", "kubelet_seccomp_default",
            "kubelet_streaming_connection_idle_timeout", "kube_cadvisor_port",
        ],
    },
    Topic {
        concern: Security,
        reason: "etcd always wants certificates of its clients and members",
        names: &["etcd_peer_client_auth", "etcd_secure_client", "etcd_tls_*"],
    },
    Topic {
        concern: Security,
        reason: "what pods send between nodes isn't encrypted",
        names: &[
            "calico_wireguard_*", "cilium_encryption_*", "cilium_ipsec_*", "cilium_wireguard_*",
            "weave_password",
        ],
    },
    Topic {
        concern: Security,
        reason: "kinstall leaves firewall and SELinux as they are",
        names: &["preinstall_selinux_state", "disable_service_firewall"],
    },
    Topic {
        concern: Outcome,
        reason: "pods have one network, and are hidden behind their node outside of it",
        names: &["kube_network_plugin_multus", "multus_*", "nat_outgoing*"],
    },
    Topic {
        concern: NoEffect,
        reason: "kinstall installs flannel and cilium with its own settings",
        names: &[
            "calico_*", "calicoctl_*", "typha_*", "cilium_*", "ciliumcli_*", "kube_ovn_*",
            "kube_router_*", "weave_*", "macvlan_*", "flannel_*", "custom_cni_*", "calcio_*",
            "peer_with_*", "global_as_num", "local_as", "enable_nat_default_gateway",
            "canal_*", "contiv_*", "romana_*", "ovn4nfv_*", "ovn_*", "nfn_*", "cni_bin_owner",
            "conntrack_modules", "kube_node_addresses", "upgrade_post_cilium_*",
        ],
    },
    Topic {
        concern: Outcome,
        reason: "clusters have one address family",
        names: &[
            "*_ipv6", "enable_dual_stack_networks", "ipv4_stack", "ipv6_stack",
        ],
    },
    Topic {
        concern: Outcome,
        reason: "kinstall has no kube-vip; name your own load balancer by `loadbalancer_apiserver`",
        names: &["kube_vip_*"],
    },
    Topic {
        concern: Outcome,
        reason: "kinstall has no such add-on",
        names: &[
            "helm_*", "tiller_*", "krew_*", "argocd_*", "dashboard_*",
            "local_volume_provisioner_*", "local_volumes_enabled",
            "cephfs_provisioner_*", "rbd_provisioner_*", "*_csi_*", "csi_*", "*csi_snapshot*",
            "snapshot_*", "ingress_alb_*", "alb_ingress_*", "ingress_ambassador_*",
            "node_feature_discovery_*", "gateway_api_*", "prometheus_operator_*", "k8s_metrics_*",
            "efk_*", "elasticsearch_*", "fluentd_*", "kibana_*", "persistent_volumes_enabled",
            "scheduler_plugins_*", "storage_classes", "storage_account_type",
            "deploy_netchecker", "netcheck*", "agent_report_interval", "istio_*", "monitoring_*",
            "volume_cross_zone_attachment", "expand_persistent_volumes",
            "restrict_az_provisioning", "gluster*", "heketi_*", "metacontroller_*",
            "kube_hostpath_dynamic_provisioner",
        ],
    },
    Topic {
        concern: Outcome,
        reason: "Traefik serves Ingress objects, with its own settings",
        names: &["ingress_nginx_*", "ingress_publish_status_address"],
    },
    Topic {
        concern: Outcome,
        reason: "where MetalLB is installed, its speakers run on every node",
        names: &["metallb_speaker_enabled", "metallb_speaker_nodeselector", "metallb_speaker_tolerations"],
    },
    Topic {
        concern: Outcome,
        reason: "the registry is for the cluster's own network: it has no accounts, no TLS and no name outside",
        names: &[
            "registry_htpasswd", "registry_tls_secret", "registry_config", "registry_ingress_*",
            "registry_service_cluster_ip", "registry_service_loadbalancer_ip",
            "registry_service_nodeport",
        ],
    },
    Topic {
        concern: Outcome,
        reason: "cert-manager trusts the public authorities only, and uses no proxy",
        names: &["cert_manager_trusted_internal_ca", "cert_manager_http*_proxy"],
    },
    Topic {
        concern: NoEffect,
        reason: "kinstall installs the add-on with its own settings",
        names: &["metallb_*", "matallb_*", "metrics_server_*", "addon_resizer_*", "local_path_provisioner_*", "registry_*", "cert_manager_*"],
    },
    Topic {
        concern: Outcome,
        reason: "kinstall sets up registries and their mirrors from the variables of containerd and Docker",
        names: &[
            "containerd_registries*", "containerd_registry_*", "crio_insecure_registries",
            "crio_registries*", "crio_registry_*",
        ],
    },
    Topic {
        concern: Outcome,
        reason: "containerd has the proxy of `http_proxy` and `https_proxy`, and nothing else on a node has",
        names: &["skip_http_proxy*", "https_proxy_cert_file", "proxy_env*", "proxy_disable_env"],
    },
    Topic {
        concern: Outcome,
        reason: "containerd with runc runs all containers",
        names: &[
            "kata_*", "gvisor_*", "crun_*", "youki_*", "runc_enabled", "rkt_*", "enable_cdi",
            "nri_enabled", "use_docker_engine", "nvidia_*",
        ],
    },
    Topic {
        concern: NoEffect,
        reason: FROM_THE_BUNDLE,
        names: &[
            "docker_*", "containerd_*", "crio_*", "crictl_*", "cri_*", "*_version",
            "*_supported_versions", "files_repo",
            "registry_host", "kube_image_repo", "k8s_image_pull_policy", "github_url",
            "github_image_repo", "dl_k8s_io_url", "storage_googleapis_url", "get_helm_url",
            "yum_repo*", "debian_repo", "ubuntu_repo", "runc_*", "nerdctl_*", "skopeo_*",
            "bin_dir", "pyrepo_*", "image_*_command*", "container_manager_on_localhost",
            "dockerproject_*", "extras_rh_*", "manage_docker", "overwrite_hyperkube_cni",
            "pod_infra_*", "yq_*", "podman_*",
        ],
    },
    Topic {
        concern: Outcome,
        reason: "kubeadm sets up the control plane with its own settings",
        names: &[
            "kube_api_*", "kube_apiserver_*", "kube_feature_gates", "*_feature_gates",
            "feature_gate_*", "event_ttl_duration", "kube_controller_*", "kube_scheduler_*",
            "kubeadm_*", "kube_kubeadm_*", "apiserver_custom_flags", "controller_mgr_custom_flags",
            "scheduler_custom_flags", "apiserver_extra_volumes", "controller_manager_extra_volumes",
            "scheduler_extra_volumes", "kube_config_dir", "kube_cert_dir", "kube_manifest_dir",
            "kube_log_dir", "kube_log_level", "kubectl_alias", "kube_front_proxy_ca",
            "use_localhost_as_kubeapi_loadbalancer", "kubernetes_user_manifests_path",
        ],
    },
    Topic {
        concern: Outcome,
        reason: "etcd runs with kubeadm's settings",
        names: &["etcd_*", "kube_etcd_*", "force_etcd3"],
    },
    Topic {
        concern: Outcome,
        reason: "kinstall's own proxy leads nodes to the API servers",
        names: &["loadbalancer_apiserver_*", "nginx_*", "haproxy_*", "populate_loadbalancer_*"],
    },
    Topic {
        concern: Outcome,
        reason: "kube-proxy runs with its own settings",
        names: &["kube_proxy_*"],
    },
    Topic {
        concern: Outcome,
        reason: "cluster DNS has its own settings, and resolvers of the nodes are left alone",
        names: &[
            "dns_*", "ndots", "resolvconf_mode", "skydns_*", "coredns_*", "enable_coredns_*",
            "nodelocaldns*", "enable_nodelocaldns_*", "dnsmasq_*", "searchdomains", "nameservers",
            "remove_default_searchdomains", "disable_host_nameservers", "manual_dns_server",
            "kubedns_*", "enable_dns_autoscaler", "dnsautoscaler_*", "deploy_coredns",
            "cloud_resolver", "old_dns_domains", "kube_dns_servers", "kube_resolv_conf",
            "systemd_resolved_*", "resolveconf_*", "disable_ipv6_dns",
        ],
    },
    Topic {
        concern: Outcome,
        reason: "kinstall leaves these parts of a node alone",
        names: &[
            "kubelet_*", "default_kubelet_config_dir", "dynamic_kubelet_*", "kube_reserved*",
            "system_reserved*", "kube_*_reserved", "system_*_reserved", "eviction_*",
            "kube_service_cgroups", "ntp_*", "sysctl_*", "additional_sysctl", "rh_subscription_*",
            "rhel_*", "coreos_*", "kube_override_hostname", "override_system_hostname",
            "populate_localhost_*", "pam_limits", "disable_swap", "kernel_upgrade",
            "ubuntu_kernel_*", "ubuntu_stop_*",
        ],
    },
    Topic {
        concern: Outcome,
        reason: "kinstall takes nodes out of service and upgrades them by its own rules",
        names: &[
            "upgrade_*", "drain_*", "serial", "system_upgrade*", "pre_upgrade_*",
            "post_upgrade_*", "allow_ungraceful_removal",
        ],
    },
    Topic {
        concern: Outcome,
        reason: "kinstall has no cloud providers",
        names: &[
            "cloud_provider", "external_*", "aws_*", "azure_*", "openstack_*", "vsphere_*",
            "oci_*", "gcp_*", "hcloud_*", "upcloud_*", "huaweicloud_*", "cinder_*", "growpart_*",
        ],
    },
];

/// What is to be said of kubespray's other variables.
pub(super) const OTHERS: Topic = Topic {
    concern: NoEffect,
    reason: "kinstall has no such setting",
    names: &[],
};

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
