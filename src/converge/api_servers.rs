//! The API servers of a cluster, as their pods tell where they are.

use serde_json::Value;

pub const PODS: &str =
    "/api/v1/namespaces/kube-system/pods?labelSelector=component%3Dkube-apiserver";
pub const AUTHORITY: &str = "/etc/kubernetes/pki/ca.crt";

/// kubeadm writes a server's address and port there.
const ENDPOINT: &str = "kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint";

/// Returns where to ask each API server but that of a host whether it is ready. Where its pod says so itself, that may be
/// ten minutes old.
pub fn urls_beside(host: &str, pods: &Value) -> Vec<String> {
    let pods = pods["items"].as_array().into_iter().flatten();
    let others = pods.filter(|pod| pod["spec"]["nodeName"] != host);
    let endpoints = others.filter_map(|pod| pod["metadata"]["annotations"][ENDPOINT].as_str());
    let urls = endpoints.map(|endpoint| format!("https://{endpoint}/readyz"));
    urls.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_servers_of_other_control_planes_count() {
        let pod = |node: &str, endpoint: &str| {
            json!({
                "metadata": {"annotations": {ENDPOINT: endpoint}},
                "spec": {"nodeName": node},
            })
        };
        let both = json!({"items": [pod("cp1", "10.0.0.1:6443"), pod("cp2", "[fd00::2]:6443")]});
        assert_eq!(urls_beside("cp1", &both), ["https://[fd00::2]:6443/readyz"]);
        assert_eq!(urls_beside("cp3", &both).len(), 2);
        let own = json!({"items": [pod("cp1", "10.0.0.1:6443")]});
        assert!(urls_beside("cp1", &own).is_empty());
    }
}
