//! What templates know as `secrets`.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::project::no_secrets;
use crate::credentials::ClusterSecrets;
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
