//! Kubeconfig files, as kubeadm writes them.

use std::fs;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::converge::error::FileContext;
use crate::converge::{Node, ResourceError};
use crate::diagnostic::SourceFile;
use crate::secret::Secret;
use crate::yaml;

/// How to reach an API server, and who asks.
#[derive(Debug)]
pub struct Kubeconfig {
    /// `https://192.168.56.11:6443`, without a slash at the end.
    pub server: String,
    /// PEM.
    pub authority: Vec<u8>,
    /// PEM, the client's certificate first.
    pub certificate: Vec<u8>,
    /// PEM.
    pub key: Secret,
}

// Only what is used: foreign files hold much more.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "current-context", default)]
    current_context: String,
    #[serde(default)]
    contexts: Vec<NamedContext>,
    clusters: Vec<NamedCluster>,
    users: Vec<NamedUser>,
}

#[derive(Deserialize)]
struct NamedContext {
    name: String,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    cluster: String,
    user: String,
}

#[derive(Deserialize)]
struct NamedCluster {
    name: String,
    cluster: Cluster,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    server: String,
    certificate_authority_data: Option<String>,
    certificate_authority: Option<String>,
}

#[derive(Deserialize)]
struct NamedUser {
    name: String,
    user: User,
}

#[derive(Deserialize)]
struct User {
    #[serde(rename = "client-certificate-data")]
    certificate_data: Option<String>,
    #[serde(rename = "client-certificate")]
    certificate: Option<String>,
    #[serde(rename = "client-key-data")]
    key_data: Option<Secret>,
    #[serde(rename = "client-key")]
    key: Option<String>,
}

impl Kubeconfig {
    /// Reads the current context of a kubeconfig on the node.
    pub fn load(path: &str, node: &Node) -> Result<Self, ResourceError> {
        let real = node.path(path);
        let text = fs::read_to_string(&real).doing("read", &real)?;
        let invalid = |what: &str| ResourceError::other(format!("`{path}` {what}"));
        let source = Arc::new(SourceFile { path: real, text });
        // The message isn't passed on: it would show lines of a file full of keys.
        let document: Document = yaml::parse(&source)
            .map_err(|_| invalid("is not a kubeconfig that kinstall can read"))?;
        let context = document
            .contexts
            .iter()
            .find(|it| it.name == document.current_context)
            .map(|it| &it.context);
        let cluster = document
            .clusters
            .iter()
            .find(|it| context.is_none_or(|context| it.name == context.cluster))
            .ok_or_else(|| invalid("names no cluster"))?;
        let user = document
            .users
            .iter()
            .find(|it| context.is_none_or(|context| it.name == context.user))
            .ok_or_else(|| invalid("names no user"))?;
        let part = |name: &str, data: Option<&str>, file: Option<&str>| {
            if let Some(data) = data {
                return STANDARD
                    .decode(data)
                    .map_err(|_| invalid(&format!("has a damaged {name}")));
            }
            let file = file.ok_or_else(|| invalid(&format!("has no {name}")))?;
            let file = node.path(file);
            fs::read(&file).doing("read", &file)
        };
        let authority = part(
            "certificate authority",
            cluster.cluster.certificate_authority_data.as_deref(),
            cluster.cluster.certificate_authority.as_deref(),
        )?;
        let certificate = part(
            "client certificate",
            user.user.certificate_data.as_deref(),
            user.user.certificate.as_deref(),
        )?;
        let key = part(
            "client key",
            user.user.key_data.as_ref().map(Secret::expose),
            user.user.key.as_deref(),
        )?;
        let key = String::from_utf8(key).map_err(|_| invalid("has a damaged client key"))?;
        Ok(Self {
            server: cluster.cluster.server.trim_end_matches('/').to_owned(),
            authority,
            certificate,
            key: Secret::new(key),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_context_decides() {
        let root = tempfile::tempdir().unwrap();
        let node = Node::at(root.path());
        let data = |text: &str| STANDARD.encode(text);
        let text = format!(
            "apiVersion: v1\nkind: Config\npreferences: {{}}\ncurrent-context: b\n\
             contexts:\n- name: a\n  context: {{cluster: one, user: first}}\n\
             - name: b\n  context: {{cluster: two, user: second}}\n\
             clusters:\n- name: one\n  cluster: {{server: 'https://one:1', certificate-authority-data: {ca}}}\n\
             - name: two\n  cluster: {{server: 'https://two:2/', certificate-authority-data: {ca}}}\n\
             users:\n- name: first\n  user: {{token: x}}\n\
             - name: second\n  user:\n    client-certificate: /pem\n    client-key-data: {key}\n",
            ca = data("authority"),
            key = data("key"),
        );
        fs::write(root.path().join("admin.conf"), text).unwrap();
        fs::write(root.path().join("pem"), "certificate").unwrap();
        let kubeconfig = Kubeconfig::load("/admin.conf", &node).unwrap();
        assert_eq!(kubeconfig.server, "https://two:2");
        assert_eq!(kubeconfig.authority, b"authority");
        assert_eq!(kubeconfig.certificate, b"certificate");
        assert_eq!(kubeconfig.key.expose(), "key");
        assert!(!format!("{kubeconfig:?}").contains("key: \"key"));
    }
}
