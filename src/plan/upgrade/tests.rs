//! Paths over all pairs of releases, and what speaks against them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use semver::Version;
use serde_json::json;

use super::{Hop, ReleaseVersions, RunningNode, RunningVersions, findings, path, rollback};
use crate::bundle::Minor;

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn minor(text: &str) -> Minor {
    text.parse().unwrap()
}

/// The releases of the catalog, and one before them.
fn releases(minors: &[&str]) -> BTreeMap<Minor, ReleaseVersions> {
    let all = [
        ("1.33", "1.33.13", "3.5.28"),
        ("1.34", "1.34.4", "3.6.16"),
        ("1.35", "1.35.4", "3.6.16"),
        ("1.36", "1.36.3", "3.6.16"),
        ("1.37", "1.37.2", "3.7.3"),
    ];
    let wanted = all.iter().filter(|(name, ..)| minors.contains(name));
    let versions = wanted.map(|(name, kubernetes, etcd)| {
        let versions = ReleaseVersions {
            kubernetes: version(kubernetes),
            etcd: version(etcd),
        };
        (minor(name), versions)
    });
    versions.collect()
}

const ALL: [&str; 5] = ["1.33", "1.34", "1.35", "1.36", "1.37"];

/// Control planes and workers with these versions of Kubernetes and, on control planes, etcd.
fn running(nodes: &[(&str, &str, Option<&str>)]) -> RunningVersions {
    let nodes = nodes.iter().map(|(name, kubernetes, etcd)| {
        let mut components = BTreeMap::from([("kube-proxy", version(kubernetes))]);
        if let Some(etcd) = etcd {
            components.insert("kube-apiserver", version(kubernetes));
            components.insert("etcd", version(etcd));
        }
        let node = RunningNode {
            is_ready: true,
            kubelet: Some(version(kubernetes)),
            runtime: "containerd://2.4.2".to_owned(),
            components,
        };
        ((*name).to_owned(), node)
    });
    RunningVersions {
        nodes: nodes.collect(),
    }
}

fn outline(hops: &[Hop]) -> String {
    let lines = hops.iter().map(|hop| {
        let versions = &hop.versions;
        let reasons = hop.reasons.join("; ");
        format!(
            "    Kubernetes {}, etcd {}: {reasons}\n",
            versions.kubernetes, versions.etcd
        )
    });
    lines.collect()
}

fn told(
    running: &RunningVersions,
    releases: &BTreeMap<Minor, ReleaseVersions>,
    to: &str,
) -> String {
    match path(running, releases, minor(to)) {
        Ok(hops) if hops.is_empty() => "    nothing to do\n".to_owned(),
        Ok(hops) => outline(&hops),
        Err(error) => format!("    error: {error}\n"),
    }
}

#[test]
fn every_pair_of_releases_has_its_path_or_a_reason() {
    let all = releases(&ALL);
    let mut text = String::new();
    for (from, versions) in &all {
        let (kubernetes, etcd) = (versions.kubernetes.to_string(), versions.etcd.to_string());
        let cluster = running(&[
            ("cp1", &kubernetes, Some(&etcd)),
            ("worker", &kubernetes, None),
        ]);
        for to in ALL {
            let _ = write!(text, "{from} to {to}\n{}", told(&cluster, &all, to));
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn what_is_found_decides_the_path() {
    let three = |versions: [(&str, &str); 3], worker: &str| {
        let names = ["cp1", "cp2", "cp3"];
        let mut nodes: Vec<_> = names
            .into_iter()
            .zip(versions)
            .map(|(name, (kubernetes, etcd))| (name, kubernetes, Some(etcd)))
            .collect();
        nodes.push(("worker", worker, None));
        running(&nodes)
    };
    let (old, new) = (("1.36.3", "3.6.16"), ("1.37.2", "3.7.3"));
    let cases = [
        (
            "cut off between control planes",
            three([new, old, old], "1.36.3"),
            ALL.as_slice(),
            "1.37",
        ),
        (
            "cut off before the workers",
            three([new; 3], "1.36.3"),
            &ALL,
            "1.37",
        ),
        (
            "cut off, and the way leads on",
            three(
                [
                    ("1.36.3", "3.6.16"),
                    ("1.35.4", "3.6.16"),
                    ("1.35.4", "3.6.16"),
                ],
                "1.35.4",
            ),
            &ALL,
            "1.37",
        ),
        (
            "etcd needs a patch release first",
            three([("1.36.3", "3.6.8"), old, old], "1.36.3"),
            &ALL,
            "1.37",
        ),
        (
            "etcd needs one that the bundle does not have",
            three([("1.36.3", "3.6.8"), old, old], "1.36.3"),
            &["1.37"],
            "1.37",
        ),
        (
            "releases on the way are not in the bundle",
            three([("1.34.4", "3.6.16"); 3], "1.34.4"),
            &["1.37"],
            "1.37",
        ),
        (
            "the bundle's etcd is older",
            three([("1.36.3", "3.7.5"); 3], "1.36.3"),
            &ALL,
            "1.37",
        ),
        (
            "the bundle's patch release is older",
            three([("1.37.5", "3.7.3"); 3], "1.37.5"),
            &ALL,
            "1.37",
        ),
        (
            "a worker was left behind too far",
            three([("1.36.3", "3.6.16"); 3], "1.33.13"),
            &ALL,
            "1.37",
        ),
        (
            "a newer patch release",
            three([("1.37.0", "3.7.0"); 3], "1.37.0"),
            &ALL,
            "1.37",
        ),
    ];
    let lines = cases.map(|(title, running, minors, to)| {
        format!("{title}\n{}", told(&running, &releases(minors), to))
    });
    insta::assert_snapshot!(lines.concat());
}

/// Wherever a roll is cut off, the versions are such that Kubernetes supports them, and the path leads on.
#[test]
fn the_skew_is_lawful_between_any_two_steps_of_a_roll() {
    let all = releases(&ALL);
    for pair in ALL.windows(2) {
        let (from, to) = (&all[&minor(pair[0])], &all[&minor(pair[1])]);
        let (old, new) = (from.kubernetes.to_string(), to.kubernetes.to_string());
        let (old_etcd, new_etcd) = (from.etcd.to_string(), to.etcd.to_string());
        // So many nodes have moved: two control planes, then two workers.
        for moved in 0..=4 {
            let of = |index: usize| {
                if index < moved {
                    new.as_str()
                } else {
                    old.as_str()
                }
            };
            let etcd = |index| {
                Some(if index < moved {
                    new_etcd.as_str()
                } else {
                    old_etcd.as_str()
                })
            };
            let cluster = running(&[
                ("cp1", of(0), etcd(0)),
                ("cp2", of(1), etcd(1)),
                ("w1", of(2), None),
                ("w2", of(3), None),
            ]);
            let api_servers: Vec<u64> = cluster
                .of_component("kube-apiserver")
                .map(|(_, version)| version.minor)
                .collect();
            let (lowest, highest) = (
                api_servers.iter().min().unwrap(),
                api_servers.iter().max().unwrap(),
            );
            assert!(highest - lowest <= 1, "{pair:?} {moved}");
            for (name, node) in &cluster.nodes {
                let kubelet = node.kubelet.as_ref().unwrap().minor;
                // A control plane's kubelet asks its own API server.
                let own = node
                    .components
                    .get("kube-apiserver")
                    .map_or(*lowest, |it| it.minor);
                assert!(
                    kubelet <= own && kubelet + 3 >= *highest,
                    "{name} {pair:?} {moved}"
                );
            }
            let hops = path(&cluster, &all, minor(pair[1])).unwrap();
            let releases: Vec<Minor> = hops.iter().map(|hop| hop.release).collect();
            let expected = if moved == 4 {
                vec![]
            } else {
                vec![minor(pair[1])]
            };
            assert_eq!(releases, expected, "{pair:?} {moved}");
        }
    }
}

#[test]
fn what_runs_is_read_from_nodes_and_pods() {
    let pod = |node: &str, image: &str| json!({ "kind": "Pod", "metadata": {}, "spec": { "nodeName": node, "containers": [{ "image": image }] } });
    let list = json!({ "items": [
        { "kind": "Node", "metadata": { "name": "cp1" }, "status": {
            "conditions": [{ "type": "Ready", "status": "True" }],
            "nodeInfo": { "kubeletVersion": "v1.37.2", "containerRuntimeVersion": "containerd://2.4.2" } } },
        { "kind": "Node", "metadata": { "name": "w1" }, "status": {
            "conditions": [{ "type": "Ready", "status": "Unknown" }],
            "nodeInfo": { "kubeletVersion": "v1.36.3", "containerRuntimeVersion": "containerd://2.4.2" } } },
        pod("cp1", "kinstall.local/kube-apiserver:v1.37.2"),
        pod("cp1", "registry:5000/etcd:3.7.3-0@sha256:ab"),
        pod("cp1", "kinstall.local/coredns:v1.14.6"),
        pod("w1", "kinstall.local/kube-proxy:v1.36.3"),
        pod("gone", "kinstall.local/kube-proxy:v1.36.3"),
    ] });
    let found = RunningVersions::of(&list);
    let cp1 = &found.nodes["cp1"];
    assert!(cp1.is_ready && !found.nodes["w1"].is_ready);
    assert_eq!(cp1.kubelet, Some(version("1.37.2")));
    assert_eq!(
        cp1.components,
        BTreeMap::from([
            ("kube-apiserver", version("1.37.2")),
            ("etcd", version("3.7.3"))
        ])
    );
    assert_eq!(
        found.nodes["w1"].components,
        BTreeMap::from([("kube-proxy", version("1.36.3"))])
    );
    assert_eq!(found.nodes.len(), 2);
}

#[test]
fn clients_of_what_is_removed_are_named_once_the_release_is_reached() {
    let metrics = "\
apiserver_requested_deprecated_apis{group=\"flowcontrol.apiserver.k8s.io\",removed_release=\"1.32\",resource=\"flowschemas\",subresource=\"\",version=\"v1beta3\"} 1
apiserver_requested_deprecated_apis{group=\"\",removed_release=\"\",resource=\"componentstatuses\",subresource=\"\",version=\"v1\"} 1
apiserver_requested_deprecated_apis{group=\"x.k8s.io\",removed_release=\"1.38\",resource=\"things\",subresource=\"\",version=\"v1alpha1\"} 1
";
    let hop = |release: &str| Hop {
        release: minor(release),
        versions: releases(&["1.37"])[&minor("1.37")].clone(),
        reasons: Vec::new(),
    };
    let told = |release: &str| -> Vec<String> {
        let found = findings::of_clients(metrics, &[hop(release)]);
        found.into_iter().map(|it| it.message).collect()
    };
    assert_eq!(
        told("1.37"),
        [
            "something still uses flowschemas of flowcontrol.apiserver.k8s.io/v1beta3, which Kubernetes 1.32 doesn't have any more"
        ]
    );
    assert_eq!(told("1.38").len(), 2);
    assert!(told("1.31").is_empty());
}

#[test]
fn who_has_moved_is_told_by_what_is_newer_than_the_release_to_go_back_to() {
    let old = &releases(&["1.36"])[&minor("1.36")];
    let none = running(&[("cp1", "1.36.3", Some("3.6.16")), ("w1", "1.36.1", None)]);
    assert!(rollback::moved(&none, old).is_empty());
    let mut halfway = running(&[("cp1", "1.36.3", Some("3.7.3")), ("w1", "1.36.3", None)]);
    let moved = rollback::moved(&halfway, old);
    assert_eq!(moved["cp1"], ["etcd 3.7.3"]);
    assert_eq!(moved.len(), 1);
    halfway.nodes.get_mut("w1").unwrap().kubelet = Some(version("1.37.2"));
    assert_eq!(rollback::moved(&halfway, old)["w1"], ["kubelet 1.37.2"]);
}

#[test]
fn only_what_can_read_the_data_comes_back() {
    let of = |kubernetes: &str, etcd: &str| ReleaseVersions {
        kubernetes: version(kubernetes),
        etcd: version(etcd),
    };
    let taken = of("1.36.3", "3.6.16");
    for good in [of("1.36.3", "3.6.16"), of("1.36.9", "3.6.20")] {
        assert_eq!(rollback::check(&taken, &good), Ok(()));
    }
    for (bad, expected) in [
        (
            of("1.36.1", "3.6.16"),
            "Kubernetes 1.36.3, and the bundle has 1.36.1",
        ),
        (
            of("1.36.3", "3.6.13"),
            "etcd 3.6.16, and the bundle has 3.6.13",
        ),
        (
            of("1.36.3", "3.7.3"),
            "etcd 3.6.16, and the bundle has 3.7.3",
        ),
    ] {
        let refused = rollback::check(&taken, &bad).unwrap_err().to_string();
        assert!(refused.ends_with(expected), "{refused}");
    }
}
