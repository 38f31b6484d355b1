//! The node that resources are applied to.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::FileContext;
use super::image::ImageStore;
use super::kubernetes::Client;
use super::link::{Link, NoLink};
use super::marker::STATE;
use super::package::Packages;
use super::stat_cache::StatCache;
use super::unit::Units;
use super::{Cancel, ResourceError};
use crate::resource::{BlobRef, Resource, Sha256};

/// Access to one node's files and programs, from the agent that runs on it.
///
/// Tests give it another root: the same code then works in a folder.
pub struct Node {
    root: PathBuf,
    link: Arc<dyn Link>,
    cancel: Cancel,
    /// Step that is being worked on.
    step: String,
    stat_cache: OnceCell<RefCell<StatCache>>,
    /// Asked once for all units of a batch.
    pub(super) units: RefCell<Units>,
    pub(super) packages: RefCell<Packages>,
    pub(super) images: RefCell<ImageStore>,
    /// Connections to API servers, by kubeconfig; each costs a TLS handshake.
    clients: RefCell<BTreeMap<String, Client>>,
}

impl fmt::Debug for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Node")
            .field("root", &self.root)
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

impl Node {
    /// The node that this process runs on.
    pub fn this() -> Self {
        Self::at(Path::new("/"))
    }

    /// A folder that stands for a node's root.
    pub fn at(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            link: Arc::new(NoLink),
            cancel: Cancel::default(),
            step: String::new(),
            stat_cache: OnceCell::new(),
            units: RefCell::default(),
            packages: RefCell::default(),
            images: RefCell::default(),
            clients: RefCell::default(),
        }
    }

    /// Gives the node a way to the controller.
    #[must_use]
    pub fn with_link(mut self, link: Arc<dyn Link>, cancel: Cancel) -> Self {
        self.link = link;
        self.cancel = cancel;
        self
    }

    /// Prepares for a batch: what was asked before is forgotten, what will be asked is known.
    pub fn begin_batch<'a>(&mut self, resources: impl Iterator<Item = &'a Resource>) {
        let mut units = Vec::new();
        let mut packages = Vec::new();
        for resource in resources {
            match resource {
                Resource::Unit(unit) => units.push(unit.name.clone()),
                Resource::Package(package) => packages.push(package.name.clone()),
                _ => {}
            }
        }
        self.units.get_mut().begin(units);
        self.packages.get_mut().begin(packages);
        self.images.get_mut().forget();
        self.clients.get_mut().clear();
    }

    /// Says which step the following work belongs to.
    pub fn begin_step(&mut self, id: &str) {
        id.clone_into(&mut self.step);
    }

    /// Says which packages are installed in one transaction with the first of them.
    pub fn install_together<'a>(&mut self, resources: impl Iterator<Item = &'a Resource>) {
        let names = resources.filter_map(|resource| match resource {
            Resource::Package(package) => Some(package.name.clone()),
            _ => None,
        });
        self.packages.get_mut().together(names.collect());
    }

    /// Forgets answers that an applied resource may have made wrong.
    pub fn forget_after(&mut self, resource: &Resource) {
        match resource {
            // An image adds itself; the others touch neither units nor packages nor containerd.
            Resource::Image(_)
            | Resource::AbsentObjects(_)
            | Resource::Manifests(_)
            | Resource::NodeObject(_)
            | Resource::AbsentNode(_)
            | Resource::PodAddresses(_)
            | Resource::Sysctl(_)
            | Resource::Wait(_) => {}
            Resource::Package(_) | Resource::Command(_) => {
                self.clients.get_mut().clear();
                self.units.get_mut().forget();
                self.packages.get_mut().forget();
                self.images.get_mut().forget();
            }
            _ => {
                self.clients.get_mut().clear();
                self.units.get_mut().forget();
                self.images.get_mut().forget();
            }
        }
    }

    /// Returns connections to the API server that a kubeconfig names, the same ones throughout a batch.
    pub fn kubernetes(&self, kubeconfig: &str) -> Result<Client, ResourceError> {
        if let Some(client) = self.clients.borrow().get(kubeconfig) {
            return Ok(client.clone());
        }
        let client = Client::new(kubeconfig, self)?;
        let mut clients = self.clients.borrow_mut();
        clients.insert(kubeconfig.to_owned(), client.clone());
        Ok(client)
    }

    /// Returns the step that is being worked on.
    pub fn step(&self) -> &str {
        &self.step
    }

    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Returns where an absolute path of the node really is.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Reads a text file; empty where there is none.
    pub fn read_or_empty(&self, path: &str) -> String {
        fs::read(self.path(path))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Tells the controller a line of output.
    pub fn tell(&self, line: &str) {
        self.link.output(&self.step, line);
    }

    /// Tells the controller how far the step is, in bytes.
    pub fn progress(&self, done: u64, total: u64) {
        self.link.progress(&self.step, done, total);
    }

    /// Returns the digest of a file of the node, reading it only if it changed since the last time.
    pub fn sha256(&self, path: &str) -> Result<Sha256, ResourceError> {
        self.stat_cache()
            .borrow_mut()
            .sha256(path, &self.path(path))
    }

    /// Remembers the digest of a file that was just written.
    pub fn learn_sha256(&self, path: &str, sha256: Sha256) {
        self.stat_cache()
            .borrow_mut()
            .learn(path, &self.path(path), sha256);
    }

    /// Writes down what was learnt about files; only a run that may change the node does this.
    pub fn save_caches(&mut self) -> Result<(), ResourceError> {
        let path = self.stat_cache_path();
        match self.stat_cache.get_mut() {
            Some(cache) => cache.get_mut().save(&path),
            None => Ok(()),
        }
    }

    /// Returns where a blob is on the node, and brings it there if it isn't.
    pub fn blob(&self, blob: BlobRef) -> Result<PathBuf, ResourceError> {
        let path = self.blobs().join(blob.sha256.to_string());
        if !path.exists() {
            let folder = self.blobs();
            // A part may be etcd's data, in a restore.
            fs::create_dir_all(&folder)
                .and_then(|()| fs::set_permissions(&folder, Permissions::from_mode(0o700)))
                .doing("create the folder", &folder)?;
            self.link.fetch(&self.step, blob, &path)?;
        }
        Ok(path)
    }

    /// Removes the blobs that were brought; what was made of them is in its place.
    pub fn remove_blobs(&self) -> Result<(), ResourceError> {
        match fs::remove_dir_all(self.blobs()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).doing("remove", &self.blobs())
            }
            _ => Ok(()),
        }
    }

    fn blobs(&self) -> PathBuf {
        self.path(STATE).join("blobs")
    }

    fn stat_cache_path(&self) -> PathBuf {
        self.path(STATE).join("stat-cache")
    }

    fn stat_cache(&self) -> &RefCell<StatCache> {
        self.stat_cache
            .get_or_init(|| RefCell::new(StatCache::load(&self.stat_cache_path())))
    }
}
