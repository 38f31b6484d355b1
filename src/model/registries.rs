//! Where containerd gets images from that the bundle doesn't have.

use serde::Serialize;

use crate::secret::Secret;

/// Registries that are asked in another way than directly and with TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Registries {
    /// In the order of the inventory, each once.
    pub hosts: Vec<Registry>,
    /// `containerd_registry_auth`, and `auth` of mirrors.
    pub logins: Vec<Login>,
}

/// One registry: a folder below `/etc/containerd/certs.d`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Registry {
    /// Host, and port if there is one, as names of images have them; `_default` is all others.
    pub name: String,
    /// The registry's own URL, asked after the mirrors; without it, containerd takes the name.
    pub server: Option<String>,
    /// Asked first, in this order.
    pub mirrors: Vec<Mirror>,
    /// Certificates in PEM that the inventory holds itself; kept in the registry's folder.
    pub authorities: String,
}

/// A server that is asked for a registry's images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mirror {
    /// URL, or a host that is asked with TLS.
    pub host: String,
    /// `pull`, `resolve`, `push`.
    pub capabilities: Vec<String>,
    /// Its certificate is not checked.
    pub skip_verify: bool,
    /// The URL's path is that of the API already.
    pub override_path: bool,
    /// Files with the certificates of its authorities, on the node.
    pub authorities: Vec<String>,
}

/// How to log in to a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Login {
    /// Host and port of the server.
    pub server: String,
    /// `None` where the secret holds the user as well (`auth`: base64 of `user:password`).
    pub user: Option<String>,
    /// Name of the password among the secrets that templates see.
    pub secret_name: String,
    /// Never serialised with the cluster: it is among the secrets.
    #[serde(skip)]
    pub secret: Option<Secret>,
}

impl Registry {
    /// Folder of registries on a node.
    pub const FOLDER: &str = "/etc/containerd/certs.d";

    /// A registry that is asked as usual.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            server: None,
            mirrors: Vec::new(),
            authorities: String::new(),
        }
    }

    /// Returns where the certificates are kept that the inventory holds itself.
    pub fn authorities_file(&self) -> String {
        format!("{}/{}/authorities.pem", Self::FOLDER, self.name)
    }
}

impl Mirror {
    /// A server that is asked for everything but pushes.
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            capabilities: vec!["pull".to_owned(), "resolve".to_owned()],
            skip_verify: false,
            override_path: false,
            authorities: Vec::new(),
        }
    }
}

impl Registries {
    /// Finds a registry, or adds it.
    pub fn entry(&mut self, name: &str) -> &mut Registry {
        let place = self.hosts.iter().position(|it| it.name == name);
        let place = place.unwrap_or_else(|| {
            self.hosts.push(Registry::new(name));
            self.hosts.len() - 1
        });
        &mut self.hosts[place]
    }
}
