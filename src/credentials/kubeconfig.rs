//! The user's kubeconfig: who the administrator is, and how the cluster is reached.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::authorities::Authorities;
use super::pki::{self, PkiError, Subject};
use crate::diagnostic::SourceFile;
use crate::secret::Secret;
use crate::yaml;

/// The group that `kubeadm init` makes a cluster administrator of.
const ADMINISTRATORS: &str = "kubeadm:cluster-admins";

/// Signs a certificate for the administrator and returns a kubeconfig with it.
///
/// `server` is the URL of the API server as this
/// computer reaches it; the context, the cluster and the user are named after the cluster.
pub fn admin_kubeconfig(
    authorities: &Authorities,
    cluster: &str,
    server: &str,
    now: SystemTime,
) -> Result<Secret, PkiError> {
    let subject = Subject {
        common_name: "kubernetes-admin",
        organizations: &[ADMINISTRATORS],
        names: &[],
        is_client: true,
    };
    let client = pki::make_certificate(authorities.signing(), subject, pki::ONE_YEAR, now)?;
    let user = format!("{cluster}-admin");
    let document = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": cluster,
            "cluster": {
                "server": server,
                "certificate-authority-data": STANDARD.encode(authorities.certificates()),
            },
        }],
        "users": [{
            "name": user,
            "user": {
                "client-certificate-data": STANDARD.encode(&client.certificate),
                "client-key-data": STANDARD.encode(client.key.expose()),
            },
        }],
        "contexts": [{ "name": cluster, "context": { "cluster": cluster, "user": user } }],
        "current-context": cluster,
    });
    Ok(Secret::new(yaml::to_text(&document)))
}

/// Returns whether a kubeconfig that [`admin_kubeconfig`] made is still good: for these authorities and this
/// server, and not near its certificate's end. Anything that can't be read isn't.
pub fn is_current(
    kubeconfig: &Secret,
    authorities: &Authorities,
    server: &str,
    now: SystemTime,
) -> bool {
    let file = Arc::new(SourceFile {
        path: PathBuf::from("kubeconfig"),
        text: kubeconfig.expose().to_owned(),
    });
    let Some(document) = yaml::documents(&file).ok().and_then(|mut them| them.pop()) else {
        return false;
    };
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    let decoded = |pointer: &str| {
        let bytes = STANDARD.decode(text(pointer)?).ok()?;
        String::from_utf8(bytes).ok()
    };
    let end = decoded("/users/0/user/client-certificate-data")
        .and_then(|certificate| pki::expiry(&certificate).ok());
    text("/clusters/0/cluster/server") == Some(server)
        && decoded("/clusters/0/cluster/certificate-authority-data").as_ref()
            == Some(&authorities.certificates())
        && end.is_some_and(|end| !pki::is_due(end, now))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    const SERVER: &str = "https://127.0.0.1:16443";

    #[test]
    fn kubeconfig_is_current_until_its_certificate_is_due() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(498_696);
        let authority = Authorities::of(pki::make_authority("kubernetes", now).unwrap());
        let kubeconfig = admin_kubeconfig(&authority, "lab", SERVER, now).unwrap();
        assert!(is_current(&kubeconfig, &authority, SERVER, now));

        let near_the_end = now + pki::ONE_YEAR - Duration::from_hours(24);
        assert!(!is_current(&kubeconfig, &authority, SERVER, near_the_end));
        assert!(!is_current(
            &kubeconfig,
            &authority,
            "https://127.0.0.1:1",
            now
        ));
        let other = Authorities::of(pki::make_authority("kubernetes", now).unwrap());
        assert!(!is_current(&kubeconfig, &other, SERVER, now));
        assert!(!is_current(
            &Secret::new("apiVersion: v1"),
            &authority,
            SERVER,
            now
        ));
    }
}
