//! Containers and their images.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Lab, objects, text};
use crate::bundle::Placement;
use crate::resource::Resource;

#[test]
fn containers_are_ours_and_modest() {
    let plan = Lab::with_all_addons().plan();
    let mut seen = 0;
    for object in objects(&plan) {
        let containers = object.pointer("/spec/template/spec/containers");
        for container in containers.and_then(Value::as_array).into_iter().flatten() {
            let name = text(container, "/name");
            seen += 1;
            assert!(
                text(container, "/image").starts_with("kinstall.local/"),
                "{name}"
            );
            assert_eq!(
                text(container, "/imagePullPolicy"),
                "IfNotPresent",
                "{name}"
            );
            assert!(
                !text(container, "/resources/requests/memory").is_empty(),
                "{name}"
            );
            assert!(container.get("securityContext").is_some(), "{name}");
        }
    }
    assert_eq!(seen, 16);
}

#[test]
fn workers_have_every_image_that_a_pod_of_ours_may_need() {
    let lab = Lab::with_all_addons();
    let plan = lab.plan();
    let batches = plan.phases.iter().filter_map(|it| it.batches.get("node1"));
    let steps = batches.flat_map(|batch| &batch.steps);
    let imported: BTreeSet<&str> = steps
        .filter_map(|step| match &step.resource {
            Resource::Image(image) => Some(image.name.as_str()),
            _ => None,
        })
        .collect();
    let images = lab.bundle.images.values();
    // Of the two pod networks, the lab has the other one.
    let of_all_nodes = images.filter(|it| it.nodes == Placement::All && it.component != "cilium");
    assert_eq!(imported, of_all_nodes.map(|it| it.name.as_str()).collect());
}
