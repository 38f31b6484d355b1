//! Looks for what a cluster left on the node, ours or another one; files only.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::etcd;
use crate::converge::Node;
use crate::converge::marker::Marker;
use crate::resource::Sha256;
use crate::wire::{ClusterTraces, EtcdService, authority_digests, authority_of_data};

/// Where certificates of authorities are.
const AUTHORITIES: [&str; 3] = [
    "/etc/kubernetes/pki/ca.crt",
    "/etc/kubernetes/pki/etcd/ca.crt",
    "/etc/kubernetes/pki/front-proxy-ca.crt",
];
/// That of etcd on hosts; the user's own etcd may have one under the same name.
const ETCD_AUTHORITY: &str = "/etc/etcd/pki/ca.crt";
/// Where kubeadm keeps kubeconfigs, each with the authority of its cluster.
const KUBECONFIGS: [&str; 6] = [
    "/etc/kubernetes/admin.conf",
    "/etc/kubernetes/super-admin.conf",
    "/etc/kubernetes/controller-manager.conf",
    "/etc/kubernetes/scheduler.conf",
    "/etc/kubernetes/kubelet.conf",
    "/etc/kubernetes/bootstrap-kubelet.conf",
];
/// Folders of other distributions, with something in them.
const DISTRIBUTIONS: [(&str, &str); 6] = [
    ("K3s", "/var/lib/rancher/k3s/server"),
    ("K3s", "/var/lib/rancher/k3s/agent"),
    ("RKE2", "/var/lib/rancher/rke2/server"),
    ("RKE2", "/var/lib/rancher/rke2/agent"),
    ("k0s", "/var/lib/k0s/pki"),
    ("MicroK8s", "/var/snap/microk8s/current"),
];
/// The steps that make a member of the cluster of a node.
const STEPS: [&str; 3] = ["control-plane/init", "control-plane-join/join", "join/join"];
/// Written by kubeadm when a node joins, and gone after `kubeadm reset`.
const KUBELET: &str = "/var/lib/kubelet/config.yaml";

/// Where the plugin of the pod network puts its configuration; no other plugin's are there.
const POD_NETWORKS: &str = "/etc/cni/kinstall.d";

/// Gathers everything.
pub fn gather(node: &Node) -> ClusterTraces {
    let service = etcd::service(node);
    let is_clusters = service.has_access || !service.data_dir.is_empty();
    let of_etcd = is_clusters.then_some(&ETCD_AUTHORITY);
    let accepted = AUTHORITIES.iter().chain(of_etcd).filter_map(|path| {
        let text = fs::read_to_string(node.path(path)).ok()?;
        let found = authority_digests(&text);
        (!found.is_empty()).then(|| ((*path).to_owned(), found))
    });
    let accepted: BTreeMap<String, Vec<Sha256>> = accepted.collect();
    let signing = accepted.iter().map(|(path, all)| (path.clone(), all[0]));
    let kubeconfigs = KUBECONFIGS.iter().filter_map(|path| {
        let text = fs::read_to_string(node.path(path)).ok()?;
        Some(((*path).to_owned(), authority_of_kubeconfig(&text)?))
    });
    ClusterTraces {
        authorities: signing.chain(kubeconfigs).collect(),
        accepted: accepted.clone(),
        data: data(node, &service),
        distributions: distributions(node),
        joined: node.path(KUBELET).exists() && !is_half_done(node),
        pod_networks: file_names(&node.path(POD_NETWORKS)),
    }
}

/// An attempt to make a member of the node was cut off: it is undone before the next one.
fn is_half_done(node: &Node) -> bool {
    STEPS
        .iter()
        .any(|step| Marker::new(node, "commands", step, ".started").exists())
}

fn data(node: &Node, service: &EtcdService) -> Vec<String> {
    let mut data = Vec::new();
    if has_entries(&node.path("/var/lib/etcd/member")) {
        data.push("etcd data in /var/lib/etcd".to_owned());
    }
    if service.has_data {
        data.push(format!("etcd data in {}", service.data_dir));
    }
    let manifests = "/etc/kubernetes/manifests";
    let mut names = file_names(&node.path(manifests));
    names.retain(|name| Path::new(name).extension().is_some() && !name.starts_with('.'));
    if !names.is_empty() {
        data.push(format!("static pods in {manifests} ({})", names.join(", ")));
    }
    data
}

fn distributions(node: &Node) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (name, path) in DISTRIBUTIONS {
        let is_new = !found.iter().any(|known| known.starts_with(name));
        if is_new && has_entries(&node.path(path)) {
            found.push(format!("{name} in {path}"));
        }
    }
    found
}

/// Returns the names of what is in a folder, sorted.
fn file_names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn has_entries(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

/// A damaged kubeconfig doesn't say whose it is.
fn authority_of_kubeconfig(text: &str) -> Option<Sha256> {
    let data = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("certificate-authority-data:"))?;
    authority_of_data(data.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nYXV0aG9yaXR5\n-----END CERTIFICATE-----\n";

    fn put(node: &Node, path: &str, text: &str) {
        let path = node.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_fresh_machine_carries_nothing() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        fs::create_dir_all(node.path("/var/lib/etcd")).unwrap();
        fs::create_dir_all(node.path("/etc/kubernetes/manifests")).unwrap();
        assert_eq!(gather(&node), ClusterTraces::default());
    }

    #[test]
    fn an_earlier_cluster_is_seen() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        put(&node, "/etc/kubernetes/pki/ca.crt", PEM);
        let kubeconfig = format!(
            "clusters:\n- cluster:\n    certificate-authority-data: {}\n    server: https://x\n",
            STANDARD.encode(PEM)
        );
        put(&node, "/etc/kubernetes/kubelet.conf", &kubeconfig);
        put(&node, "/var/lib/etcd/member/snap/db", "data");
        put(&node, "/etc/kubernetes/manifests/etcd.yaml", "kind: Pod");
        put(&node, "/var/lib/rancher/k3s/server/token", "x");
        put(&node, "/var/lib/rancher/k3s/agent/x", "x");
        put(&node, KUBELET, "kind: KubeletConfiguration");
        put(&node, "/etc/cni/kinstall.d/10-flannel.conflist", "{}");
        let traces = gather(&node);
        let authority = Sha256::of(b"authority");
        let expected = ["/etc/kubernetes/kubelet.conf", "/etc/kubernetes/pki/ca.crt"];
        assert_eq!(
            traces.authorities,
            expected.map(|path| (path.to_owned(), authority)).into()
        );
        assert_eq!(
            traces.data,
            [
                "etcd data in /var/lib/etcd",
                "static pods in /etc/kubernetes/manifests (etcd.yaml)"
            ]
        );
        assert_eq!(traces.distributions, ["K3s in /var/lib/rancher/k3s/server"]);
        assert!(traces.joined);
        assert_eq!(traces.pod_networks, ["10-flannel.conflist"]);
    }

    #[test]
    fn etcd_of_the_users_own_is_no_cluster() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        put(&node, "/etc/etcd/pki/ca.crt", PEM);
        put(&node, "/etc/etcd/etcd.env", "ETCD_DATA_DIR=/srv/etcd\n");
        put(&node, "/etc/systemd/system/etcd.service", "[Service]\n");
        put(&node, "/srv/etcd/member/wal/0.wal", "data");
        assert_eq!(gather(&node), ClusterTraces::default());

        put(&node, "/etc/etcd/endpoints", "https://10.0.0.1:2379\n");
        let authority = Sha256::of(b"authority");
        let expected = [("/etc/etcd/pki/ca.crt".to_owned(), authority)];
        assert_eq!(gather(&node).authorities, expected.into());
    }

    #[test]
    fn a_node_whose_join_was_cut_off_has_not_joined() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        put(&node, KUBELET, "kind: KubeletConfiguration");
        assert!(gather(&node).joined);
        let marker = Marker::new(&node, "commands", "join/join", ".started");
        marker.write("join/join").unwrap();
        assert!(!gather(&node).joined);
    }
}
