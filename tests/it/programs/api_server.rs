//! An API server and its etcd on loopback, without a cluster around them.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::time::SystemTime;

use kinstall::converge::Node;
use kinstall::converge::kubernetes::Client;
use kinstall::credentials::pki::{self, Subject};
use serde_json::json;

use super::started::Started;
use crate::free_port::free_port;

/// Path of the kubeconfig in the folder that stands for the node.
pub const KUBECONFIG: &str = "/etc/kubernetes/admin.conf";

/// Both servers; they end with it, the API server first.
pub struct ApiServer {
    server: Started,
    etcd: Started,
    pub root: tempfile::TempDir,
}

impl ApiServer {
    /// Starts both and waits until the API is complete.
    pub fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        let (etcd, etcd_url) = start_etcd(folder);
        Self {
            server: start_api_server(folder, &etcd_url),
            etcd,
            root,
        }
    }

    pub fn node(&self) -> Node {
        Node::at(self.root.path())
    }

    /// Stops both; the folder stays.
    pub fn stop(self) -> tempfile::TempDir {
        drop(self.server);
        drop(self.etcd);
        self.root
    }

    pub fn client(&self) -> Client {
        Client::new(KUBECONFIG, &self.node()).unwrap()
    }
}

fn start_etcd(folder: &Path) -> (Started, String) {
    let (client, peer) = (free_port(), free_port());
    let url = format!("http://127.0.0.1:{client}");
    let peer_url = format!("http://127.0.0.1:{peer}");
    let mut etcd = Started::new(
        "etcd",
        &[
            format!("--data-dir={}", folder.join("etcd").display()),
            format!("--listen-client-urls={url}"),
            format!("--advertise-client-urls={url}"),
            format!("--listen-peer-urls={peer_url}"),
            format!("--initial-advertise-peer-urls={peer_url}"),
            format!("--initial-cluster=default={peer_url}"),
        ],
        folder,
    );
    etcd.wait_until("etcd", || TcpStream::connect(("127.0.0.1", client)).is_ok());
    (etcd, url)
}

fn start_api_server(folder: &Path, etcd_url: &str) -> Started {
    let now = SystemTime::now();
    let authority = pki::make_authority("kubernetes", now).unwrap();
    let subject = Subject {
        common_name: "kube-apiserver",
        organizations: &[],
        names: &["127.0.0.1"],
        is_client: false,
    };
    let server = pki::make_certificate(&authority, subject, pki::ONE_YEAR, now).unwrap();
    let accounts = pki::make_key_pair("service accounts").unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let port = free_port();
    let url = format!("https://127.0.0.1:{port}");
    let administrator = Subject {
        common_name: "admin",
        organizations: &["system:masters"],
        names: &[],
        is_client: true,
    };
    let admin = pki::make_certificate(&authority, administrator, pki::ONE_YEAR, now).unwrap();
    file("admin.crt", &admin.certificate);
    file("admin.key", admin.key.expose());
    let kubeconfig = json!({
        "clusters": [{"name": "test",
            "cluster": {"server": url, "certificate-authority": "/ca.crt"}}],
        "users": [{"name": "admin",
            "user": {"client-certificate": "/admin.crt", "client-key": "/admin.key"}}],
    });
    file(KUBECONFIG.trim_start_matches('/'), &kubeconfig.to_string());
    let account_key = file("sa.key", accounts.private.expose());
    let mut api_server = Started::new(
        "kube-apiserver",
        &[
            format!("--etcd-servers={etcd_url}"),
            format!("--secure-port={port}"),
            "--bind-address=127.0.0.1".into(),
            "--advertise-address=127.0.0.1".into(),
            "--endpoint-reconciler-type=none".into(),
            "--service-cluster-ip-range=10.0.0.0/24".into(),
            format!(
                "--client-ca-file={}",
                file("ca.crt", &authority.certificate)
            ),
            format!(
                "--tls-cert-file={}",
                file("server.crt", &server.certificate)
            ),
            format!(
                "--tls-private-key-file={}",
                file("server.key", server.key.expose())
            ),
            format!(
                "--service-account-key-file={}",
                file("sa.pub", &accounts.public)
            ),
            format!("--service-account-signing-key-file={account_key}"),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            "--authorization-mode=RBAC".into(),
        ],
        folder,
    );
    let client = Client::new(KUBECONFIG, &Node::at(folder)).unwrap();
    api_server.wait_until("the API server", || {
        let answers = |path: &str| client.get(path).is_ok_and(|answer| answer.is_success());
        answers("/readyz") && answers("/api/v1/namespaces/default")
    });
    api_server
}
