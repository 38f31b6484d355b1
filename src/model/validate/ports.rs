//! Ports of every node that two want to have: those that the inventory sets, against each other and all that a
//! node listens on.

use std::net::IpAddr;

use super::super::ClusterSpec;
use super::{Places, error};
use crate::diagnostic::{Diagnostics, Location};

/// Where the ports are set that the inventory can set.
#[derive(Debug, Default)]
pub(crate) struct PortPlaces {
    pub api: Option<Location>,
    pub proxy: Option<Location>,
    pub proxy_health: Option<Location>,
}

/// TCP ports that something listens on at all addresses or loopback.
const TAKEN: &[(u16, &str)] = &[
    (2379, "etcd"),
    (2380, "etcd"),
    (2381, "etcd"),
    (7946, "MetalLB"),
    (10248, "the kubelet"),
    (10249, "kube-proxy"),
    (10250, "the kubelet"),
    (10256, "kube-proxy"),
    (10257, "the controller manager"),
    (10259, "the scheduler"),
    (17472, "MetalLB"),
];

/// TCP ports of the DNS cache, at its own address.
const CACHE: &[u16] = &[53, 9253, 9254];

/// Something that the inventory gives a port to.
struct Owner<'a> {
    title: &'static str,
    variable: &'static str,
    port: u16,
    place: Option<&'a Location>,
    /// What it gets without the variable.
    default: &'static str,
    /// Whether it listens at all addresses; else at 127.0.0.1.
    everywhere: bool,
}

pub(super) fn check(spec: &ClusterSpec, places: &Places, diagnostics: &mut Diagnostics) {
    let places = &places.ports;
    let mut owners = vec![Owner {
        title: "the API server",
        variable: "kube_apiserver_port",
        port: spec.control_plane.bind_port,
        place: places.api.as_ref(),
        default: "to get 6443",
        everywhere: true,
    }];
    if let Some(proxy) = &spec.control_plane.proxy {
        owners.push(Owner {
            title: "the proxy to the API servers",
            variable: "loadbalancer_apiserver_port",
            port: proxy.port,
            place: places.proxy.as_ref(),
            default: "to get 7443",
            everywhere: false,
        });
        owners.extend(proxy.health_port.map(|port| Owner {
            title: "the health check of the proxy to the API servers",
            variable: "loadbalancer_apiserver_healthcheck_port",
            port,
            place: places.proxy_health.as_ref(),
            default: "to have none",
            everywhere: false,
        }));
    }
    for (index, owner) in owners.iter().enumerate() {
        // Of two that the inventory sets, the later one is wrong.
        let others = owners.iter().enumerate();
        let mut others = others.filter(|(other, it)| *other != index && it.port == owner.port);
        let rival = others.find(|(other, it)| *other < index || it.place.is_none());
        let taken = match rival {
            Some((_, rival)) => Some(format!("{} has it", rival.title)),
            None => taken(spec, owner),
        };
        if let (Some(taken), Some(place)) = (taken, owner.place) {
            let message = format!("{} can't have port {}: {taken}", owner.title, owner.port);
            let hint = format!("remove `{}` {}", owner.variable, owner.default);
            diagnostics.push(error(place, message, "taken").hint(hint));
        }
    }
}

/// Returns who has the port of an owner, apart from other owners.
fn taken(spec: &ClusterSpec, owner: &Owner<'_>) -> Option<String> {
    let port = owner.port;
    if spec.hosts.iter().any(|host| host.connection.port() == port) {
        return Some("the SSH server has it".to_owned());
    }
    if spec.control_plane.settings.node_ports().contains(&port) {
        return Some("a Service of type NodePort may have it".to_owned());
    }
    let cache: Option<IpAddr> = spec.dns.node_local_address.filter(|_| owner.everywhere);
    if cache.is_some() && CACHE.contains(&port) {
        return Some("the DNS cache has it".to_owned());
    }
    let taken = TAKEN.iter().find(|(taken, _)| *taken == port);
    taken.map(|(_, owner)| format!("{owner} has it"))
}
