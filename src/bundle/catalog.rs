//! `components/catalog.yml` and the `parts.yml` of add-ons: what a bundle is made of. The first says what each field
//! means.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Minor;
use super::kubernetes_release::Changes;
use super::manifest::{NodeProgram, Placement};
use crate::diagnostic::{Diagnostic, Kind, SourceFile};
use crate::resource::Sha256;
use crate::yaml;

const FORMAT: u32 = 2;

/// The list of components, images and node programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    pub format: u32,
    /// By minor version of Kubernetes: what differs from the rest of the catalog.
    pub releases: BTreeMap<Minor, Changes>,
    pub components: BTreeMap<String, Component>,
    pub base_image: PackageLayer,
    pub images: BTreeMap<String, Image>,
    pub node_programs: Vec<NodeProgram>,
}

/// One project with one version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    pub version: String,
    /// The Go module that the version belongs to; none where the code is ours.
    #[serde(default)]
    pub module: Option<String>,
    pub source: Source,
    #[serde(default)]
    pub files: Vec<Files>,
    /// What upstream publishes; `bundle pull` takes that instead of building.
    #[serde(default)]
    pub release: Option<Upstream>,
}

/// Where a component's programs come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub go: GoSource,
}

/// Programs that `go build` makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoSource {
    pub folder: String,
    /// Folder of the `go.mod` and `go.sum` that take the place of those in `folder`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules: Option<String>,
    /// Modules that `go.mod` replaces by copies in the folder, because a part of them can't be had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<ModuleCopy>,
    pub cgo: bool,
    pub tags: Vec<String>,
    pub ldflags: Vec<String>,
    #[serde(default)]
    pub debian_packages: Vec<String>,
    pub programs: Vec<GoProgram>,
}

/// A module that is copied without some of its parts; files of ours below `folder` take the place of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleCopy {
    /// `PATH@VERSION`.
    pub module: String,
    /// Of the whole module, as `go.sum` has it: `h1:…`.
    pub sum: String,
    /// Below that of the source.
    pub folder: String,
    #[serde(default)]
    pub leave_out: Vec<String>,
}

/// One package to build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoProgram {
    pub package: String,
    pub output: String,
}

/// A program inside of something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackedProgram {
    pub path: String,
    pub output: String,
}

/// Files out of a Go module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    pub module: String,
    pub pattern: String,
    pub folder: String,
}

/// A release of upstream's: a program, or an archive of programs (`.tar.gz`, `.tgz`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    pub version: String,
    pub url: String,
    pub sha256: BTreeMap<String, Sha256>,
    pub programs: Vec<PackedProgram>,
}

/// A layer of Debian packages' files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageLayer {
    pub debian_release: String,
    pub packages: Vec<String>,
    pub leave_out: Vec<String>,
    pub links: BTreeMap<String, String>,
}

/// A container image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    pub component: String,
    #[serde(default)]
    pub tag: Option<String>,
    pub nodes: Placement,
    pub base: Base,
    /// On top of the base.
    #[serde(default)]
    pub packages: Option<PackageLayer>,
    pub programs: Vec<ImageProgram>,
    /// What its programs read, out of the component's Go module.
    #[serde(default)]
    pub folders: Vec<ModuleFolder>,
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    #[serde(default)]
    pub directories: BTreeMap<String, String>,
    #[serde(default)]
    pub user: Option<String>,
    #[serde(default)]
    pub entrypoint: Vec<String>,
}

/// What an image starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    Scratch,
    BaseImage,
}

/// A program's place in an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageProgram {
    /// `COMPONENT/OUTPUT`.
    pub program: String,
    pub path: String,
}

/// A folder of a Go module, with all below it, and its place in an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleFolder {
    /// In the module.
    pub folder: String,
    pub path: String,
    /// Files and folders below it.
    #[serde(default)]
    pub leave_out: Vec<String>,
}

impl Catalog {
    /// Reads a catalog and checks that its parts refer to each other rightly.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let catalog = Self::read(text)?;
        let contradiction = catalog.contradiction();
        contradiction.map_or(Ok(catalog), |it| Err(internal(&it)))
    }

    pub(super) fn read(text: &str) -> Result<Self, Diagnostic> {
        yaml::parse(&Arc::new(SourceFile {
            path: PathBuf::from("components/catalog.yml"),
            text: text.into(),
        }))
    }

    /// Returns the names of a component's programs as built from source.
    fn outputs(component: &Component) -> Vec<&str> {
        let programs = component.source.go.programs.iter();
        programs.map(|it| it.output.as_str()).collect()
    }

    pub(super) fn contradiction(&self) -> Option<String> {
        if self.format != FORMAT {
            return Some(format!("format {}, expected {FORMAT}", self.format));
        }
        let is_program = |name: &str| {
            let (component, output) = name.split_once('/')?;
            let component = self.components.get(component)?;
            Self::outputs(component).contains(&output).then_some(())
        };
        for (name, component) in &self.components {
            let Some(release) = &component.release else {
                continue;
            };
            if !component.files.is_empty() {
                return Some(format!("component {name}: a release has no `files`"));
            }
            let in_release = |output: &&str| release.programs.iter().any(|it| it.output == *output);
            if let Some(output) = Self::outputs(component).iter().find(|it| !in_release(it)) {
                return Some(format!("component {name}: its release lacks {output}"));
            }
        }
        if let Some(wrong) = self.wrong_release() {
            return Some(wrong);
        }
        for (name, image) in &self.images {
            if !self.components.contains_key(&image.component) {
                return Some(format!("image {name}: no component {}", image.component));
            }
            if !image.folders.is_empty() && self.components[&image.component].module.is_none() {
                return Some(format!("image {name}: {} has no module", image.component));
            }
            for mode in image.directories.values() {
                if u32::from_str_radix(mode, 8).is_err() {
                    return Some(format!("image {name}: `{mode}` is not an octal mode"));
                }
            }
        }
        let in_images = self.images.values().flat_map(|image| &image.programs);
        let in_images = in_images.map(|it| &it.program);
        let on_nodes = self.node_programs.iter().map(|it| &it.program);
        in_images
            .chain(on_nodes)
            .find(|name| is_program(name).is_none())
            .map(|name| format!("no component makes program {name}"))
    }
}

/// The catalog is part of the program, so this is nothing that a user could mend.
pub(super) fn internal(message: &str) -> Diagnostic {
    Diagnostic::error(Kind::Internal, format!("catalog: {message}"))
}

impl Component {
    /// Puts the version into a text that has `{version}`, `{major}` and `{minor}`.
    pub(super) fn fill_in(version: &str, text: &str) -> String {
        let mut numbers = version.split('.');
        let major = numbers.next().unwrap_or_default();
        let minor = numbers.next().unwrap_or_default();
        text.replace("{version}", version)
            .replace("{major}", major)
            .replace("{minor}", minor)
    }
}

impl Upstream {
    /// Puts version and architecture where they belong.
    pub(super) fn filled_in(&self, architecture: &str) -> Self {
        let fill_in = |text: &str| {
            Component::fill_in(&self.version, text).replace("{architecture}", architecture)
        };
        let programs = self.programs.iter().map(|program| PackedProgram {
            path: fill_in(&program.path),
            output: program.output.clone(),
        });
        Self {
            version: self.version.clone(),
            url: fill_in(&self.url),
            sha256: self.sha256.clone(),
            programs: programs.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Catalog;
    use crate::addon;
    use crate::bundle::sources;

    #[test]
    fn every_component_builds_the_version_that_the_catalog_names() {
        let catalog = Catalog::embedded().unwrap();
        let releases = catalog.releases.keys();
        let releases = releases.map(|&minor| catalog.release(minor).unwrap());
        let components = releases.flat_map(|it| it.components);
        for (name, component) in components {
            let go = &component.source.go;
            let folder = go.modules.as_ref().unwrap_or(&go.folder);
            let go_mod = sources::text(&format!("{folder}/go.mod")).unwrap();
            let Some(module) = &component.module else {
                continue;
            };
            let wanted = format!("{module} v{}", component.version);
            let lines = go_mod
                .lines()
                .map(|line| line.trim().trim_start_matches("require "));
            let found = lines.filter(|line| line.split("//").next().unwrap().trim() == wanted);
            assert_eq!(found.count(), 1, "{name}: go.mod does not require {wanted}");
        }
    }

    #[test]
    fn every_program_goes_somewhere() {
        let catalog = Catalog::embedded().unwrap();
        let in_images = catalog.images.values().flat_map(|it| &it.programs);
        let on_nodes = catalog.node_programs.iter().map(|it| &it.program);
        let used: Vec<_> = in_images.map(|it| &it.program).chain(on_nodes).collect();
        let playbooks = addon::files("playbook.yml");
        for (name, component) in &catalog.components {
            for output in Catalog::outputs(component) {
                let program = format!("{name}/{output}");
                let step = format!("program: {program},");
                let is_installed = playbooks.iter().any(|it| it.source.text.contains(&step));
                assert!(used.contains(&&program) || is_installed, "{program}");
            }
        }
    }

    #[test]
    fn releases_are_filled_in_completely() {
        for (name, component) in Catalog::embedded().unwrap().components {
            let Some(release) = component.release else {
                continue;
            };
            assert!(release.sha256.contains_key("amd64"), "{name}");
            let filled_in = format!("{:?}", release.filled_in("amd64"));
            assert!(!filled_in.contains("{version}"), "{filled_in}");
            assert!(!filled_in.contains("{architecture}"), "{filled_in}");
        }
    }

    #[test]
    fn contradictions_are_found() {
        let good = sources::text("catalog.yml").unwrap();
        let cases = [
            (
                "program: pause/pause",
                "program: pause/pose",
                "no component makes program pause/pose",
            ),
            (
                "component: pause",
                "component: pose",
                "image pause: no component pose",
            ),
            ("\"1777\"", "\"1778\"", "`1778` is not an octal mode"),
            ("output: etcdctl", "output: etcdcuttle", "its release lacks"),
            ("format: 2", "format: 3", "format 3, expected 2"),
            ("modules: etcd-3.6", "moduls: etcd-3.6", "moduls"),
            (
                "\"1.36.3\"",
                "\"1.35.3\"",
                "release 1.36 has Kubernetes 1.35.3",
            ),
        ];
        for (from, to, expected) in cases {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            let message = Catalog::parse(&bad).unwrap_err().message;
            assert!(message.contains(expected), "{message}");
        }
    }
}
