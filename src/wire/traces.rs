//! What a machine that has lived before carries of a cluster.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::resource::Sha256;

/// What a node carries of clusters: ours, or another one. Only what says whose it is, and what would be lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterTraces {
    /// Digests of the certificates (DER) of cluster authorities, by the file that holds each.
    pub authorities: BTreeMap<String, Sha256>,
    /// What doesn't say whose it is: `etcd data in /var/lib/etcd`.
    pub data: Vec<String>,
    /// Other distributions of Kubernetes: `K3s in /var/lib/rancher/k3s`.
    pub distributions: Vec<String>,
    /// A kubelet has its configuration here, and no attempt to give it one was cut off: the node is a member of a
    /// cluster, as far as it knows.
    pub joined: bool,
    /// Configurations of pod networks that kinstall's components wrote, by file name: `10-flannel.conflist`.
    pub pod_networks: Vec<String>,
}

/// Returns the digest that an authority is known by: that of the first certificate of a PEM text.
pub fn authority_digest(pem: &str) -> Option<Sha256> {
    let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let body: String = body.split_whitespace().collect();
    Some(Sha256::of(&STANDARD.decode(body).ok()?))
}

/// Returns what an encryption key is known by, without the key itself: its name, and the beginning of a digest.
pub fn key_fingerprint(name: &str, secret: &str) -> String {
    let digest = Sha256::of(secret.as_bytes()).to_string();
    format!("{name} {}", &digest[..16])
}

/// Returns the names that Kubernetes gives the public keys of a PEM text, as tokens have them in their headers: their hashes.
pub fn public_key_ids(pem: &str) -> Vec<String> {
    let keys = pem.split("-----BEGIN PUBLIC KEY-----").skip(1);
    let ids = keys.filter_map(|rest| {
        let (body, _) = rest.split_once("-----END PUBLIC KEY-----")?;
        let body: String = body.split_whitespace().collect();
        let hash = Sha256::of(&STANDARD.decode(body).ok()?);
        Some(URL_SAFE_NO_PAD.encode(hash.bytes()))
    });
    ids.collect()
}
