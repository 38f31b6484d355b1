//! Add-ons that are off: what they brought goes, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::settings::lab;
use super::{Lab, objects, resources};
use crate::model;
use crate::resource::{Manifest, ObjectName, Resource};

/// The ingress controller that earlier kinstalls installed.
const OF_EARLIER_KINSTALLS: &str = "contour/objects";
/// No inventory has both.
const OF_THE_OTHER_NETWORK: &str = "cilium/objects";

#[test]
fn an_add_on_that_is_off_is_removed_with_all_that_it_brought() {
    let title = |it: &ObjectName| format!("{} {}", it.kind, it.name);
    let lab = Lab::with_all_addons();
    let mut wanted = BTreeMap::new();
    for resource in resources(&lab.plan()) {
        if let Resource::Manifests(set) = resource {
            let names = set.objects.iter().filter_map(Manifest::name);
            let titles: BTreeSet<String> = names.map(|it| title(&it)).collect();
            wanted.insert(set.name.clone(), titles);
        }
    }
    let mut bare = Lab::new();
    bare.cluster.addons = model::Addons::default();
    bare.cluster.dns.node_local_address = None;
    let mut removed = Vec::new();
    for resource in resources(&bare.plan()) {
        let Resource::AbsentObjects(set) = resource else {
            continue;
        };
        if [OF_EARLIER_KINSTALLS, OF_THE_OTHER_NETWORK].contains(&set.name.as_str()) {
            continue;
        }
        removed.push((set.name.clone(), set.commands.clone()));
        let left: Vec<_> = wanted[&set.name]
            .difference(&set.objects.iter().map(title).collect())
            .cloned()
            .collect();
        // Pools go with their kind, and claims with their namespace.
        let goes_along = |it: &String| {
            it.starts_with("IPAddressPool ") || it.starts_with("PersistentVolumeClaim ")
        };
        assert!(left.iter().all(goes_along), "{left:?}");
    }
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let expected = [
        ("metrics-server/objects", vec![]),
        ("local-path-provisioner/objects", vec![]),
        ("metallb/objects", names(&["metallb/key of the speakers"])),
        ("node-local-dns/objects", vec![]),
        (
            "ingress/objects",
            names(&[
                "ingress/certificate",
                "ingress/address of the earlier controller",
            ]),
        ),
        ("victoria-metrics/objects", vec![]),
        ("victoria-logs/objects", vec![]),
        ("registry/objects", vec![]),
        ("cert-manager/objects", names(&["cert-manager/authority"])),
    ];
    let place = |name: &str| removed.iter().position(|(it, _)| it == name).unwrap();
    assert!(place("ingress/objects") < place("metallb/objects"));
    let storage = place("local-path-provisioner/objects");
    assert!(
        place("victoria-metrics/objects") < storage && place("victoria-logs/objects") < storage
    );
    removed.sort();
    let mut expected: Vec<_> = expected
        .into_iter()
        .map(|(name, it)| (name.to_owned(), it))
        .collect();
    expected.sort();
    assert_eq!(removed, expected);
    // What is on is not removed.
    let plan = lab.plan();
    let removed = resources(&plan).filter_map(|it| match it {
        Resource::AbsentObjects(set) => Some(set.name.as_str()),
        _ => None,
    });
    let expected = BTreeSet::from([OF_EARLIER_KINSTALLS, OF_THE_OTHER_NETWORK]);
    assert_eq!(removed.collect::<BTreeSet<_>>(), expected);
}

/// Its namespace has rules for pods that others in there could not keep, and the cluster's own parts live in this one.
#[test]
fn an_add_on_in_a_namespace_of_kubernetes_leaves_the_namespace_as_it_is() {
    let namespaces = |namespace: &str| -> Vec<String> {
        let addons = ["cert_manager", "registry"];
        let variables =
            addons.map(|it| format!("{it}_enabled: true\n{it}_namespace: {namespace}\n"));
        let plan = lab(&variables.concat()).plan();
        let objects = objects(&plan).into_iter();
        let of_addons = objects.filter(|it| it["kind"] == "Namespace");
        let names = of_addons.map(|it| it["metadata"]["name"].as_str().unwrap().to_owned());
        names.filter(|it| it == namespace).collect()
    };
    assert_eq!(namespaces("own"), ["own", "own"]);
    assert_eq!(namespaces("kube-system"), Vec::<String>::new());
}
