//! Add-ons that the inventory switches on.

use std::net::IpAddr;

use serde::Serialize;

/// The add-ons of the cluster.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Addons {
    /// `metrics_server_enabled`.
    pub metrics_server: bool,
    pub local_path: LocalPath,
    /// `metallb_enabled`.
    pub metallb: Option<MetalLb>,
    /// `ingress_nginx_enabled` (or `ingress_enabled`).
    pub ingress: Option<Ingress>,
}

/// Volumes on the nodes' own disks (local-path-provisioner).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LocalPath {
    pub enabled: bool,
    /// The inventory says whether: `local_path_provisioner_enabled`.
    pub is_said: bool,
    /// `local_path_provisioner_namespace`.
    pub namespace: String,
    /// `local_path_provisioner_storage_class`.
    pub storage_class: String,
    /// `local_path_provisioner_is_default_storageclass`.
    pub is_default: bool,
    /// `local_path_provisioner_reclaim_policy`: `Delete` or `Retain`.
    pub reclaim_policy: String,
    /// `local_path_provisioner_claim_root`: the folder of the volumes on each node.
    pub claim_root: String,
    /// `local_path_provisioner_debug`.
    pub debug: bool,
}

impl Default for LocalPath {
    fn default() -> Self {
        Self {
            enabled: false,
            is_said: false,
            namespace: "local-path-storage".to_owned(),
            storage_class: "local-path".to_owned(),
            is_default: true,
            reclaim_policy: "Delete".to_owned(),
            claim_root: "/opt/local-path-provisioner".to_owned(),
            debug: false,
        }
    }
}

impl LocalPath {
    /// Decides where the inventory doesn't say: machines that kinstall makes have nothing else to keep data on, so
    /// volumes work there at once; on other machines nothing is installed that kubespray wouldn't.
    pub fn settle(&mut self, makes_machines: bool) {
        if !self.is_said {
            self.enabled = makes_machines;
        }
    }
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
