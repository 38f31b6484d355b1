//! Whether and with which keys Secrets are encrypted in etcd: only where the cluster began with a key for it.

use indexmap::IndexMap;

use super::authorities;
use crate::credentials::encryption_keys::EncryptionKey;
use crate::credentials::{ClusterSecrets, EncryptionKeys, RotationStep};
use crate::diagnostic::{Diagnostic, Kind};
use crate::model::ClusterSpec;
use crate::wire::{Facts, key_fingerprint};

/// Says that the inventory wants another algorithm than the cluster's data is encrypted with, where it does.
pub fn another_algorithm(
    secrets: &ClusterSecrets,
    cluster: &ClusterSpec,
    facts: &IndexMap<String, Facts>,
) -> Option<Diagnostic> {
    let wanted = &cluster
        .control_plane
        .settings
        .encryption
        .as_ref()?
        .algorithm;
    let mut found = cluster.control_planes().filter_map(|host| {
        let facts = facts.get(&host.name)?;
        let algorithm = &facts.encryption_algorithm;
        let is_another = !algorithm.is_empty() && algorithm != wanted;
        (is_another && authorities::is_ours(facts, secrets)).then_some((&host.name, algorithm))
    });
    let (host, found) = found.next()?;
    let message = format!(
        "`kube_encryption_algorithm` is {wanted}, and {host} has Secrets encrypted with {found}"
    );
    let problem = Diagnostic::error(Kind::Inventory, message)
        .hint("nothing was changed: API servers could not read what they have")
        .hint(format!(
            "set `kube_encryption_algorithm: {found}`; it can't be changed once there is a cluster"
        ));
    Some(problem)
}

/// Returns how control planes tell a key.
pub fn fingerprint(key: &EncryptionKey) -> String {
    key_fingerprint(&key.name(), key.secret().expose())
}

/// Tells the cluster which keys it has. Turns encryption off for one that has none: API servers that don't have the key
/// yet couldn't read what the first one that has it writes. Returns what to say of that, or of a rotation.
pub fn settle(cluster: &mut ClusterSpec, secrets: &ClusterSecrets) -> Option<String> {
    let settings = &mut cluster.control_plane.settings;
    if let Some(keys) = &secrets.encryption_keys {
        if let Some(encryption) = &mut settings.encryption {
            encryption.keys = names(keys);
            encryption.rewrites = keys.next_step() == Some(RotationStep::Switch);
        }
        let unfinished = "the rotation of the encryption key is not over: `kinstall encryption rotate` goes on with it";
        return keys.next_step().map(|_| unfinished.to_owned());
    }
    let asked = settings.encryption.take()?;
    asked.is_asked_for.then(|| {
        "Secrets stay as they are in etcd: `kube_encrypt_secret_data` has an effect only on clusters that begin with \
         it, and an earlier kinstall made this one"
            .to_owned()
    })
}

fn names(keys: &EncryptionKeys) -> Vec<String> {
    keys.active().iter().map(EncryptionKey::name).collect()
}
