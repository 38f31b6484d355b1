//! Networks that are too small or too large for what they are to hold.

use super::super::{ClusterSpec, Network};
use super::{Places, error};
use crate::diagnostic::{Diagnostic, Diagnostics};

/// What kubeadm accepts: bits of a service network's addresses (16 addresses to 1,048,576) …
const SERVICE_BITS: std::ops::RangeInclusive<u8> = 4..=20;
/// … and bits between a pod network and one node's share.
const MOST_NODE_BITS: u8 = 16;

/// Pods of a node that kinstall's own components may take, with a few of the user's.
const LEAST_PODS: u32 = 16;

pub(super) fn check(spec: &ClusterSpec, places: &Places, diagnostics: &mut Diagnostics) {
    check_services(&spec.network, places, diagnostics);
    check_nodes(spec, places, diagnostics);
    check_pods(spec, places, diagnostics);
}

fn check_services(network: &Network, places: &Places, diagnostics: &mut Diagnostics) {
    let cidr = network.service_cidr;
    let bits = cidr.max_prefix_len() - cidr.prefix_len();
    let Some(location) = &places.networks.service_cidr.location else {
        return;
    };
    let (fault, label) = if bits < *SERVICE_BITS.start() {
        ("small", "too few addresses")
    } else if bits > *SERVICE_BITS.end() {
        ("large", "too many addresses")
    } else {
        return;
    };
    let [largest, smallest] =
        [SERVICE_BITS.end(), SERVICE_BITS.start()].map(|bits| cidr.max_prefix_len() - bits);
    diagnostics.push(
        error(location, format!("service network {cidr} is too {fault}"), label).hint(format!(
            "`kube_service_addresses` must be a /{largest} to /{smallest}; 10.233.0.0/18 is the default"
        )),
    );
}

/// Every node needs a share of the pod network.
fn check_nodes(spec: &ClusterSpec, places: &Places, diagnostics: &mut Diagnostics) {
    let network = &spec.network;
    let networks = &places.networks;
    let place = networks.node_prefix.location.as_ref();
    let place = place.or(networks.pod_cidr.location.as_ref());
    let Some(location) = place.or(places.names.first()) else {
        return;
    };
    let bits = i32::from(network.node_prefix) - i32::from(network.pod_cidr.prefix_len());
    let needed = spec.nodes().count();
    let room = match u32::try_from(bits) {
        Ok(bits) if network.node_prefix <= network.pod_cidr.max_prefix_len() => {
            1_usize.checked_shl(bits).unwrap_or(usize::MAX)
        }
        _ => 0,
    };
    if room < needed {
        diagnostics.push(
            error(
                location,
                format!(
                    "pod network {} has room for {room} nodes of /{}, not for {needed}",
                    network.pod_cidr, network.node_prefix
                ),
                "too small",
            )
            .hint("choose a larger `kube_pods_subnet` or a longer `kube_network_node_prefix`"),
        );
    } else if bits > i32::from(MOST_NODE_BITS) {
        diagnostics.push(
            error(
                location,
                format!(
                    "pod network {} is too large for nodes of /{}",
                    network.pod_cidr, network.node_prefix
                ),
                "too many shares",
            )
            .hint(format!(
                "Kubernetes divides a pod network into at most 65536 shares: choose a smaller \
                 `kube_pods_subnet`, or `kube_network_node_prefix: {}`",
                network.pod_cidr.prefix_len() + MOST_NODE_BITS
            )),
        );
    }
}

/// Every pod needs an address of its node's share.
fn check_pods(spec: &ClusterSpec, places: &Places, diagnostics: &mut Diagnostics) {
    let network = &spec.network;
    if network.node_prefix > network.pod_cidr.max_prefix_len() {
        return;
    }
    let room = network.pods_per_node();
    let message = format!(
        "a node's share of the pod network, /{}, has addresses for {room} pods",
        network.node_prefix
    );
    let prefix = places.networks.node_prefix.location.as_ref();
    if let Some(prefix) = prefix.filter(|_| room < LEAST_PODS) {
        diagnostics.push(error(prefix, message, "too small").hint(
            "kinstall's own components take up to ten of them: choose a `kube_network_node_prefix` \
             of at most 27, or remove it to get 24",
        ));
        return;
    }
    let mut is_limited = false;
    for (host, place) in spec.hosts.iter().zip(&places.max_pods) {
        let wanted = host.kubelet.max_pods;
        match place {
            Some(place) if wanted > room => diagnostics.push(
                error(place, format!("{message}, not for {wanted}"), "too many").hint(format!(
                    "set `kubelet_max_pods: {room}`, or choose a shorter `kube_network_node_prefix`"
                )),
            ),
            None => is_limited |= wanted == room,
            Some(_) => {}
        }
    }
    if let Some(prefix) = prefix.filter(|_| is_limited) {
        diagnostics.push(
            Diagnostic::warning(message)
                .at(prefix.clone(), "fewer than the usual 110")
                .hint(format!(
                    "so nodes take {room} pods; write `kubelet_max_pods: {room}` to agree"
                )),
        );
    }
}
