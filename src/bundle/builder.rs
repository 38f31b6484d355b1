//! Makes a bundle: brings all components into the cache, puts images together, lists it all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::build_error::BuildError;
use super::cache::{self, Cache};
use super::catalog::{Base, Catalog, Component, PackageLayer};
use super::component::{Built, Workshop};
use super::go::Go;
use super::image;
use super::layer::{self, Entry, Kind, Layer};
use super::manifest::{self, FileEntry, ImageEntry, Manifest, Program, Release};
use super::progress::{Progress, Report};
use super::store::Store;
use super::{Minor, directory, packages_layer};
use crate::diagnostic::Diagnostic;
use crate::parallel;

/// Counts up when the same entries come to another layer than before.
const LAYER_RECIPE: u32 = 1;

/// What to make, and where.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// The bundle's folder.
    pub output: PathBuf,
    /// Folder of what earlier builds made.
    pub cache: PathBuf,
    pub origin: Origin,
    /// Minor versions of Kubernetes to have; the newest that the catalog knows, if there are none.
    pub releases: Vec<Minor>,
    /// Add-ons that no part is made of.
    pub unwanted_addons: Vec<String>,
}

/// Where components come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// All from source.
    Source,
    /// Upstream's releases where the catalog knows one, the others from source.
    Releases {
        /// Takes the place of scheme and host of every URL.
        mirror: Option<String>,
    },
}

/// Makes the bundle of the catalog in this program. What an earlier build made and is still whole is
/// not made again; with nothing to do this takes well below a second.
pub fn build(options: &BuildOptions, report: &Report<'_>) -> Result<Manifest, Diagnostic> {
    let catalog = Catalog::without_addons(&options.unwanted_addons)?;
    build_catalog(&catalog, options, report)
}

/// As [`build`], of any catalog; its sources are still those in this program.
pub fn build_catalog(
    catalog: &Catalog,
    options: &BuildOptions,
    report: &Report<'_>,
) -> Result<Manifest, Diagnostic> {
    let catalogs = wanted(catalog, &options.releases)?;
    let (cache, go) = (Cache::open(&options.cache)?, Go::find()?);
    let mut manifest = Manifest {
        format: manifest::FORMAT,
        kinstall: env!("CARGO_PKG_VERSION").into(),
        releases: BTreeMap::new(),
        blobs: BTreeMap::new(),
    };
    for (minor, catalog) in &catalogs {
        let builder = Builder {
            catalog,
            cache: &cache,
            go: &go,
            architecture: architecture(),
            report,
        };
        manifest
            .releases
            .insert(*minor, builder.release(&options.origin)?);
    }
    publish(&mut manifest, cache.store(), &options.output)?;
    Ok(manifest)
}

/// Returns the catalog of each release that is wanted.
fn wanted(catalog: &Catalog, releases: &[Minor]) -> Result<BTreeMap<Minor, Catalog>, BuildError> {
    let newest = catalog.newest();
    let wanted = if releases.is_empty() {
        newest.as_slice()
    } else {
        releases
    };
    let of = |&minor: &Minor| {
        let found = catalog.release(minor);
        let unknown = || BuildError::UnknownRelease {
            minor,
            known: catalog.releases.keys().copied().collect(),
        };
        Ok((minor, found.ok_or_else(unknown)?))
    };
    wanted.iter().map(of).collect()
}

struct Builder<'a> {
    catalog: &'a Catalog,
    cache: &'a Cache,
    go: &'a Go,
    architecture: &'static str,
    report: &'a Report<'a>,
}

impl Builder<'_> {
    fn release(&self, origin: &Origin) -> Result<Release, BuildError> {
        // What needs only the network comes first: should that fail, it is known at once and not after
        // the long compilation.
        let base = self.base_layer()?;
        let packages = self.packages_layers()?;
        let folders = self.folder_layers()?;
        let components = self.components(origin)?;
        let mut release = self.list(&components);
        release.images = self.images(&release, base.as_ref(), &packages, &folders)?;
        Ok(release)
    }

    fn components(&self, origin: &Origin) -> Result<BTreeMap<&str, Built>, BuildError> {
        let mut components: Vec<_> = self.catalog.components.iter().collect();
        components.sort_by_key(|(_, it)| takes_long(it, origin));
        let mut built = BTreeMap::new();
        for (name, component) in components {
            let workshop = Workshop {
                name,
                component,
                architecture: self.architecture,
                go: self.go,
                cache: self.cache,
                report: self.report,
            };
            let result = match (origin, &component.release) {
                (Origin::Releases { mirror }, Some(release)) => {
                    workshop.pull(release, mirror.as_deref())?
                }
                _ => workshop.build()?,
            };
            built.insert(name.as_str(), result);
        }
        Ok(built)
    }

    /// Lists all but images.
    fn list(&self, components: &BTreeMap<&str, Built>) -> Release {
        let mut release = Release {
            architecture: self.architecture.into(),
            components: BTreeMap::new(),
            programs: BTreeMap::new(),
            images: BTreeMap::new(),
            files: BTreeMap::new(),
            node_programs: self.catalog.node_programs.clone(),
        };
        for (&name, built) in components {
            release
                .components
                .insert(name.into(), built.version.clone());
            for (output, &blob) in &built.programs {
                let program = Program {
                    component: name.into(),
                    version: built.version.clone(),
                    blob,
                };
                release.programs.insert(format!("{name}/{output}"), program);
            }
            for (path, &blob) in &built.files {
                let file = FileEntry {
                    component: name.into(),
                    version: built.version.clone(),
                    blob,
                };
                release.files.insert(path.clone(), file);
            }
        }
        release
    }

    fn images(
        &self,
        release: &Release,
        base: Option<&Layer>,
        packages: &BTreeMap<&str, Layer>,
        folders: &BTreeMap<&str, Layer>,
    ) -> Result<BTreeMap<String, ImageEntry>, BuildError> {
        let layers = self.program_layers(release)?;
        let mut images = BTreeMap::new();
        for (name, image) in &self.catalog.images {
            let mut parts = Vec::new();
            if image.base == Base::BaseImage {
                parts.extend(base.cloned());
            }
            parts.extend(packages.get(name.as_str()).cloned());
            parts.extend(folders.get(name.as_str()).cloned());
            for program in &image.programs {
                let key = (program.program.as_str(), program.path.as_str());
                parts.extend(layers.get(&key).cloned());
            }
            let own = image::own_entries(image);
            if !own.is_empty() {
                parts.push(self.layer(&own)?);
            }
            let version = &release.components[&image.component];
            let tag = image.tag.as_deref().unwrap_or("v{version}");
            let reference = image::reference(name, &Component::fill_in(version, tag));
            let store = self.cache.store();
            let built = image::write(store, image, &reference, version, self.architecture, &parts)?;
            let entry = ImageEntry {
                name: reference,
                component: image.component.clone(),
                version: version.clone(),
                nodes: image.nodes,
                manifest: built.manifest,
                config: built.config,
                layers: parts.iter().map(|layer| layer.blob).collect(),
            };
            images.insert(name.clone(), entry);
        }
        Ok(images)
    }

    /// Makes a layer of every program that is in images; they share it.
    fn program_layers(
        &self,
        release: &Release,
    ) -> Result<BTreeMap<(&str, &str), Layer>, BuildError> {
        let images = self.catalog.images.values();
        let wanted: BTreeSet<_> = images
            .flat_map(|image| &image.programs)
            .map(|it| (it.program.as_str(), it.path.as_str()))
            .collect();
        let wanted: Vec<_> = wanted.into_iter().collect();
        let layers = parallel::map(&wanted, parallel::processors(), |&(name, path)| {
            let program = release
                .programs
                .get(name)
                .ok_or_else(|| BuildError::Lacks {
                    part: "the bundle".into(),
                    path: name.into(),
                })?;
            let entry = Entry {
                path: path.into(),
                mode: 0o755,
                kind: Kind::Blob(program.blob),
            };
            Ok(((name, path), self.layer(&[entry])?))
        });
        layers.into_iter().collect()
    }

    /// Makes the layer that images have in common, if any does.
    fn base_layer(&self) -> Result<Option<Layer>, BuildError> {
        let mut images = self.catalog.images.values();
        if !images.any(|image| image.base == Base::BaseImage) {
            return Ok(None);
        }
        let base = &self.catalog.base_image;
        self.packages_layer("base image", base).map(Some)
    }

    /// Makes the layers of the images that have packages of their own.
    fn packages_layers(&self) -> Result<BTreeMap<&str, Layer>, BuildError> {
        let images = self.catalog.images.iter();
        let with_packages =
            images.filter_map(|(name, image)| Some((name.as_str(), image.packages.as_ref()?)));
        with_packages
            .map(|(name, packages)| Ok((name, self.packages_layer(name, packages)?)))
            .collect()
    }

    /// Makes the layers of the images that have folders of their component's module.
    fn folder_layers(&self) -> Result<BTreeMap<&str, Layer>, BuildError> {
        let images = self.catalog.images.iter();
        let with_folders = images.filter(|(_, image)| !image.folders.is_empty());
        let layers = with_folders.map(|(name, image)| {
            let component = &self.catalog.components[&image.component];
            let recipe = (LAYER_RECIPE, &image.folders, component);
            let key = cache::key("module folders", &recipe)?;
            if let Some(layer) = self.cache.get(key) {
                return Ok((name.as_str(), layer));
            }
            let work = self.cache.work(name)?;
            let module = self.go.component_module(component, &work.0)?;
            let mut entries = Vec::new();
            for folder in &image.folders {
                entries.extend(folder.entries(&module)?);
            }
            let layer = layer::write(self.cache.store(), &entries)?;
            self.cache.put(key, &layer)?;
            Ok((name.as_str(), layer))
        });
        layers.collect()
    }

    fn packages_layer(&self, part: &str, packages: &PackageLayer) -> Result<Layer, BuildError> {
        let recipe = (LAYER_RECIPE, packages, self.architecture);
        let key = cache::key("base layer", &recipe)?;
        if let Some(layer) = self.cache.get(key) {
            return Ok(layer);
        }
        (self.report)(Progress::Started {
            part,
            version: &packages.debian_release,
        });
        let entries = packages_layer::entries(part, packages, self.architecture, self.report)?;
        let layer = layer::write(self.cache.store(), &entries)?;
        self.cache.put(key, &layer)?;
        (self.report)(Progress::Finished { part });
        Ok(layer)
    }

    fn layer(&self, entries: &[Entry]) -> Result<Layer, BuildError> {
        let description: Vec<String> = entries.iter().map(|it| format!("{it:?}")).collect();
        let key = cache::key("layer", &(LAYER_RECIPE, description))?;
        if let Some(layer) = self.cache.get(key) {
            return Ok(layer);
        }
        let layer = layer::write(self.cache.store(), entries)?;
        self.cache.put(key, &layer)?;
        Ok(layer)
    }
}

/// Puts all blobs into the bundle's folder, then the manifest, then removes what is not in it.
fn publish(manifest: &mut Manifest, from: &Store, output: &Path) -> Result<(), BuildError> {
    let store = Store::new(output.join(directory::BLOBS));
    for sha256 in manifest.blob_names() {
        manifest.blobs.insert(sha256, store.adopt(from, sha256)?);
    }
    let path = output.join(directory::MANIFEST);
    if !Manifest::load(&path).is_ok_and(|old| old == *manifest) {
        manifest.save(&path)?;
    }
    Ok(store.retain(&manifest.blob_names())?)
}

fn takes_long(component: &Component, origin: &Origin) -> bool {
    *origin == Origin::Source || component.release.is_none()
}

/// Returns this computer's architecture as Go and OCI name it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
