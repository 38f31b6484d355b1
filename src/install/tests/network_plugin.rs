//! What connects the pods: one plugin, whole, and nothing of the other.

use std::collections::BTreeSet;

use super::{Lab, objects, resources, text};
use crate::model::NetworkPlugin;
use crate::resource::Resource;

/// Returns what the plan has of a plugin: workloads, images and files.
fn parts(lab: &Lab, plugin: &str) -> BTreeSet<String> {
    let plan = lab.plan();
    let mut parts = BTreeSet::new();
    for object in objects(&plan) {
        if text(&object, "/kind") == "DaemonSet" && text(&object, "/metadata/name") == plugin {
            parts.insert("daemon set".to_owned());
        }
    }
    for resource in resources(&plan) {
        match resource {
            Resource::Image(image) if image.name.contains(&format!("/{plugin}:")) => {
                parts.insert("image".to_owned());
            }
            Resource::File(file) if file.path == format!("/opt/cni/bin/{plugin}-cni") => {
                parts.insert("program".to_owned());
            }
            _ => {}
        }
    }
    parts
}

#[test]
fn the_plugin_is_the_one_that_the_cluster_has() {
    let set = |parts: &[&str]| -> BTreeSet<String> { parts.iter().map(|&it| it.into()).collect() };
    let mut lab = Lab::new();
    assert_eq!(parts(&lab, "flannel"), set(&["daemon set", "image"]));
    assert_eq!(parts(&lab, "cilium"), set(&[]));
    lab.cluster.network.plugin = NetworkPlugin::Cilium;
    let expected = set(&["daemon set", "image", "program"]);
    assert_eq!(parts(&lab, "cilium"), expected);
    assert_eq!(parts(&lab, "flannel"), set(&[]));
}

#[test]
fn a_bundle_without_cilium_is_refused_with_the_way_to_get_it() {
    let mut lab = Lab::new();
    lab.cluster.network.plugin = NetworkPlugin::Cilium;
    lab.bundle.programs.remove("cilium/cilium-cni");
    let errors = lab.try_plan(&[]).unwrap_err();
    let said = format!("{errors:?}");
    assert!(
        said.contains("no program `cilium/cilium-cni` in the bundle"),
        "{said}"
    );
    assert!(said.contains("kinstall bundle build INVENTORY"), "{said}");
}
