//! Pod, service and node networks, and DNS inside the cluster.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// The cluster's networks.
#[derive(Clone, Debug, Serialize)]
pub struct Network {
    /// `kube_pods_subnet`; 10.233.64.0/18 by default.
    pub pod_cidr: IpNet,
    /// `kube_network_node_prefix`: prefix length of one node's share; 24 by default.
    pub node_prefix: u8,
    /// `kube_service_addresses`; 10.233.0.0/18 by default.
    pub service_cidr: IpNet,
    /// The smallest network that holds all node addresses, at least a /24.
    pub node_cidr: IpNet,
    pub proxy_mode: ProxyMode,
    /// `kube_proxy_strict_arp`: accepted; without effect in nftables mode.
    pub strict_arp: bool,
    /// `kube_network_plugin`; flannel by default.
    pub plugin: NetworkPlugin,
    /// The inventory names one that kinstall doesn't have and that enforces policies: `plugin` becomes what the cluster
    /// has, or what the bundle can do about it.
    #[serde(skip)]
    pub is_plugin_open: bool,
}

impl Network {
    /// Decides for the plugin where the inventory leaves it open.
    pub fn settle(&mut self, plugin: NetworkPlugin) {
        if self.is_plugin_open {
            self.plugin = plugin;
        }
    }

    /// Returns how many pods a node's share of the pod network has addresses for: all but the network's
    /// own, the bridge's, and broadcast.
    pub fn pods_per_node(&self) -> u32 {
        let bits = self
            .pod_cidr
            .max_prefix_len()
            .saturating_sub(self.node_prefix);
        1_u32
            .checked_shl(bits.into())
            .map_or(u32::MAX, |addresses| addresses.saturating_sub(3))
    }

    /// Returns the API server's service address: the first of the service network.
    pub fn api_service_address(&self) -> IpAddr {
        nth(self.service_cidr, 1)
    }

    /// Returns the cluster DNS service address: the third of the service network, as kubespray has it.
    pub fn dns_service_address(&self) -> IpAddr {
        nth(self.service_cidr, 3)
    }

    /// Returns the service address of the add-on `registry`: the fifth, as kubespray gives away four. Kubernetes chooses
    /// the first ones last for Services that ask for none.
    pub fn registry_service_address(&self) -> IpAddr {
        nth(self.service_cidr, 5)
    }
}

/// What connects pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkPlugin {
    /// The default: light, and enforces no policies.
    Flannel,
    /// Enforces policies: needs kernel 5.10.
    Cilium,
}

impl NetworkPlugin {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Flannel, Self::Cilium];

    /// Returns the name that inventories, playbooks and files call it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flannel => "flannel",
            Self::Cilium => "cilium",
        }
    }

    /// Returns the name of the file that it leaves on a node when it connects pods there.
    pub fn file(self) -> &'static str {
        match self {
            Self::Flannel => "10-flannel.conflist",
            Self::Cilium => "05-cilium.conflist",
        }
    }

    /// Finds one by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// How kube-proxy programs the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProxyMode {
    /// The default: needs kernel 5.13.
    Nftables,
    Iptables,
}

/// Names inside the cluster.
#[derive(Clone, Debug, Serialize)]
pub struct Dns {
    /// `dns_domain`, else `cluster_name`'s kubespray default `cluster.local`.
    pub domain: String,
    /// `nodelocaldns_ip` when `enable_nodelocaldns`; 169.254.25.10 by default.
    pub node_local_address: Option<IpAddr>,
    /// `upstream_dns_servers`; empty means: the node's own resolvers.
    pub upstream_servers: Vec<IpAddr>,
}

fn nth(network: IpNet, index: u32) -> IpAddr {
    match network {
        IpNet::V4(network) => IpAddr::V4((u32::from(network.network()) + index).into()),
        IpNet::V6(network) => {
            IpAddr::V6((u128::from(network.network()) + u128::from(index)).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::nth;

    #[test]
    fn service_addresses_are_counted_from_the_network() {
        let network = "10.233.0.0/18".parse().unwrap();
        assert_eq!(nth(network, 3).to_string(), "10.233.0.3");
    }
}
