//! Whether and with which keys Secrets are encrypted in etcd: only where the cluster began with a key for it.

use indexmap::IndexMap;

use crate::credentials::encryption_keys::EncryptionKey;
use crate::credentials::{ClusterSecrets, EncryptionKeys, RotationStep};
use crate::model::ClusterSpec;
use crate::wire::Facts;

/// Takes back retired keys that control planes still have, so that no plan drops a key that is in use.
pub fn keep_those_in_use(
    secrets: &mut ClusterSecrets,
    cluster: &ClusterSpec,
    facts: &IndexMap<String, Facts>,
) {
    if let Some(keys) = &mut secrets.encryption_keys {
        let control_planes = cluster.control_planes();
        let found = control_planes.filter_map(|host| facts.get(&host.name));
        keys.keep_found(found.map(|facts| facts.encryption_keys.as_slice()));
    }
}

/// Tells the cluster which keys it has. Turns encryption off for one that has none: API servers that don't have the key
/// yet couldn't read what the first one that has it writes. Returns what to say of that, or of a rotation.
pub fn settle(cluster: &mut ClusterSpec, secrets: &ClusterSecrets) -> Option<String> {
    let settings = &mut cluster.control_plane.settings;
    if let Some(keys) = &secrets.encryption_keys {
        if let Some(encryption) = &mut settings.encryption {
            encryption.keys = names(keys);
            encryption.rewrites = keys.next_step() == Some(RotationStep::Write);
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
