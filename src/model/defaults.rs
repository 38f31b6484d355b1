//! What holds where the inventory says nothing.
//!
//! Networks are kubespray's, so that an inventory means the same cluster under both.

use std::net::{IpAddr, Ipv4Addr};

pub const POD_CIDR: &str = "10.233.64.0/18";
pub const SERVICE_CIDR: &str = "10.233.0.0/18";
/// Prefix length of one node's share of the pod network.
pub const NODE_PREFIX: u8 = 24;
pub const API_SERVER_PORT: u16 = 6443;
/// Port of the proxy to the API servers on every node. Not the API server's own, which kubespray has there
/// on workers: control planes have the proxy as well.
pub const API_PROXY_PORT: u16 = 7443;
pub const SSH_PORT: u16 = 22;
pub const DNS_DOMAIN: &str = "cluster.local";
/// Address of NodeLocal DNSCache on every node.
pub const NODE_LOCAL_DNS: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 25, 10));
/// What the course's machines have.
pub const MACHINE_CPUS: u32 = 2;
pub const MACHINE_MEMORY_MIB: u64 = 2048;
pub const MACHINE_DISK_GIB: u64 = 20;
/// Image of machines without `machine_image`; a name of the image catalog.
pub const MACHINE_IMAGE: &str = "debian-13";
/// MetalLB's pool without `metallb_pool_name`.
pub const METALLB_POOL: &str = "inventory";
/// Classes that the ingress controller serves; the first also takes objects without a class. `contour` is what earlier
/// kinstalls had beside it.
pub const INGRESS_CLASSES: [&str; 2] = ["nginx", "contour"];
