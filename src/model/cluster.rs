//! The whole cluster.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::validate::Places;
use super::{
    Addons, ControlPlaneSettings, Dns, Etcd, HostSpec, Network, NetworkPlugin, Proxy, Registries,
    WantedVersion,
};
use crate::addon::Addon;
use crate::diagnostic::Location;
use crate::secret::Secret;

/// A validated cluster: everything that the plan, the provider and the templates need.
///
/// It is serialised into the template context as `cluster`, so field names are what templates say.
#[derive(Clone, Debug, Serialize)]
pub struct ClusterSpec {
    /// Name of the cluster: kubeconfig context, state folder (kubespray's `cluster_name`; default: the
    /// name of the inventory's folder).
    pub name: String,
    /// `kube_version`; without it, the bundle's is wanted. Templates see the bundle's, which is what is
    /// installed.
    #[serde(skip)]
    pub kubernetes_version: Option<WantedVersion>,
    /// All hosts in inventory order; at least one has the control-plane role.
    pub hosts: Vec<HostSpec>,
    pub control_plane: ControlPlane,
    pub etcd: Etcd,
    pub network: Network,
    pub dns: Dns,
    pub addons: Addons,
    pub registries: Registries,
    /// Never serialised: its URLs may hold passwords. Templates see what is reached without it.
    #[serde(skip)]
    pub proxy: Option<Proxy>,
    /// Domain that completes node names in `/etc/hosts` (`node1.example.com`), if any.
    pub node_domain: Option<String>,
    /// `populate_inventory_to_hosts_file`: whether nodes know each other's names by `/etc/hosts`.
    pub hosts_file: bool,
    /// Images of the bundle, by short name, that every node gets besides those of the components.
    pub preload_images: Vec<String>,
    /// `kinstall_manifests`: files and folders with Kubernetes objects of the user's own.
    #[serde(skip)]
    pub manifests: Vec<ManifestPath>,
    /// What machines that kinstall makes have in common.
    pub machines: MachineDefaults,
    /// `kinstall_egress`: whether nodes that kinstall makes reach the internet through this computer; true by default.
    pub egress: bool,
    /// Who makes the machines; `None` when the inventory doesn't say.
    pub provider: Option<Provider>,
    /// Where the values stand in the inventory, for what is checked when the hosts have answered.
    #[serde(skip)]
    pub(crate) places: Arc<Places>,
}

impl ClusterSpec {
    /// Returns whether an add-on is wanted.
    pub fn has(&self, addon: &Addon) -> bool {
        match addon.name.as_str() {
            "cilium" => self.network.plugin == NetworkPlugin::Cilium,
            _ => self.addons.is_on(addon),
        }
    }

    /// Returns the hosts that run the control plane, in inventory order; never empty.
    pub fn control_planes(&self) -> impl Iterator<Item = &HostSpec> {
        self.hosts.iter().filter(|host| host.roles.control_plane)
    }

    /// Returns the hosts that only run workloads.
    pub fn workers(&self) -> impl Iterator<Item = &HostSpec> {
        let nodes = self.nodes();
        nodes.filter(|host| !host.roles.control_plane)
    }

    /// Returns the nodes of Kubernetes: all hosts but those that only run etcd.
    pub fn nodes(&self) -> impl Iterator<Item = &HostSpec> {
        self.hosts.iter().filter(|host| host.roles.is_node())
    }

    /// Returns the hosts that run a member of etcd; never empty.
    pub fn etcd_hosts(&self) -> impl Iterator<Item = &HostSpec> {
        self.hosts.iter().filter(|host| host.roles.etcd)
    }

    /// Returns where the API servers answer what is outside of the cluster, as `host:port`: the load
    /// balancer, or every control plane.
    pub fn api_servers(&self) -> Vec<String> {
        match &self.control_plane.load_balancer {
            Some(load_balancer) => vec![load_balancer.clone()],
            None => self
                .control_planes()
                .filter_map(|host| host.access_address)
                .map(|address| join_port(&address.to_string(), self.control_plane.bind_port))
                .collect(),
        }
    }

    /// Returns the secrets that the inventory holds, under the names that templates know them by.
    pub fn secrets(&self) -> BTreeMap<String, Secret> {
        let logins = self.registries.logins.iter();
        let logins = logins.filter_map(|it| Some((it.secret_name.clone(), it.secret.clone()?)));
        let proxies = self.proxy.iter().flat_map(Proxy::urls);
        let proxies = proxies.map(|(variable, url)| (variable.to_owned(), url.clone()));
        logins.chain(proxies).collect()
    }

    /// Finds a host by its inventory name.
    pub fn host(&self, name: &str) -> Option<&HostSpec> {
        self.hosts.iter().find(|host| host.name == name)
    }
}

/// Writes an address or a name with a port, as URLs have it.
pub fn join_port(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// A file or a folder with the user's manifests, and where the inventory names it.
#[derive(Clone, Debug)]
pub struct ManifestPath {
    pub path: PathBuf,
    pub location: Location,
}

/// How the API server is reached.
#[derive(Clone, Debug, Serialize)]
pub struct ControlPlane {
    /// Host of the API endpoint that nodes use: the node itself where [`ControlPlane::proxy`] runs, else
    /// `loadbalancer_apiserver`, else the first control plane's address.
    pub endpoint_host: String,
    /// Port of that endpoint.
    pub endpoint_port: u16,
    /// The proxy on every node that leads to whichever API server is healthy; `None` where the nodes go
    /// to a load balancer or straight to the first control plane.
    pub proxy: Option<ApiProxy>,
    /// `loadbalancer_apiserver`, as `host:port`: what is outside of the cluster uses it.
    pub load_balancer: Option<String>,
    /// Port that the API server listens on (`kube_apiserver_port`).
    pub bind_port: u16,
    /// Further names and addresses in the API server's certificate
    /// (`supplementary_addresses_in_ssl_keys`).
    pub extra_names: Vec<String>,
    pub settings: ControlPlaneSettings,
}

/// The proxy to the API servers that runs on every node, at `127.0.0.1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiProxy {
    /// `loadbalancer_apiserver_port`.
    pub port: u16,
    /// `loadbalancer_apiserver_healthcheck_port`: answers `GET /healthz`, if it is set.
    pub health_port: Option<u16>,
}

/// What all machines that kinstall makes get at their first boot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineDefaults {
    /// `machine_time_zone`, such as `Europe/Berlin`; the image's own (UTC) without it.
    pub time_zone: Option<String>,
    /// `machine_proxy`: URL of an HTTP proxy for the package manager.
    pub proxy: Option<String>,
    /// `machine_package_mirror`: URL that takes the place of the distribution's archive.
    pub package_mirror: Option<String>,
}

/// Who makes the machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Virtual machines of VirtualBox.
    VirtualBox,
    /// Virtual machines of QEMU, with KVM where it works.
    Qemu,
    /// systemd-nspawn system containers on this computer.
    Container,
    /// Machines that are there already; kinstall never makes or removes them.
    Existing,
}

impl Provider {
    pub const ALL: [Self; 4] = [
        Self::VirtualBox,
        Self::Qemu,
        Self::Container,
        Self::Existing,
    ];

    /// Returns the word that stands for it in inventories.
    pub fn name(self) -> &'static str {
        match self {
            Provider::VirtualBox => "virtualbox",
            Provider::Qemu => "qemu",
            Provider::Container => "container",
            Provider::Existing => "existing",
        }
    }

    /// Returns whether the lab's network can only be reached through kinstall.
    pub fn has_own_network(self) -> bool {
        matches!(self, Provider::Container | Provider::Qemu)
    }

    /// Returns whether kinstall makes the machines.
    pub fn makes_machines(self) -> bool {
        self != Provider::Existing
    }
}
