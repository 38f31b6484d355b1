//! Whether Secrets are encrypted in etcd: only where the cluster began with a key for it.

use crate::credentials::ClusterSecrets;
use crate::model::ClusterSpec;

/// Turns encryption off for a cluster that has no key; returns what to say where the inventory asks for it. API
/// servers that don't have the key yet couldn't read what the first one that has it writes.
pub fn settle(cluster: &mut ClusterSpec, secrets: &ClusterSecrets) -> Option<String> {
    if secrets.encryption_key.is_some() {
        return None;
    }
    let asked = cluster.control_plane.settings.encryption.take()?;
    asked.is_asked_for.then(|| {
        "Secrets stay as they are in etcd: `kube_encrypt_secret_data` has an effect only on clusters that begin with \
         it, and an earlier kinstall made this one"
            .to_owned()
    })
}
