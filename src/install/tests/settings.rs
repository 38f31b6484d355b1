//! Variables that are honoured: from the inventory to what nodes get.

use std::fs;

use serde_json::{Value, json};

use super::super::encryption;
use super::{Lab, content, documents, objects, resources, text};
use crate::resource::{Guard, Resource};

/// Returns the lab with these variables for all its hosts.
pub(super) fn lab(variables: &str) -> Lab {
    let folder = tempfile::tempdir().unwrap();
    let group = "group_vars/k8s-cluster";
    fs::create_dir_all(folder.path().join(group)).unwrap();
    for file in ["inventory.ini", "addons.yml", "k8s-cluster.yml"] {
        let file = if file.ends_with("ini") {
            file.to_owned()
        } else {
            format!("{group}/{file}")
        };
        let text = fs::read_to_string(format!("inventory/lab/{file}")).unwrap();
        fs::write(folder.path().join(file), text).unwrap();
    }
    // Of several files of one group, the last one wins.
    fs::write(folder.path().join(group).join("own.yml"), variables).unwrap();
    Lab::of(&folder.path().join("inventory.ini"))
}

fn kubelet(lab: &Lab) -> Value {
    let path = "/etc/kubernetes/kubelet.conf.d/10-kinstall.conf";
    documents(&content(&lab.plan(), "node1", path)).remove(0)
}

fn kubeadm(lab: &Lab) -> Value {
    documents(&content(
        &lab.plan(),
        "controll-plane",
        "/etc/kubernetes/kubeadm.yaml",
    ))
    .remove(1)
}

/// Returns the value of a flag of one of the control plane's programs.
fn flag(kubeadm: &Value, program: &str, name: &str) -> Value {
    let flags = kubeadm[program]["extraArgs"].as_array().unwrap();
    let flag = flags.iter().find(|it| it["name"] == json!(name));
    flag.map_or(Value::Null, |it| it["value"].clone())
}

fn steps(lab: &Lab) -> Vec<String> {
    let phases = lab.plan().phases;
    let batches = phases.iter().flat_map(|phase| phase.batches.values());
    batches
        .flat_map(|batch| batch.steps.iter().map(|step| step.id.clone()))
        .collect()
}

#[test]
fn settings_of_the_kubelet() {
    let usual = kubelet(&lab(""));
    assert_eq!(usual["maxPods"], json!(110));
    for name in ["podPidsLimit", "failSwapOn", "memorySwap", "tlsMinVersion"] {
        assert_eq!(usual[name], Value::Null, "{name}");
    }
    let wanted = kubelet(&lab(
        "kubelet_max_pods: 250\nkubelet_pod_pids_limit: 4096\nkubelet_fail_swap_on: false\n\
         tls_min_version: VersionTLS13\n",
    ));
    assert_eq!(wanted["maxPods"], json!(250));
    assert_eq!(wanted["podPidsLimit"], json!(4096));
    assert_eq!(wanted["failSwapOn"], json!(false));
    assert_eq!(wanted["memorySwap"], Value::Null, "not with cgroup v1");
    assert_eq!(wanted["tlsMinVersion"], json!("VersionTLS13"));
    let mut newer = lab("kubelet_fail_swap_on: false\n");
    newer.facts["node1"].cgroup_version = 2;
    let swap = &kubelet(&newer)["memorySwap"];
    assert_eq!(*swap, json!({"swapBehavior": "LimitedSwap"}));
    // A share of the pod network that is smaller than usual sets the limit.
    assert_eq!(
        kubelet(&lab("kube_network_node_prefix: 26\n"))["maxPods"],
        json!(61)
    );
}

#[test]
fn nodes_keep_their_swap_where_the_inventory_says_so() {
    let step = "base/no swap".to_owned();
    assert!(steps(&lab("")).contains(&step));
    assert!(!steps(&lab("kubelet_fail_swap_on: false\n")).contains(&step));
}

#[test]
fn certificates_are_left_to_the_administrator_where_the_inventory_says_so() {
    for (variables, timer) in [("", "on"), ("auto_renew_certificates: false\n", "off")] {
        let steps = steps(&lab(variables)).join("\n");
        let timers = steps
            .lines()
            .filter(|it| it.starts_with("certificates/timer is"));
        assert_eq!(
            timers.collect::<Vec<_>>(),
            [format!("certificates/timer is {timer}")]
        );
    }
}

#[test]
fn the_control_planes_programs_are_profiled_only_where_that_is_wanted() {
    for (variables, expected) in [("", "false"), ("kube_profiling: true\n", "true")] {
        let kubeadm = kubeadm(&lab(variables));
        for program in ["apiServer", "controllerManager", "scheduler"] {
            assert_eq!(
                flag(&kubeadm, program, "profiling"),
                json!(expected),
                "{program}"
            );
        }
    }
}

#[test]
fn settings_of_the_api_server() {
    let kubeadm = kubeadm(&lab(
        "kube_apiserver_node_port_range: 20000-21000\nevent_ttl_duration: 3h\ntls_min_version: VersionTLS12\n",
    ));
    for (name, value) in [
        ("service-node-port-range", "20000-21000"),
        ("event-ttl", "3h"),
        ("tls-min-version", "VersionTLS12"),
    ] {
        assert_eq!(flag(&kubeadm, "apiServer", name), json!(value));
    }
}

#[test]
fn without_a_login_there_is_only_health_where_anonymous_access_is_off() {
    let step = "control-plane-files/who may ask without a login".to_owned();
    let usual = lab("");
    assert!(!steps(&usual).contains(&step));
    assert_eq!(
        flag(&kubeadm(&usual), "apiServer", "authentication-config"),
        Value::Null
    );

    let closed = lab("kube_api_anonymous_auth: false\n");
    let path = "/etc/kubernetes/authentication.yaml";
    let kubeadm = kubeadm(&closed);
    assert_eq!(
        flag(&kubeadm, "apiServer", "authentication-config"),
        json!(path)
    );
    assert_eq!(
        kubeadm["apiServer"]["extraVolumes"][0]["hostPath"],
        json!(path)
    );
    let authentication = documents(&content(&closed.plan(), "controll-plane", path));
    let paths = ["/livez", "/readyz", "/healthz"].map(|path| json!({ "path": path }));
    let expected = json!({ "enabled": true, "conditions": paths });
    assert_eq!(authentication[0]["anonymous"], expected);
}

/// Returns the API server's providers, in their order.
fn providers(lab: &Lab) -> Vec<String> {
    let path = "/etc/kubernetes/encryption/providers.yaml";
    let configuration = documents(&content(&lab.plan(), "controll-plane", path)).remove(0);
    let providers = configuration["resources"][0]["providers"].as_array();
    let names = providers
        .unwrap()
        .iter()
        .flat_map(|it| it.as_object().unwrap().keys().cloned());
    names.collect()
}

#[test]
fn secrets_are_encrypted_unless_that_is_off_and_read_in_both_cases() {
    assert_eq!(providers(&lab("")), ["secretbox", "identity"]);
    let off = lab("kube_encrypt_secret_data: false\n");
    assert_eq!(providers(&off), ["identity", "secretbox"]);
    let other = lab(
        "kube_encryption_algorithm: aescbc\nkube_encryption_resources: [secrets, configmaps]\n",
    );
    assert_eq!(providers(&other), ["aescbc", "identity"]);
    let flag = flag(&kubeadm(&other), "apiServer", "encryption-provider-config");
    assert_eq!(flag, json!("/etc/kubernetes/encryption/providers.yaml"));
}

/// Its API servers don't know a key, and could not read what another one has encrypted.
#[test]
fn a_cluster_that_began_without_a_key_stays_without_one_and_says_so_where_it_is_asked_for() {
    for (variables, says) in [
        ("", false),
        ("kube_encrypt_secret_data: false\n", false),
        ("kube_encrypt_secret_data: true\n", true),
    ] {
        let mut lab = lab(variables);
        lab.secrets.encryption_keys = None;
        let said = encryption::settle(&mut lab.cluster, &lab.secrets);
        assert_eq!(said.is_some(), says, "{variables}");
        let flag = flag(&kubeadm(&lab), "apiServer", "encryption-provider-config");
        assert_eq!(flag, Value::Null);
        assert!(!steps(&lab).contains(&"control-plane-files/encryption".to_owned()));
    }
}

#[test]
fn requests_are_audited_unless_that_is_off() {
    let flags = |lab: &Lab| {
        let kubeadm = kubeadm(lab);
        [
            "audit-policy-file",
            "audit-log-maxage",
            "audit-log-maxbackup",
            "audit-log-maxsize",
        ]
        .map(|name| flag(&kubeadm, "apiServer", name))
    };
    let policy = "/etc/kubernetes/audit-policy.yaml";
    assert_eq!(
        flags(&lab("")),
        [json!(policy), json!("30"), json!("10"), json!("100")]
    );
    let own = "audit_log_maxage: 7\naudit_log_maxbackups: 2\naudit_log_maxsize: 5\n";
    assert_eq!(
        flags(&lab(own)),
        [json!(policy), json!("7"), json!("2"), json!("5")]
    );
    let off = lab("kubernetes_audit: false\n");
    assert_eq!(
        flags(&off),
        [Value::Null, Value::Null, Value::Null, Value::Null]
    );
    assert!(!steps(&off).contains(&"control-plane-files/audit policy".to_owned()));
}

#[test]
fn names_of_nodes_are_in_the_hosts_file_unless_that_is_off() {
    let block = |lab: &Lab| {
        let resources: Vec<_> = super::resources(&lab.plan()).cloned().collect();
        resources.into_iter().find_map(|resource| match resource {
            crate::resource::Resource::Block(block) => Some(block.content),
            _ => None,
        })
    };
    assert!(block(&lab("")).unwrap().contains("node1"));
    assert_eq!(
        block(&lab("populate_inventory_to_hosts_file: false\n")).unwrap(),
        ""
    );
}

#[test]
fn metallb_has_the_pools_of_the_inventory() {
    let pools = |variables: &str| {
        let objects = objects(&lab(variables).plan());
        let pools = objects
            .into_iter()
            .filter(|it| text(it, "/kind") == "IPAddressPool");
        let pools = pools.map(|it| json!([it["metadata"]["name"], it["spec"]]));
        Value::Array(pools.collect())
    };
    let spec = |range: &str, auto: bool| json!({"addresses": [range], "autoAssign": auto});
    let range = "192.168.56.50-192.168.56.59";
    assert_eq!(
        pools(&format!("metallb_ip_range: {range}\n")),
        json!([["inventory", spec(range, true)]])
    );
    assert_eq!(
        pools(&format!(
            "metallb_ip_range: {range}\nmetallb_pool_name: loadbalanced\nmetallb_auto_assign: false\n"
        )),
        json!([["loadbalanced", spec(range, false)]])
    );
    let other = "192.168.56.70-192.168.56.79";
    let config = format!(
        "metallb_ip_range: []\nmetallb_config:\n  layer2: [primary, spare]\n  address_pools:\n    \
         primary: {{ip_range: [{range}]}}\n    spare: {{ip_range: [{other}], auto_assign: false}}\n"
    );
    assert_eq!(
        pools(&config),
        json!([
            ["primary", spec(range, true)],
            ["spare", spec(other, false)]
        ])
    );
}

#[test]
fn ingresses_without_a_class_are_served_unless_that_is_off() {
    let found = |variables: &str| {
        let objects = objects(&lab(variables).plan());
        let class = objects
            .iter()
            .find(|it| text(it, "/kind") == "IngressClass")
            .unwrap();
        let is_default =
            &class["metadata"]["annotations"]["ingressclass.kubernetes.io/is-default-class"];
        let traefik = objects
            .iter()
            .find(|it| text(it, "/kind") == "DaemonSet" && text(it, "/metadata/name") == "traefik");
        let arguments = traefik
            .unwrap()
            .pointer("/spec/template/spec/containers/0/args");
        let arguments = arguments.unwrap().as_array().unwrap().clone();
        let (_, watches) = arguments
            .iter()
            .find_map(|it| it.as_str()?.split_once(".watchingresswithoutclass="))
            .unwrap();
        (is_default.clone(), watches.to_owned())
    };
    for (variables, expected) in [
        ("", "true"),
        ("ingress_nginx_without_class: false\n", "false"),
    ] {
        assert_eq!(found(variables), (json!(expected), expected.to_owned()));
    }
}

#[test]
fn the_ingress_has_another_certificate_for_other_domains() {
    let found = |variables: &str| {
        let lab = lab(variables);
        let ingress = lab.cluster.addons.ingress.as_ref().unwrap();
        let names = ingress.certificate_names().join(" ");
        let plan = lab.plan();
        let path = resources(&plan).find_map(|resource| match resource {
            Resource::Command(command) => match &command.guard {
                Guard::Object { path, .. } if path.contains("/ingress/") => Some(path.clone()),
                _ => None,
            },
            _ => None,
        });
        let objects = objects(&plan);
        let mounted = objects
            .iter()
            .find_map(|it| it.pointer("/spec/template/spec/volumes/1/secret/secretName"));
        (names, path.unwrap(), mounted.unwrap().clone())
    };
    for (variables, names, secret) in [
        (
            "node_domain: example.com\n",
            "example.com *.example.com localhost",
            "certificate-example.com",
        ),
        (
            "kinstall_ingress_domains: [a.test, b.test]\n",
            "a.test *.a.test b.test *.b.test localhost",
            "certificate-a.test-b.test",
        ),
        ("kinstall_ingress_domains: []\n", "localhost", "certificate"),
    ] {
        let path = format!("/api/v1/namespaces/ingress/secrets/{secret}");
        assert_eq!(found(variables), (names.to_owned(), path, json!(secret)));
    }
}

#[test]
fn volumes_are_as_the_inventory_says() {
    // kinstall makes the machines of the lab, and doesn't know who makes these.
    assert!(steps(&Lab::new()).contains(&"local-path-provisioner/running".to_owned()));
    assert!(!steps(&lab("")).contains(&"local-path-provisioner/running".to_owned()));
    let lab = lab(
        "local_path_provisioner_enabled: true\nlocal_path_provisioner_namespace: kube-system\n\
         local_path_provisioner_storage_class: disk\nlocal_path_provisioner_is_default_storageclass: false\n\
         local_path_provisioner_reclaim_policy: Retain\nlocal_path_provisioner_claim_root: /srv/volumes/\n",
    );
    let objects = objects(&lab.plan());
    let find = |kind: &str, name: &str| {
        let mut all = objects.iter();
        all.find(|it| it["kind"] == kind && it["metadata"]["name"] == name)
    };
    let class = find("StorageClass", "disk").unwrap();
    assert_eq!(class["reclaimPolicy"], "Retain");
    let default = "storageclass.kubernetes.io/is-default-class";
    assert_eq!(class["metadata"]["annotations"][default], "false");
    let config = find("ConfigMap", "local-path-config").unwrap();
    let config: Value = serde_json::from_str(text(config, "/data/config.json")).unwrap();
    assert_eq!(config["nodePathMap"][0]["paths"], json!(["/srv/volumes"]));
    // It isn't ours, and must not go with the add-on.
    assert!(find("Namespace", "kube-system").is_none());
}
