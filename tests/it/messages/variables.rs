//! Variables that kinstall doesn't follow: each wish is said, with its weight; kubespray's own values are quiet.

use std::fmt::Write as _;

use kinstall::diagnostic::Concern;
use kinstall::model;

use super::{GOOD, with_variables, written};

/// Returns concern and message of each warning about these variables, without that about the plugin.
fn warnings(text: &str) -> Vec<(Concern, String)> {
    let folder = written(&[
        ("inventory.ini", GOOD),
        (
            "group_vars/all.yml",
            &format!("kube_network_plugin: flannel\n{text}"),
        ),
    ]);
    let (_, warnings) = model::load(&folder.path().join("inventory.ini"))
        .unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    warnings
        .into_iter()
        .map(|warning| (warning.concern, warning.message))
        .collect()
}

#[test]
fn a_wish_for_more_or_less_security_is_said_as_such() {
    for line in [
        "kube_encrypt_token: c2VjcmV0",
        "kubernetes_audit_webhook: true",
        "audit_policy_file: /etc/audit.yaml",
        "kube_oidc_auth: true",
        "kube_webhook_token_auth: true",
        "kube_basic_auth: true",
        "kube_token_auth: true",
        "authorization_modes: [Node, RBAC, Webhook]",
        "kube_apiserver_enable_admission_plugins: [AlwaysPullImages]",
        "kube_pod_security_use_default: true",
        "podsecuritypolicy_enabled: true",
        "tls_cipher_suites: [TLS_RSA_WITH_AES_128_CBC_SHA]",
        "kube_external_ca_mode: true",
        "kube_asymmetric_encryption_algorithm: RSA-4096",
        "kube_cert_validity_period: 24h",
        "force_certificate_regeneration: true",
        "cert_management: vault",
        "kube_read_only_port: 10255",
        "kubelet_rotate_server_certificates: true",
        "kubelet_systemd_hardening: true",
        "preinstall_selinux_state: enforcing",
        // Off, where kubespray has it on.
        "kubelet_rotate_certificates: false",
        "kubelet_authentication_token_webhook: false",
        "kubelet_authorization_mode_webhook: false",
        "kubelet_protect_kernel_defaults: false",
        "etcd_peer_client_auth: false",
        "etcd_secure_client: 'no'",
        "kube_apiserver_service_account_lookup: false",
    ] {
        let found = warnings(line);
        let name = line.split(':').next().unwrap();
        assert!(
            matches!(&found[..], [(Concern::Security, message)] if message.contains(&format!("`{name}` has no effect"))),
            "{line}: {found:?}"
        );
    }
}

#[test]
fn encryption_by_another_network_plugin_is_a_wish_where_that_plugin_is_one() {
    for (plugin, line, is_said) in [
        ("cilium", "cilium_encryption_enabled: true", true),
        ("cilium", "calico_wireguard_enabled: true", false),
        ("calico", "calico_wireguard_enabled: true", true),
        ("weave", "weave_password: geheim", true),
    ] {
        let text = format!("kube_network_plugin: {plugin}\n{line}\n");
        let said = with_variables(&text).contains("what pods send between nodes isn't encrypted");
        assert_eq!(said, is_said, "{text}");
    }
}

#[test]
fn a_wish_that_changes_what_the_user_gets_is_said() {
    for line in [
        "argocd_enabled: true",
        "dashboard_enabled: true",
        "local_volumes_enabled: true",
        "kube_vip_enabled: true",
        "kube_network_plugin_multus: true",
        "nat_outgoing: false",
        "metallb_speaker_enabled: false",
        "argocd_enabled: '{{ own_switch }}'\nown_switch: true",
        "crio_insecure_registries: ['10.0.0.1:5000']",
        "https_proxy_cert_file: /etc/proxy.pem",
        "kube_feature_gates: ['A=true']",
        "kube_kubeadm_apiserver_extra_args: {v: '5'}",
        "kube_kubeadm_controller_extra_args: {v: '5'}",
        "apiserver_custom_flags: ['--v=5']",
        "kube_resource_quota_limited_resources: [{resource: pods}]",
        "kubelet_status_update_frequency: 4s",
        "kube_controller_node_monitor_grace_period: 20s",
        "kube_reserved: true",
        "system_memory_reserved: 1Gi",
        "etcd_data_dir: /data/etcd",
        "etcd_deployment_type: kubeadm",
        "additional_sysctl: [{name: a, value: 1}]",
        "ntp_enabled: true",
        "enable_dual_stack_networks: true",
        "enable_dns_autoscaler: false",
        "drain_nodes: false",
        "upgrade_node_confirm: true",
        "upgrade_node_fail_if_drain_fails: false",
        "cloud_provider: external",
        "nvidia_accelerator_enabled: true",
        "enable_cdi: true",
        "use_localhost_as_kubeapi_loadbalancer: true",
        "ubuntu_kernel_unattended_upgrades_disabled: true",
        "kernel_upgrade: true",
        "kube_hostpath_dynamic_provisioner: true",
        "dns_upstream_forward_extra_opts: {policy: sequential}",
        "argocd_enabled: true",
        "efk_enabled: true",
        "gateway_api_enabled: true",
        "local_volume_provisioner_enabled: true",
        "ingress_nginx_host_network: true",
        "ingress_nginx_configmap: {proxy-body-size: 8m}",
        "kube_webhook_token_auth_url: https://auth",
        "deploy_netchecker: true",
        "loadbalancer_apiserver_type: haproxy",
        "kube_apiserver_pod_eviction_not_ready_timeout_seconds: '60'",
        "kube_controller_node_monitor_period: 2s",
        "pam_limits: [{domain: '*', type: soft, item: nofile, value: 1}]",
        "ntp_servers: [ntp.example.com]",
        "metallb_speaker_tolerations: [{operator: Exists}]",
        "metallb_speaker_nodeselector: {a: b}",
    ] {
        let found = warnings(line);
        let is_said = found.iter().any(|(concern, message)| {
            *concern <= Concern::Outcome && message.contains("has no effect")
        });
        assert!(is_said && found.len() == 1, "{line}: {found:?}");
    }
}

#[test]
fn the_values_of_kubespray_itself_say_nothing() {
    for line in [
        "kube_api_anonymous_auth: true",
        "kubelet_fail_swap_on: true",
        "kubelet_max_pods: 110",
        "kube_encrypt_secret_data: false",
        "authorization_modes: ['Node', 'RBAC']",
        "kube_cert_dir: \"{{ kube_config_dir }}/ssl\"",
        "skydns_server: \"{{ kube_service_addresses|ipaddr('net')|ipaddr(3)|ipaddr('address') }}\"",
        "docker_iptables_enabled: 'false'",
        "kube_users: {kube: {pass: p, role: admin}}",
        "kube_api_pwd: p",
        "kubelet_rotate_certificates: true",
        "nat_outgoing: true",
        "download_run_once: true",
        "pkg_install_retries: 9",
        "server_side_apply: true",
        "skip_non_kubeadm_warning: true",
        "epel_enabled: true",
        "nri_enabled: \"{{ container_manager == 'containerd' }}\"",
        "calico_vxlan_mode: Always",
        "event_ttl_duration: 1h0m0s",
        "tls_min_version: ''",
        "kube_oidc_auth:",
        "argocd_enabled: '{{ own_switch }}'\nown_switch: false",
        "metallb_speaker_enabled: '{{ metallb_enabled }}'",
    ] {
        assert_eq!(warnings(line), [], "{line}");
    }
}

#[test]
fn names_of_the_users_own_are_not_taken_for_kubesprays() {
    for name in [
        "kubernetes_version",
        "os_version",
        "os_family",
        "node_role",
        "my_download_url_of_things",
        "app_version",
        "wol_mac",
        "vmid",
    ] {
        let found = warnings(&format!("{name}: x"));
        let expected = format!("kinstall doesn't know the variable `{name}`; it has no effect");
        assert_eq!(found, [(Concern::Unknown, expected)]);
    }
}

#[test]
fn what_enforces_policies_may_be_another_plugin() {
    let read = |line: &str| {
        let folder = written(&[
            ("inventory.ini", GOOD),
            (
                "group_vars/all.yml",
                &format!("dns_mode: coredns\n{line}\n"),
            ),
        ]);
        let (spec, warnings) = model::load(&folder.path().join("inventory.ini")).unwrap();
        let network = &spec.network;
        let said = warnings.first().map(|it| it.message.clone());
        let is_open = network.is_plugin_open;
        (network.plugin.name(), is_open, said.unwrap_or_default())
    };
    for (line, plugin, is_open, expected) in [
        ("", "flannel", false, "as there is no `kube_network_plugin`"),
        ("kinstall_provider: container", "flannel", false, ""),
        ("kube_network_plugin: flannel", "flannel", false, ""),
        ("kube_network_plugin: cilium", "cilium", false, ""),
        (
            "kube_network_plugin: calico",
            "flannel",
            true,
            "kinstall installs cilium instead of `calico`, or flannel where the bundle has no cilium",
        ),
        (
            "kube_network_plugin: macvlan",
            "flannel",
            false,
            "kinstall installs flannel instead of `macvlan`",
        ),
    ] {
        let (found, open, said) = read(line);
        assert_eq!((found, open), (plugin, is_open), "{line}");
        assert_eq!(said.is_empty(), expected.is_empty(), "{line}: {said}");
        assert!(said.contains(expected), "{line}: {said}");
    }
}

/// One message for one reason, and one for all that is unknown, each with every place.
#[test]
fn what_has_one_reason_is_one_message_with_all_places() {
    let mut lines = String::from("kube_network_plugin: flannel\n");
    for name in ["vmid", "cores", "wol_mac", "metalbl_enabled"] {
        let _ = writeln!(lines, "{name}: 1");
    }
    lines.push_str("argocd_enabled: true\nkrew_enabled: true\nkube_oidc_auth: true\n");
    insta::assert_snapshot!(with_variables(&lines), @r"
    warning: `kube_oidc_auth` has no effect: the API server knows users by certificates and tokens of service accounts alone
     --> group_vars/all.yml:8:1
      |
    8 | kube_oidc_auth: true
      | ^^^^^^^^^^^^^^ no effect

    warning: unknown variable `metalbl_enabled`
     --> group_vars/all.yml:5:1
      |
    5 | metalbl_enabled: 1
      | ^^^^^^^^^^^^^^^ has no effect
      |
      = hint: did you mean `metallb_enabled`?

    warning: `argocd_enabled` and `krew_enabled` have no effect: kinstall has no such add-on
     --> group_vars/all.yml:6:1
      |
    6 | argocd_enabled: true
      | ^^^^^^^^^^^^^^ no effect
      |
      = also: group_vars/all.yml:7: `krew_enabled`

    warning: kinstall doesn't know the variables `vmid` and 2 more; they have no effect
     --> group_vars/all.yml:2:1
      |
    2 | vmid: 1
      | ^^^^ no effect
      |
      = also: group_vars/all.yml:3: `cores`
              group_vars/all.yml:4: `wol_mac`
    ");
}
