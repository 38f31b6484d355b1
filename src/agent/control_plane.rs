//! The control plane that may be on the node: whether it is there, and whether it answers.

use std::time::Duration;

use crate::converge::Node;
use crate::converge::wait::https;
use crate::wire::{ControlPlaneState, key_fingerprint};

/// How kubeadm has the kubelet run the API server.
const MANIFEST: &str = "/etc/kubernetes/manifests/kube-apiserver.yaml";
/// Written by kubeadm for the administrator, after the certificates and before the static pods.
const ADMINISTRATOR: &str = "/etc/kubernetes/admin.conf";
const ENCRYPTION: &str = "/etc/kubernetes/encryption/providers.yaml";
/// kinstall writes the key that signs first.
pub const SERVICE_ACCOUNTS: &str = "/etc/kubernetes/pki/sa.pub";
const AUTHORITY: &str = "/etc/kubernetes/pki/ca.crt";
/// A healthy API server answers in milliseconds; one that hangs must not hold up the greeting.
const PATIENCE: Duration = Duration::from_secs(2);

/// Looks at the files, and asks the API server where there is one. Costs one TLS handshake there.
pub fn state(node: &Node) -> ControlPlaneState {
    let manifest = node.read_or_empty(MANIFEST);
    if manifest.is_empty() || !node.path(ADMINISTRATOR).exists() {
        return ControlPlaneState::Absent;
    }
    let Some(address) = address(&manifest) else {
        return ControlPlaneState::Silent;
    };
    let answer = https(
        &format!("https://{address}/readyz"),
        AUTHORITY,
        PATIENCE,
        node,
    );
    match answer {
        Ok(Ok(())) => ControlPlaneState::Ready,
        // Why doesn't matter here: waiting for it tells.
        Ok(Err(_)) | Err(_) => ControlPlaneState::Silent,
    }
}

/// Returns the names of all Node objects, from a control plane that is ready.
pub fn nodes(state: ControlPlaneState, node: &Node) -> Vec<String> {
    if state != ControlPlaneState::Ready {
        return Vec::new();
    }
    let client = node.kubernetes(ADMINISTRATOR);
    let names = client.and_then(|client| client.names("/api/v1/nodes", PATIENCE));
    // Nothing is decided by a list that is missing.
    names.unwrap_or_default()
}

/// Returns the fingerprints of the encryption keys, as kinstall's template writes them: a name, and the key after it.
pub fn encryption_keys(node: &Node) -> Vec<String> {
    let configuration = node.read_or_empty(ENCRYPTION);
    let lines: Vec<&str> = configuration.lines().map(str::trim).collect();
    let keys = lines.windows(2).filter_map(|pair| {
        let name = pair[0].strip_prefix("- name: ")?;
        let secret = pair[1].strip_prefix("secret: ")?;
        Some(key_fingerprint(name, secret))
    });
    keys.collect()
}

/// Returns what they encrypt with: the one provider that has keys.
pub fn encryption_algorithm(node: &Node) -> String {
    let configuration = node.read_or_empty(ENCRYPTION);
    let lines: Vec<&str> = configuration.lines().map(str::trim).collect();
    let mut pairs = lines.windows(2);
    let provider = pairs.find_map(|pair| (pair[1] == "keys:").then_some(pair[0]));
    let name = provider.and_then(|line| line.strip_prefix("- ")?.strip_suffix(':'));
    name.unwrap_or_default().to_owned()
}

/// Reads where the API server listens from its arguments.
fn address(manifest: &str) -> Option<String> {
    let argument = |name: &str| {
        manifest
            .lines()
            .find_map(|line| line.trim().strip_prefix("- ")?.strip_prefix(name))
            .map(|value| value.trim_matches('"'))
    };
    let host = argument("--advertise-address=")?;
    let port = argument("--secure-port=").unwrap_or("6443");
    Some(if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{
        ADMINISTRATOR, ENCRYPTION, MANIFEST, address, encryption_algorithm, encryption_keys, state,
    };
    use crate::converge::Node;
    use crate::wire::{ControlPlaneState, key_fingerprint};

    #[test]
    fn encryption_keys_are_found_in_their_order() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        assert!(encryption_keys(&node).is_empty());
        assert_eq!(encryption_algorithm(&node), "");
        let path = node.path(ENCRYPTION);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let keys = "- identity: {}\n- secretbox:\n    keys:\n      - name: key2\n        secret: x\n      - name: key1\n        secret: y\n";
        fs::write(path, keys).unwrap();
        let expected =
            [("key2", "x"), ("key1", "y")].map(|(name, secret)| key_fingerprint(name, secret));
        assert_eq!(encryption_keys(&node), expected);
        assert_eq!(encryption_algorithm(&node), "secretbox");
    }

    #[test]
    fn the_address_is_what_the_api_server_is_told() {
        let manifest = "spec:\n  containers:\n  - command:\n    - kube-apiserver\n    - --advertise-address=192.168.56.11\n    - --secure-port=8443\n";
        assert_eq!(address(manifest).unwrap(), "192.168.56.11:8443");
        assert_eq!(
            address("    - --advertise-address=fd00::1\n").unwrap(),
            "[fd00::1]:6443"
        );
        assert_eq!(address("spec: {}\n"), None);
    }

    #[test]
    fn a_control_plane_is_there_only_with_all_of_its_files() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        assert_eq!(state(&node), ControlPlaneState::Absent);
        for path in [MANIFEST, ADMINISTRATOR] {
            let path = node.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            assert_eq!(state(&node), ControlPlaneState::Absent);
            // Nothing listens on this port.
            fs::write(
                path,
                "    - --advertise-address=127.0.0.1\n    - --secure-port=1\n",
            )
            .unwrap();
        }
        assert_eq!(state(&node), ControlPlaneState::Silent);
    }
}
