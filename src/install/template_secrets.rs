//! What templates know as `secrets`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use super::lab::Keys;
use super::project::no_secrets;
use crate::credentials::pki::KeyedCertificate;
use crate::credentials::{ClusterSecrets, KeptCertificates, WantedCertificate};
use crate::diagnostic::Diagnostics;
use crate::model::{ClusterSpec, HostSpec};
use crate::playbook::Secrets;
use crate::secret::Secret;

/// Who may ask etcd on hosts everything: the API servers, and who looks after etcd.
const ETCD_CLIENTS: [(&str, &str); 2] = [
    ("etcd_apiserver_client", "kube-apiserver-etcd-client"),
    ("etcd_healthcheck_client", "kube-etcd-healthcheck-client"),
];

/// Returns the cluster's own secrets, those of the inventory, the certificates of hosts whose addresses are known, and
/// the certificate of the ingress controller: a new one each time, which is only used where the cluster has none for
/// these names.
pub fn of(
    cluster: &ClusterSpec,
    secrets: &ClusterSecrets,
    state_folder: &Path,
    access: Keys,
) -> Result<Secrets, Diagnostics> {
    let now = SystemTime::now();
    let mut all = Secrets {
        cluster: secrets.as_map(),
        hosts: BTreeMap::new(),
    };
    all.cluster.extend(cluster.secrets());
    if let Some(ingress) = &cluster.addons.ingress {
        let made = secrets.for_ingress(&ingress.certificate_names(), now);
        all.cluster
            .extend(made.map_err(|error| vec![no_secrets(&error)])?);
    }
    let wanted = wanted(cluster, secrets);
    let certificates: Vec<_> = wanted.iter().map(|it| it.certificate.clone()).collect();
    let kept =
        KeptCertificates::load_or_make(state_folder, &certificates, access == Keys::Make, now);
    let kept = kept.map_err(|error| vec![no_secrets(&error)])?;
    for it in wanted {
        let secrets = match it.host {
            Some(host) => all.hosts.entry(host.to_owned()).or_default(),
            None => &mut all.cluster,
        };
        if let Some(pair) = kept.get(&it.certificate.name) {
            put(secrets, it.secret, pair);
        }
    }
    Ok(all)
}

/// A certificate, and who knows it.
struct Wanted<'a> {
    /// `NAME_certificate` and `NAME_key` in templates.
    secret: &'a str,
    /// Only this one's templates; else all.
    host: Option<&'a str>,
    certificate: WantedCertificate<'a>,
}

fn wanted<'a>(cluster: &'a ClusterSpec, secrets: &'a ClusterSecrets) -> Vec<Wanted<'a>> {
    let of_host = |host: &'a HostSpec, secret, authority, is_client, names| Wanted {
        secret,
        host: Some(&host.name),
        certificate: WantedCertificate {
            name: format!("{secret}/{}", host.name),
            authority,
            common_name: &host.name,
            names,
            is_client,
        },
    };
    let nodes = cluster.hosts.iter().filter(|it| it.roles.is_node());
    // An unknown address is known another time: the certificate for it stays what it is.
    let nodes = nodes.filter(|it| it.address.is_some());
    let mut all: Vec<Wanted<'_>> = nodes
        .map(|host| {
            let authority = secrets.cluster_authorities.signing();
            of_host(host, "kubelet", authority, false, names(host, &[]))
        })
        .collect();
    if !cluster.etcd.on_hosts {
        return all;
    }
    let authority = secrets.etcd_authorities.signing();
    for (secret, common_name) in ETCD_CLIENTS {
        let certificate = WantedCertificate {
            name: secret.to_owned(),
            authority,
            common_name,
            names: Vec::new(),
            is_client: true,
        };
        all.push(Wanted {
            secret,
            host: None,
            certificate,
        });
    }
    for host in cluster.etcd_hosts().filter(|it| it.address.is_some()) {
        for secret in ["etcd_server", "etcd_peer"] {
            let names = names(host, &["localhost", "127.0.0.1", "::1"]);
            all.push(of_host(host, secret, authority, true, names));
        }
    }
    all
}

/// Returns the names by which a host is reached.
fn names(host: &HostSpec, others: &[&str]) -> Vec<String> {
    let addresses = [host.address, host.access_address].into_iter().flatten();
    let addresses = addresses.map(|it| it.to_string());
    let others = others.iter().map(|it| (*it).to_owned());
    let own = std::iter::once(host.name.clone());
    let mut names: Vec<String> = own.chain(others).chain(addresses).collect();
    names.dedup();
    names
}

fn put(secrets: &mut BTreeMap<String, Secret>, name: &str, pair: &KeyedCertificate) {
    let certificate = Secret::new(pair.certificate.clone());
    secrets.insert(format!("{name}_certificate"), certificate);
    secrets.insert(format!("{name}_key"), pair.key.clone());
}
