//! Ports that the API server can't have.

use super::super::ClusterSpec;
use super::{Places, error};
use crate::diagnostic::Diagnostics;

/// Ports of control planes that something else listens on, all addresses or loopback.
const TAKEN: &[(u16, &str)] = &[
    (2379, "etcd"),
    (2380, "etcd"),
    (2381, "etcd"),
    (10248, "the kubelet"),
    (10249, "kube-proxy"),
    (10250, "the kubelet"),
    (10256, "kube-proxy"),
    (10257, "the controller manager"),
    (10259, "the scheduler"),
    (17472, "MetalLB"),
];

pub(super) fn check(spec: &ClusterSpec, places: &Places, diagnostics: &mut Diagnostics) {
    let port = spec.control_plane.bind_port;
    let node_ports = spec.control_plane.settings.node_ports();
    let Some(location) = &places.api_port else {
        return;
    };
    let owner = if spec
        .control_planes()
        .any(|host| host.connection.port == port)
    {
        Some("the SSH server has it".to_owned())
    } else if node_ports.contains(&port) {
        Some("a Service of type NodePort may have it".to_owned())
    } else {
        let taken = TAKEN.iter().find(|(taken, _)| *taken == port);
        taken.map(|(_, owner)| format!("{owner} has it"))
    };
    if let Some(owner) = owner {
        diagnostics.push(
            error(
                location,
                format!("the API server can't have port {port}: {owner}"),
                "taken",
            )
            .hint("remove `kube_apiserver_port` to get 6443"),
        );
    }
}
