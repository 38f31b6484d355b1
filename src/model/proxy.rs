//! The proxy between containerd and registries.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::ClusterSpec;
use crate::secret::Secret;

/// The proxy that containerd asks registries through. The kubelet and Kubernetes' own programs get none: all
/// that they talk to is in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// `http_proxy`: URL, maybe with a password in it.
    pub http: Option<Secret>,
    /// `https_proxy`.
    pub https: Option<Secret>,
    /// `no_proxy`: what is reached directly, in place of the cluster's own networks and names.
    pub replaced_exceptions: Option<Vec<String>>,
    /// `additional_no_proxy`: what else is reached directly.
    pub additional_exceptions: Vec<String>,
}

impl Proxy {
    /// Returns the URLs, each under the name of its variable.
    pub fn urls(&self) -> impl Iterator<Item = (&'static str, &Secret)> {
        let urls = [("http_proxy", &self.http), ("https_proxy", &self.https)];
        let urls = urls.into_iter();
        urls.filter_map(|(variable, url)| Some((variable, url.as_ref()?)))
    }
}

impl ClusterSpec {
    /// Returns what containerd reaches without the proxy. Nodes are there by their networks, so that a node that is
    /// added to one of them changes nothing on the others.
    pub fn proxy_exceptions(&self) -> Vec<String> {
        let Some(proxy) = &self.proxy else {
            return Vec::new();
        };
        let mut exceptions = match &proxy.replaced_exceptions {
            Some(replaced) => replaced.clone(),
            None => self.own_exceptions(),
        };
        exceptions.extend(proxy.additional_exceptions.iter().cloned());
        let mut once: Vec<String> = Vec::new();
        for exception in exceptions {
            if !once.contains(&exception) {
                once.push(exception);
            }
        }
        once
    }

    fn own_exceptions(&self) -> Vec<String> {
        let mut exceptions = vec!["localhost".to_owned(), "127.0.0.0/8".to_owned()];
        let network = &self.network;
        let addresses = self.hosts.iter();
        let addresses = addresses.flat_map(|host| [host.address, host.access_address]);
        let mut networks = vec![network.service_cidr, network.pod_cidr];
        let nodes: Vec<IpNet> = addresses.flatten().filter_map(surrounding).collect();
        networks.extend(IpNet::aggregate(&nodes));
        exceptions.extend(networks.iter().map(ToString::to_string));
        exceptions.push(".svc".to_owned());
        exceptions.push(format!(".{}", self.dns.domain));
        exceptions.extend(self.node_domain.iter().map(|domain| format!(".{domain}")));
        let endpoint = self.control_plane.load_balancer.as_ref();
        let endpoint = endpoint.and_then(|it| Some(it.rsplit_once(':')?.0));
        exceptions.extend(endpoint.map(|host| host.trim_matches(['[', ']']).to_owned()));
        exceptions
    }
}

/// Returns the network of 256 addresses (or the /64) that an address is in.
fn surrounding(address: IpAddr) -> Option<IpNet> {
    Some(match address {
        IpAddr::V4(address) => Ipv4Net::new(address, 24).ok()?.trunc().into(),
        IpAddr::V6(address) => Ipv6Net::new(address, 64).ok()?.trunc().into(),
    })
}
