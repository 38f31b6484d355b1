//! The keys of service accounts: how they are told apart, and which Secrets have tokens of which. Tokens that are kept in
//! Secrets don't end by themselves, so that a rotation of the key has to tell whose they are.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::kubectl;
use super::lab::LabMachines;
use super::project::Project;
use crate::credentials::pki::KeyPem;
use crate::credentials::rotating_keys::RotatingKey;
use crate::credentials::{ClusterSecrets, ServiceAccountKeys};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::model::ClusterSpec;
use crate::wire::public_key_ids;

/// Prints a Secret and the header of its token a line, and a last line; the token itself stays on the node. It is run in single
/// quotes.
const LIST: &str = r#"get secrets --all-namespaces --field-selector type=kubernetes.io/service-account-token --output "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {.data.token}{\"\n\"}{end}end{\"\n\"}" | while read -r name token; do echo "$name $(echo "$token" | base64 -d | cut -d . -f 1)"; done"#;

/// Returns the name that Kubernetes gives a key.
pub fn key_name(key: &RotatingKey<KeyPem>) -> String {
    public_key_ids(&key.secret().public).concat()
}

/// Tells the cluster which keys it has. Returns what to say of a rotation.
pub fn settle(cluster: &mut ClusterSpec, secrets: &ClusterSecrets) -> Option<String> {
    let keys = &secrets.service_accounts;
    let names = keys.active().iter().map(key_name);
    cluster.control_plane.settings.service_account_keys = names.collect();
    let unfinished = "the rotation of the key of service accounts is not over: `kinstall certs rotate-sa-key` goes on with it";
    keys.next_step().map(|_| unfinished.to_owned())
}

/// Returns the Secrets whose tokens another key than the present one has signed, as `namespace/name`.
pub fn secrets_of_other_keys(
    project: &Project,
    machines: &LabMachines,
    keys: &ServiceAccountKeys,
) -> Result<Vec<String>, Diagnostics> {
    let signing = key_name(&keys.active()[0]);
    let finished = kubectl::run(project, machines, &[LIST])?;
    let listing = String::from_utf8_lossy(&finished.stdout);
    if !listing.ends_with("end \n") {
        let said = String::from_utf8_lossy(&finished.stderr);
        let last = said.lines().last().unwrap_or("no output");
        let message = format!("the API server did not answer: {last}");
        return Err(vec![
            Diagnostic::error(Kind::Environment, message).hint("`kinstall status` shows more"),
        ]);
    }
    Ok(of_another(&listing, &signing))
}

fn of_another(listing: &str, signing: &str) -> Vec<String> {
    let lines = listing.lines().filter_map(|line| line.split_once(' '));
    // One without a token gets it from the present key.
    let tokens = lines.filter(|(_, header)| !header.is_empty());
    let of_another = tokens.filter(|(_, header)| key_of(header).as_deref() != Some(signing));
    of_another.map(|(name, _)| name.to_owned()).collect()
}

/// Returns the name of the key that has signed a token, from the token's header.
fn key_of(header: &str) -> Option<String> {
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    Some(header["kid"].as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_the_present_key_are_not_named() {
        let header =
            |kid: &str| URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#));
        let listing = format!(
            "ci/old {}\nci/new {}\nci/none \nci/odd x\nend \n",
            header("one"),
            header("two")
        );
        assert_eq!(of_another(&listing, "two"), ["ci/old", "ci/odd"]);
    }
}
