//! Names that YAML would take for something else stay names, wherever the built-in templates write them; and a host has all
//! addresses at which it is looked for.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{Lab, content, documents, objects, resources, text};
use crate::model::{AddressPool, Taint};
use crate::resource::Resource;

/// Legal as node, domain, class and pool, and something else without quotes to one reader of YAML or other.
const NAMES: [&str; 20] = [
    "1", "2026", "433e40", "1e3", "0x1f", "0b1", "0o17", "017", "1.5", "10.0.0.1", "on", "off",
    "yes", "no", "y", "n", "true", "false", "null", "nan",
];

/// Legal as name of a cluster, a label or its value as well.
const FREE: [&str; 10] = [
    "1_000",
    "NULL",
    "True",
    "ON",
    "1.0E5",
    "0X1F",
    "1_0e2",
    "1.",
    "Yes",
    "2026-11-26",
];

fn any_name() -> impl Strategy<Value = String> {
    select(&NAMES[..]).prop_map(str::to_owned)
}

fn any_text() -> impl Strategy<Value = String> {
    select([&NAMES[..], &FREE[..]].concat()).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_name_is_text(
        host in any_name(), domain in any_name(), other in any_name(),
        cluster in prop_oneof![any_text(), Just("a: 'b' \"c\" #d {e}".to_owned())],
        key in select(&NAMES[..]), value in any_text(),
    ) {
        let mut lab = Lab::new();
        lab.rename("controll-plane", &host);
        lab.cluster.name.clone_from(&cluster);
        lab.cluster.dns.domain.clone_from(&domain);
        lab.cluster.control_plane.extra_names = vec![other.clone()];
        lab.cluster.addons.ingress.as_mut().unwrap().classes = vec![other.clone()];
        let ranges = lab.cluster.addons.metallb.as_ref().unwrap().pools[0].ranges.clone();
        let pool = AddressPool { name: other.clone(), ranges, auto_assign: false };
        lab.cluster.addons.metallb.as_mut().unwrap().pools = vec![pool];
        let labels = BTreeMap::from([(key.to_owned(), value.clone())]);
        lab.cluster.hosts[0].labels.clone_from(&labels);
        let taint = Taint { key: key.to_owned(), value: value.clone(), effect: "NoSchedule".to_owned() };
        lab.cluster.hosts[0].taints = vec![taint];
        let first = lab.cluster.hosts[0].name.clone();
        let plan = lab.plan();

        let joining = documents(&content(&plan, &first, "/etc/kubernetes/kubeadm-join.yaml"));
        let registration = &joining[0]["nodeRegistration"];
        prop_assert_eq!(&registration["name"], &json!(first));
        prop_assert_eq!(&registration["taints"], &json!([{"key": key, "value": value, "effect": "NoSchedule"}]));

        let kubeadm = documents(&content(&plan, &host, "/etc/kubernetes/kubeadm-init.yaml"));
        prop_assert_eq!(&kubeadm[0]["nodeRegistration"]["name"], &json!(host));
        prop_assert_eq!(&kubeadm[1]["clusterName"], &json!(cluster));
        prop_assert_eq!(&kubeadm[1]["networking"]["dnsDomain"], &json!(domain));
        let names = kubeadm[1]["apiServer"]["certSANs"].as_array().unwrap();
        prop_assert!(names.iter().all(Value::is_string), "{names:?}");
        prop_assert!(names.contains(&json!(host)) && names.contains(&json!(other)), "{names:?}");

        let discovery = documents(&content(&plan, &first, "/etc/kubernetes/discovery.conf"));
        prop_assert_eq!(&discovery[0]["clusters"][0]["name"], &json!(cluster));
        prop_assert_eq!(&discovery[0]["contexts"][0]["context"]["cluster"], &json!(cluster));
        let kubelet = documents(&content(&plan, &first, "/etc/kubernetes/kubelet.conf.d/10-kinstall.conf"));
        prop_assert_eq!(&kubelet[0]["clusterDomain"], &json!(domain));

        let objects = objects(&plan);
        for (kind, name) in [("IngressClass", &other), ("IPAddressPool", &other)] {
            let found = objects.iter().find(|it| text(it, "/kind") == kind).unwrap();
            prop_assert_eq!(&found["metadata"]["name"], &json!(name));
        }
        let advertised = objects.iter().find(|it| text(it, "/kind") == "L2Advertisement").unwrap();
        prop_assert_eq!(&advertised["spec"]["ipAddressPools"], &json!([other]));
        let node = resources(&plan).find_map(|it| match it {
            Resource::NodeObject(node) if node.name == first => Some(node),
            _ => None,
        });
        prop_assert_eq!(&node.unwrap().labels, &labels);
    }
}

#[test]
fn a_host_that_others_reach_elsewhere_is_known_by_both_addresses() {
    let mut lab = Lab::new();
    let mut hosts = lab.cluster.hosts.iter_mut();
    let control_plane = hosts.find(|it| it.roles.control_plane).unwrap();
    control_plane.access_address = Some("203.0.113.10".parse().unwrap());
    let names = &documents(&content(
        &lab.plan(),
        "controll-plane",
        "/etc/kubernetes/kubeadm.yaml",
    ))[1]["apiServer"]["certSANs"];
    for address in ["192.168.56.11", "203.0.113.10"] {
        let mut names = names.as_array().unwrap().iter();
        assert!(names.any(|it| it == address), "{address}");
    }
    let plan = lab.plan();
    let blocks = resources(&plan).filter_map(|it| match it {
        Resource::Block(block) if block.name == "cluster hosts" => Some(&block.content),
        _ => None,
    });
    let blocks: Vec<&String> = blocks.collect();
    assert_eq!(blocks.len(), 4);
    for block in blocks {
        assert!(
            block.contains("203.0.113.10 controll-plane.example.com "),
            "{block}"
        );
    }
    let servers = content(&plan, "node1", "/etc/kubernetes/api-proxy/servers");
    assert!(servers.contains("203.0.113.10:6443"), "{servers}");
}
