//! Reads the whole cluster: which hosts belong to it, and what holds for all of them.

use std::path::Path;
use std::sync::Arc;

use super::super::members::{members, stranger};
use super::super::names::{corrected, is_subdomain};
use super::super::validate::Places;
use super::super::{
    ClusterSpec, Etcd, HostSpec, JumpHost, ManifestPath, Provider, VersionRequest, WantedVersion,
    defaults, etcd,
};
use super::{
    Reader, addons, connection, endpoint, expand_home, host, machines, network, proxy, registries,
    shared_folder,
};
use crate::diagnostic::{Diagnostics, Location};
use crate::did_you_mean::closest;
use crate::inventory::{Host, Inventory};

/// Reads everything; what can't be read is reported and replaced by its default, so that the other
/// errors are found as well.
pub(in super::super) fn cluster(
    inventory: &Inventory,
    diagnostics: &mut Diagnostics,
) -> ClusterSpec {
    let members = members(inventory);
    let bastion = bastion(inventory, diagnostics);
    let mut hosts = Vec::new();
    for (member, roles) in &members {
        if let Some(stranger) = stranger(inventory, member) {
            diagnostics.push(stranger);
            continue;
        }
        let jump = bastion.as_ref().filter(|(name, _)| *name != member.name);
        hosts.extend(host::host(
            inventory,
            member,
            *roles,
            jump.map(|(_, jump)| jump),
            diagnostics,
        ));
    }

    let mut scopes: Vec<&Host> = members.iter().map(|(member, _)| *member).collect();
    scopes.sort_by_key(|member| {
        !members
            .iter()
            .any(|(host, roles)| host.name == member.name && roles.control_plane)
    });
    let mut reader = Reader::of_cluster(inventory, scopes, diagnostics);
    let cluster_name = reader.text(&["cluster_name"]);
    let domain = domain(
        &mut reader,
        cluster_name.as_ref().map(|name| name.value.as_str()),
    );
    let networks = network::networks(&mut reader);
    let network = network::network(
        &mut reader,
        &networks,
        hosts.iter().filter_map(|host| host.spec.address),
    );
    for host in hosts.iter_mut().filter(|host| host.max_pods.is_none()) {
        let max_pods = &mut host.spec.kubelet.max_pods;
        *max_pods = network.pods_per_node().min(*max_pods);
    }
    let mut addons = addons::addons(&mut reader);
    let first_address = hosts
        .iter()
        .find(|host| host.spec.roles.control_plane)
        .and_then(|host| Some(host.spec.access_address?.to_string()));
    let (control_plane, ports) = endpoint::control_plane(&mut reader, first_address);
    let etcd = Etcd::read(&mut reader, etcd::is_on_hosts(inventory));
    let provider = provider(&mut reader);
    let makes_machines = provider.is_some_and(Provider::makes_machines);
    addons.addons.settle(makes_machines);
    let proxy = proxy::proxy(&mut reader);
    let dns = network::dns(&mut reader, domain);
    let places = Places {
        addresses: hosts.iter().map(|host| host.address.clone()).collect(),
        names: hosts.iter().map(|host| host.name.clone()).collect(),
        networks,
        pools: addons.ranges,
        ports,
        cache_address: dns.cache_address,
        upstream_servers: dns.upstream_servers,
        max_pods: hosts.iter().map(|host| host.max_pods.clone()).collect(),
    };
    let mut hosts: Vec<HostSpec> = hosts.into_iter().map(|host| host.spec).collect();
    for shared in hosts
        .iter_mut()
        .flat_map(|it| &mut it.machine.shared_folders)
    {
        shared.host = shared_folder::absolute(inventory.folder(), &shared.host);
    }
    ClusterSpec {
        name: cluster_name
            .map(|name| name.value)
            .filter(|name| name != defaults::DNS_DOMAIN)
            .unwrap_or_else(|| folder_name(&inventory.file.path)),
        kubernetes_version: kubernetes_version(&mut reader),
        control_plane,
        etcd,
        network,
        dns: dns.dns,
        addons: addons.addons,
        registries: registries::registries(&mut reader),
        node_domain: node_domain(&mut reader),
        hosts_file: reader
            .boolean("populate_inventory_to_hosts_file")
            .unwrap_or(true),
        preload_images: texts(&mut reader, "preload_images", "a list of image names"),
        manifests: manifests(&mut reader),
        machines: machines::machines(&mut reader, provider, proxy.as_ref()),
        proxy,
        egress: egress(&mut reader, provider),
        provider,
        hosts,
        places: Arc::new(places),
    }
}

fn bastion<'a>(
    inventory: &'a Inventory,
    diagnostics: &mut Diagnostics,
) -> Option<(&'a str, JumpHost)> {
    let host = *inventory.hosts_in("bastion").first()?;
    let mut reader = Reader::of_host(inventory, host, diagnostics);
    Some((&host.name, connection::bastion(&mut reader, host)))
}

/// Reads a list of texts; `what` describes it in the message about anything else.
fn texts(reader: &mut Reader<'_>, name: &'static str, what: &'static str) -> Vec<String> {
    let mut texts = Vec::new();
    for value in reader.list(name) {
        match value.text() {
            Some(text) => texts.push(text.to_owned()),
            None => reader.wrong_kind(name, &value, what),
        }
    }
    texts
}

/// Reads the paths of the user's manifests, which start at the folder of the file that names them.
fn manifests(reader: &mut Reader<'_>) -> Vec<ManifestPath> {
    let name = "kinstall_manifests";
    let mut paths = Vec::new();
    for value in reader.list(name) {
        match value.text() {
            Some(path) => {
                let folder = value.location.path().parent().unwrap_or(Path::new(""));
                paths.push(ManifestPath {
                    path: folder.join(expand_home(path)),
                    location: value.location.clone(),
                });
            }
            None => reader.wrong_kind(name, &value, "a list of files and folders"),
        }
    }
    paths
}

fn kubernetes_version(reader: &mut Reader<'_>) -> Option<WantedVersion> {
    let wanted = reader.text(&["kube_version"])?;
    let location = wanted.location?;
    let version = VersionRequest::parse(&wanted.value);
    if version.is_none() {
        reader.error(
            &location,
            format!("`kube_version` is not a version: `{}`", wanted.value),
            "must have two or three parts",
            "write it like `1.37.2`, or like `1.37` for the newest patch release of the bundle",
        );
    }
    Some(WantedVersion {
        version: version?,
        location,
    })
}

fn provider(reader: &mut Reader<'_>) -> Option<Provider> {
    let provider = reader.text(&["kinstall_provider"])?;
    let names = Provider::ALL.map(Provider::name);
    let found = Provider::ALL
        .into_iter()
        .find(|it| it.name() == provider.value);
    if found.is_none() {
        let hint = closest(&provider.value, names).map_or(
            "`virtualbox`, `qemu` and `container` make machines on this computer, `existing` uses \
             those that are there"
                .to_owned(),
            |name| format!("did you mean `{name}`?"),
        );
        report(
            reader,
            provider.location.as_ref(),
            format!("unknown provider `{}`", provider.value),
            hint,
        );
    }
    found
}

fn egress(reader: &mut Reader<'_>, provider: Option<Provider>) -> bool {
    let name = "kinstall_egress";
    let is_wanted = reader.boolean(name).unwrap_or(true);
    let can_close = matches!(provider, Some(Provider::Container | Provider::Qemu) | None);
    if let Some(value) = reader.value(name).filter(|_| !is_wanted && !can_close) {
        reader.warning(
            &value.location,
            format!("`{name}: false` is only for machines of `container` and `qemu`"),
            "no effect on others",
            "other machines keep the internet access that they have",
        );
    }
    is_wanted
}

/// kubespray's `dns_domain` is its `cluster_name` unless it is set.
fn domain(reader: &mut Reader<'_>, cluster_name: Option<&str>) -> String {
    let own = reader.text(&["dns_domain"]);
    let location = own
        .as_ref()
        .and_then(|domain| domain.location.clone())
        .or_else(|| reader.value("cluster_name").map(|value| value.location));
    let domain = own
        .map(|domain| domain.value)
        .or(cluster_name.map(str::to_owned))
        .unwrap_or_else(|| defaults::DNS_DOMAIN.to_owned());
    if !is_subdomain(&domain) {
        let suggestion = corrected(&domain).unwrap_or_else(|| defaults::DNS_DOMAIN.to_owned());
        report(
            reader,
            location.as_ref(),
            format!("`{domain}` is no DNS domain for a cluster"),
            format!(
                "only lower-case letters, digits, `-` and `.`; `cluster_name` is the domain of services \
                 as well where there is no `dns_domain`: set `dns_domain: {suggestion}`"
            ),
        );
    }
    domain
}

fn node_domain(reader: &mut Reader<'_>) -> Option<String> {
    let domain = reader.text(&["node_domain"])?;
    if !is_subdomain(&domain.value) {
        let hint = corrected(&domain.value).map_or_else(
            || "write it like `example.com`".to_owned(),
            |corrected| format!("write `{corrected}`"),
        );
        let message = format!("`{}` is not a valid domain for nodes", domain.value);
        report(reader, domain.location.as_ref(), message, hint);
    }
    Some(domain.value)
}

fn report(reader: &mut Reader<'_>, location: Option<&Location>, message: String, hint: String) {
    if let Some(location) = location {
        reader.error(location, message, "not valid", hint);
    }
}

fn folder_name(inventory: &Path) -> String {
    let absolute = std::path::absolute(inventory).ok();
    absolute
        .as_deref()
        .and_then(Path::parent)
        .and_then(Path::file_name)
        .map_or_else(
            || "kubernetes".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        )
}
