//! Add-ons that the inventory switches on.

use std::net::IpAddr;

use serde::Serialize;

/// The add-ons of the cluster.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Addons {
    /// `metrics_server_enabled`.
    pub metrics_server: bool,
    /// `metallb_enabled`.
    pub metallb: Option<MetalLb>,
    /// `ingress_nginx_enabled` (or `ingress_enabled`).
    pub ingress: Option<Ingress>,
}

/// MetalLB in layer 2 mode.
#[derive(Clone, Debug, Serialize)]
pub struct MetalLb {
    /// `metallb_ip_range` and the pools of other variables, in inventory order.
    pub pools: Vec<AddressPool>,
}

/// Addresses that Services of type LoadBalancer get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AddressPool {
    /// What Services ask for by the annotation `metallb.io/address-pool`.
    pub name: String,
    pub ranges: Vec<AddressRange>,
    /// Whether Services that ask for no pool get addresses of this one.
    pub auto_assign: bool,
}

/// Inclusive address range, written `first-last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AddressRange {
    pub first: IpAddr,
    pub last: IpAddr,
}

/// The ingress controller (Contour with Envoy).
#[derive(Clone, Debug, Serialize)]
pub struct Ingress {
    /// Ingress classes that are served; the first is the default class for class-less objects.
    pub classes: Vec<String>,
    /// `ingress_nginx_without_class`: whether objects without a class are served as well.
    pub without_class: bool,
}
