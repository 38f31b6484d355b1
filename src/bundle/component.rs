//! Brings one component into the cache: built, unpacked or downloaded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::build_error::BuildError;
use super::cache::{self, Cache, Cached};
use super::catalog::{Component, Upstream};
use super::go::Go;
use super::progress::{Progress, Report};
use super::release;
use super::sources::SourceTree;
use crate::download::{self, Download, Patience, Server};
use crate::resource::{BlobRef, Sha256};

/// Counts up when the same recipe comes to something else than before.
const RECIPE: u32 = 1;

/// What a component came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Built {
    pub(super) version: String,
    /// By the name in the bundle, without the component's.
    pub(super) programs: BTreeMap<String, BlobRef>,
    /// By path in the bundle.
    pub(super) files: BTreeMap<String, BlobRef>,
}

impl Cached for Built {
    fn blobs(&self) -> Vec<BlobRef> {
        let programs = self.programs.values();
        programs.chain(self.files.values()).copied().collect()
    }
}

/// A component and the means to get it.
pub(super) struct Workshop<'a> {
    pub(super) name: &'a str,
    pub(super) component: &'a Component,
    pub(super) architecture: &'a str,
    pub(super) go: &'a Go,
    pub(super) cache: &'a Cache,
    pub(super) report: &'a Report<'a>,
}

impl Workshop<'_> {
    /// Builds the component from source.
    pub(super) fn build(&self) -> Result<Built, BuildError> {
        let sources = SourceTree::of(&self.component.source.go);
        let component = Component {
            release: None,
            ..self.component.clone()
        };
        let recipe = serde_json::json!({
            "recipe": RECIPE,
            "component": component,
            "sources": sources.sha256(),
            "go": &self.go.version,
            "architecture": self.architecture,
        });
        let version = &self.component.version;
        self.cached(cache::key("component", &recipe)?, version, || {
            let work = self.cache.work(self.name)?;
            let output = self.cache.work(&format!("{}.out", self.name))?;
            let (mut programs, mut files) = (BTreeMap::new(), BTreeMap::new());
            let source = &self.component.source.go;
            let folder = sources.unpack(&work.0)?;
            self.go.copy_modules(source, &folder)?;
            (self.go).build(
                self.name,
                self.component,
                source,
                &folder,
                &output.0,
                self.report,
            )?;
            for program in &source.programs {
                programs.insert(&program.output, output.0.join(&program.output));
            }
            for wanted in &self.component.files {
                files.extend(self.go.files(&folder, wanted)?);
            }
            let store = self.cache.store();
            let mut built = Built {
                version: version.clone(),
                programs: BTreeMap::new(),
                files: BTreeMap::new(),
            };
            for (name, path) in programs {
                built.programs.insert(name.clone(), store.put_file(&path)?);
            }
            for (name, path) in files {
                built.files.insert(name, store.put_file(&path)?);
            }
            Ok(built)
        })
    }

    /// Downloads a release of upstream's.
    pub(super) fn pull(
        &self,
        release: &Upstream,
        mirror: Option<&str>,
    ) -> Result<Built, BuildError> {
        let Some(sha256) = release.sha256.get(self.architecture) else {
            return Err(BuildError::Architecture {
                part: format!("release of {}", self.name),
                architecture: self.architecture.into(),
            });
        };
        let recipe = (RECIPE, release, self.architecture);
        self.cached(cache::key("release", &recipe)?, &release.version, || {
            let release = release.filled_in(self.architecture);
            let download = Download {
                url: &mirror.map_or(release.url.clone(), |mirror| {
                    on_mirror(&release.url, mirror)
                }),
                digest: &(*sha256).into(),
                server: &Server::default(),
                patience: Patience::default(),
            };
            let part = self.name;
            let report = |progress: download::Progress<'_>| {
                (self.report)(match progress {
                    download::Progress::Bytes { done, total } => {
                        Progress::Bytes { part, done, total }
                    }
                    download::Progress::Retry { reason } => Progress::Retry { part, reason },
                });
            };
            let path = download.fetch(&self.cache.downloads(), &report)?;
            let programs = release::programs(self.name, &release, &path, self.cache.store())?;
            // The programs are in the store now; the archive has done its work.
            let _ = std::fs::remove_file(path);
            Ok(Built {
                version: release.version,
                programs,
                files: BTreeMap::new(),
            })
        })
    }

    fn cached(
        &self,
        key: Sha256,
        version: &str,
        make: impl FnOnce() -> Result<Built, BuildError>,
    ) -> Result<Built, BuildError> {
        if let Some(built) = self.cache.get(key) {
            return Ok(built);
        }
        (self.report)(Progress::Started {
            part: self.name,
            version,
        });
        let built = make()?;
        self.cache.put(key, &built)?;
        (self.report)(Progress::Finished { part: self.name });
        Ok(built)
    }
}

/// Puts a mirror in the place of a URL's scheme and host.
fn on_mirror(url: &str, mirror: &str) -> String {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.split_once('/').map_or("", |(_, path)| path);
    format!("{}/{path}", mirror.trim_end_matches('/'))
}
