//! What templates know as `secrets`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use super::lab::Keys;
use super::project::no_secrets;
use crate::credentials::{ClusterSecrets, EtcdCertificates};
use crate::diagnostic::Diagnostics;
use crate::model::ClusterSpec;
use crate::secret::Secret;

/// Returns the cluster's own secrets, those of the inventory, and the certificate of the ingress controller: a new one
/// each time, which is only used where the cluster has none for these names.
pub fn of(
    cluster: &ClusterSpec,
    secrets: &ClusterSecrets,
) -> Result<BTreeMap<String, Secret>, Diagnostics> {
    let mut all = secrets.as_map();
    all.extend(cluster.secrets());
    if let Some(ingress) = &cluster.addons.ingress {
        let made = secrets.for_ingress(&ingress.certificate_names(), SystemTime::now());
        all.extend(made.map_err(|error| vec![no_secrets(&error)])?);
    }
    Ok(all)
}

/// Returns the keys and certificates of etcd on hosts, for the hosts whose addresses are known; nothing where it isn't.
pub fn of_etcd(
    cluster: &ClusterSpec,
    secrets: &ClusterSecrets,
    state_folder: &Path,
    access: Keys,
) -> Result<BTreeMap<String, Secret>, Diagnostics> {
    if !cluster.etcd.on_hosts {
        return Ok(BTreeMap::new());
    }
    let hosts = cluster.etcd_hosts().map(|host| {
        let addresses = [host.address, host.access_address].into_iter().flatten();
        let addresses = addresses.map(|it| it.to_string());
        let names = [&host.name, "localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let mut names: Vec<String> = names.into_iter().chain(addresses).collect();
        names.dedup();
        (host.name.clone(), names)
    });
    let certificates = EtcdCertificates::load_or_make(
        state_folder,
        &secrets.etcd_authority,
        &hosts.collect(),
        access == Keys::Make,
        SystemTime::now(),
    );
    let certificates = certificates.map_err(|error| vec![no_secrets(&error)])?;
    Ok(certificates.as_map())
}
