//! What templates may see.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use tera::Context;

use crate::addon;
use crate::bundle::{Placement, Release};
use crate::model::{ClusterSpec, HostSpec, join_port};
use crate::secret::Secret;
use crate::wire::Facts;

/// Returns what is the same for all hosts: `cluster`, `versions` and `bundle`.
pub fn globals(cluster: &ClusterSpec, bundle: &Release) -> Context {
    let mut context = Context::new();
    context.insert("cluster", &cluster_value(cluster, bundle));
    context.insert("versions", &bundle.components);
    context.insert("bundle", &bundle_value(bundle));
    context
}

/// What a host is in this plan.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Standing {
    /// The user gave this machine of another cluster away.
    pub is_taken_over: bool,
    /// In an upgrade, it runs all of the release already.
    pub is_upgraded: bool,
    /// Etcd on hosts begins here.
    pub begins_etcd: bool,
}

/// Returns what belongs to one playbook on one host: `host` and `component`.
pub fn local(
    cluster: &ClusterSpec,
    host: &HostSpec,
    facts: Option<&Facts>,
    standing: Standing,
    component: &str,
) -> Context {
    let mut value = host_value(host);
    if let (Value::Object(value), Value::Object(standing)) = (&mut value, to_json(&standing)) {
        value.extend(standing);
    }
    value["addon_images"] = addon_images(cluster, host).into();
    // Of a host that didn't answer, nothing is known.
    value["has_etcd_data"] = facts.is_some_and(|it| it.etcd.has_data).into();
    if let Some(facts) = facts {
        value["facts"] = to_json(facts);
    }
    let mut context = Context::new();
    context.insert("host", &value);
    context.insert("component", component);
    context
}

/// The images of add-ons that can run on a host.
fn addon_images(cluster: &ClusterSpec, host: &HostSpec) -> Vec<&'static str> {
    let wanted = addon::all().iter().filter(|it| cluster.has(it));
    let images = wanted.flat_map(|it| {
        let workers = it.images.workers.iter().filter(|_| host.roles.worker);
        it.images.all_nodes.iter().chain(workers)
    });
    images.map(String::as_str).collect()
}

/// Adds `secrets`.
pub fn with_secrets<'a>(
    context: &Context,
    secrets: impl Iterator<Item = (&'a str, &'a Secret)>,
) -> Context {
    let mut context = context.clone();
    let exposed: BTreeMap<&str, &str> = secrets
        .map(|(name, secret)| (name, secret.expose()))
        .collect();
    context.insert("secrets", &exposed);
    context
}

fn cluster_value(cluster: &ClusterSpec, bundle: &Release) -> Value {
    let mut value = to_json(cluster);
    value["kubernetes_version"] = to_json(&bundle.components.get("kubernetes"));
    value["control_planes"] = cluster.control_planes().map(host_value).collect();
    value["etcd"]["hosts"] = cluster.etcd_hosts().map(host_value).collect();
    value["workers"] = to_json(&cluster.workers().collect::<Vec<_>>());
    let registries = cluster.registries.hosts.iter();
    value["registries"]["names"] = to_json(&registries.map(|it| &it.name).collect::<Vec<_>>());
    value["proxy"] = match &cluster.proxy {
        Some(proxy) => json!({
            "variables": proxy.urls().map(|(variable, _)| variable).collect::<Vec<_>>(),
            "exceptions": cluster.proxy_exceptions(),
        }),
        None => Value::Null,
    };
    let control_plane = &cluster.control_plane;
    value["control_plane"]["endpoint"] =
        join_port(&control_plane.endpoint_host, control_plane.endpoint_port).into();
    let network = &cluster.network;
    value["network"]["api_service_address"] = to_json(&network.api_service_address());
    value["network"]["dns_service_address"] = to_json(&network.dns_service_address());
    value["network"]["registry_service_address"] = to_json(&network.registry_service_address());
    value
}

/// A host, with the URLs by which the other members of etcd know it, and clients.
fn host_value(host: &HostSpec) -> Value {
    let mut value = to_json(host);
    value["etcd_peer_url"] = to_json(&host.etcd_peer_url());
    value["etcd_client_url"] = to_json(&host.etcd_client_url());
    value
}

/// The bundle's own lists of what belongs on nodes, for `for_each`.
fn bundle_value(bundle: &Release) -> Value {
    let links: Vec<Value> = bundle
        .node_programs
        .iter()
        .flat_map(|program| {
            let target = &program.path;
            program
                .links
                .iter()
                .map(move |path| json!({ "path": path, "target": target }))
        })
        .collect();
    let images = |placement| {
        let images = bundle.images.iter();
        images
            .filter(|(_, image)| image.nodes == placement)
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>()
    };
    json!({
        "programs": bundle.node_programs,
        "links": links,
        "images": images(Placement::All),
        "control_plane_images": images(Placement::ControlPlane),
        "files": bundle.files.keys().collect::<Vec<_>>(),
    })
}

/// The values are our own plain structs with string keys: JSON can hold them all.
fn to_json<T: Serialize + ?Sized>(value: &T) -> Value {
    #[expect(clippy::expect_used)]
    serde_json::to_value(value).expect("a plain struct is valid JSON")
}
