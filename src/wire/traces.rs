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
    /// The same of the files of authorities, with those that are accepted behind the one that signs.
    #[serde(default)]
    pub accepted: BTreeMap<String, Vec<Sha256>>,
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
    authority_digests(pem).into_iter().next()
}

/// Returns the same of what a kubeconfig has of an authority: a PEM text in base64.
pub fn authority_of_data(data: &str) -> Option<Sha256> {
    let pem = STANDARD.decode(data).ok()?;
    authority_digest(&String::from_utf8(pem).ok()?)
}

/// Returns the digests of all authorities of a PEM text, in its order.
pub fn authority_digests(pem: &str) -> Vec<Sha256> {
    let digests = blocks(pem, "CERTIFICATE").map(|der| Sha256::of(&der));
    digests.collect()
}

/// Returns what an encryption key is known by, without the key itself: its name, and the beginning of a digest.
pub fn key_fingerprint(name: &str, secret: &str) -> String {
    let digest = Sha256::of(secret.as_bytes()).to_string();
    format!("{name} {}", &digest[..16])
}

/// Returns the names that Kubernetes gives the public keys of a PEM text, as tokens have them in their headers: their hashes.
pub fn public_key_ids(pem: &str) -> Vec<String> {
    let hashes = blocks(pem, "PUBLIC KEY").map(|der| Sha256::of(&der));
    hashes
        .map(|hash| URL_SAFE_NO_PAD.encode(hash.bytes()))
        .collect()
}

/// Returns what is in the blocks of a PEM text that have this label.
fn blocks(pem: &str, label: &str) -> impl Iterator<Item = Vec<u8>> {
    let (begin, end) = ["BEGIN", "END"]
        .map(|it| format!("-----{it} {label}-----"))
        .into();
    let bodies: Vec<&str> = pem.split(begin.as_str()).skip(1).collect();
    let decoded: Vec<Vec<u8>> = bodies
        .into_iter()
        .filter_map(|rest| {
            let (body, _) = rest.split_once(&end)?;
            let body: String = body.split_whitespace().collect();
            STANDARD.decode(body).ok()
        })
        .collect();
    decoded.into_iter()
}
