//! `images/catalog.yml`: the images that kinstall knows by name. The file says what each field means.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;

use super::box_name::{self, Told};
use crate::diagnostic::{Diagnostic, Kind, SourceFile};
use crate::did_you_mean;
use crate::digest::Digest;
use crate::yaml;

const FORMAT: u32 = 1;

/// The list of known images.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    format: u32,
    default: String,
    pub images: BTreeMap<String, CatalogImage>,
    no_image: Vec<NoImage>,
}

/// A build of a distribution's cloud image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogImage {
    pub title: String,
    pub version: String,
    pub user: String,
    pub(super) files: BTreeMap<String, CatalogFile>,
    pub(super) current: Option<Current>,
    #[serde(default)]
    boxes: Vec<String>,
    #[serde(default)]
    successor_of: Vec<String>,
}

/// Where the image of one architecture is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogFile {
    pub urls: Vec<String>,
    pub digest: Digest,
}

/// Where the newest build is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Current {
    url: String,
    digests: String,
}

/// Boxes without anything to put in their place.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoImage {
    boxes: Vec<String>,
    why: String,
}

/// An image that was asked for by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found<'a> {
    pub name: &'a str,
    pub image: &'a CatalogImage,
    /// What the user should know, where another name was asked for.
    pub notice: Option<String>,
}

/// Why a name leads to no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("there is no machine image `{name}`")]
    Unknown {
        name: String,
        meant: Option<String>,
        known: Vec<String>,
    },
    /// It has the form of a box's name.
    #[error(
        "the Vagrant box `{name}` is not on this computer, and kinstall has no image in its place"
    )]
    Box {
        name: String,
        why: Option<String>,
        default: String,
    },
}

impl Catalog {
    /// Returns the catalog that this kinstall was built with.
    pub fn embedded() -> Result<Self, Diagnostic> {
        Self::parse(include_str!("../../images/catalog.yml"))
    }

    /// Reads a catalog.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let file = Arc::new(SourceFile {
            path: PathBuf::from("images/catalog.yml"),
            text: text.into(),
        });
        let catalog: Self = yaml::parse(&file)?;
        let wrong = if catalog.format != FORMAT {
            format!("format {}, expected {FORMAT}", catalog.format)
        } else if !catalog.images.contains_key(&catalog.default) {
            format!("no image {}", catalog.default)
        } else {
            return Ok(catalog);
        };
        // The file is part of the program, so this is nothing that a user could mend.
        Err(Diagnostic::error(
            Kind::Internal,
            format!("images/catalog.yml: {wrong}"),
        ))
    }

    /// Returns the image of a name, or the one that took its place. `others` are names that lead
    /// elsewhere, to be suggested too.
    pub(super) fn find(&self, name: &str, others: &[String]) -> Result<Found<'_>, NameError> {
        if let Some((name, image)) = self.images.get_key_value(name) {
            let notice = None;
            return Ok(Found {
                name,
                image,
                notice,
            });
        }
        let has = |names: &[String]| names.iter().any(|it| it.eq_ignore_ascii_case(name));
        for (own, image) in &self.images {
            let notice = if has(&image.boxes) {
                format!("`{name}`: `{own}` ({}) is the same release", image.title)
            } else if has(&image.successor_of) {
                format!(
                    "`{name}` is end of life; `{own}` ({}) takes its place",
                    image.title
                )
            } else {
                continue;
            };
            return Ok(Found {
                name: own,
                image,
                notice: Some(notice),
            });
        }
        self.of_release(name)
            .ok_or_else(|| self.unknown(name, others))
    }

    /// Returns the image of the release that a box's name tells, or of the one that took its place.
    fn of_release(&self, name: &str) -> Option<Found<'_>> {
        let (own, successor) = match box_name::told(name)? {
            Told::Ubuntu(year, month) => {
                let own = format!("ubuntu-{year}.{month:02}");
                match (year, month) {
                    (..24, _) => (own, Some("ubuntu-24.04")),
                    (24..26, _) => (own, Some("ubuntu-26.04")),
                    _ => (own, None),
                }
            }
            Told::Debian(major) => (
                format!("debian-{major}"),
                (major < 12).then_some("debian-13"),
            ),
            Told::Other(_) => return None,
        };
        if let Some((own, image)) = self.images.get_key_value(&own) {
            let notice = format!("`{name}`: `{own}` ({}) is the same release", image.title);
            return Some(Found {
                name: own,
                image,
                notice: Some(notice),
            });
        }
        let (own, image) = self.images.get_key_value(successor?)?;
        let notice = format!(
            "`{name}` is end of life; `{own}` ({}) takes its place",
            image.title
        );
        Some(Found {
            name: own,
            image,
            notice: Some(notice),
        })
    }

    /// Returns the image one of whose files has such a hash.
    pub(super) fn of_hash(&self, is_it: impl Fn(&Digest) -> bool) -> Option<(&str, &CatalogImage)> {
        let has = |image: &CatalogImage| image.files.values().any(|it| is_it(&it.digest));
        let mut images = self
            .images
            .iter()
            .map(|(name, image)| (name.as_str(), image));
        images.find(|(_, image)| has(image))
    }

    fn unknown(&self, name: &str, others: &[String]) -> NameError {
        let known = self.images.keys().chain(others);
        let boxes = self.images.values();
        let boxes = boxes.flat_map(|it| it.boxes.iter().chain(&it.successor_of));
        let candidates = known.clone().chain(boxes).map(String::as_str);
        let meant = did_you_mean::closest(name, candidates).map(str::to_owned);
        let has = |it: &&NoImage| it.boxes.iter().any(|it| it.eq_ignore_ascii_case(name));
        let listed = self.no_image.iter().find(has).map(|it| it.why.clone());
        let reason = listed.or_else(|| match box_name::told(name)? {
            Told::Other(why) => Some(why.to_owned()),
            _ => None,
        });
        let name = name.to_owned();
        if reason.is_some() || (name.contains('/') && meant.is_none()) {
            let default = self.default.clone();
            return NameError::Box {
                name,
                why: reason,
                default,
            };
        }
        NameError::Unknown {
            name,
            meant,
            known: known.cloned().collect(),
        }
    }
}

impl CatalogImage {
    /// Returns the image file for machines of this computer's kind.
    pub(super) fn file(&self) -> Option<&CatalogFile> {
        self.files.get(architecture())
    }

    /// Returns what to write for the publisher's newest build.
    pub(super) fn newest(&self) -> Option<String> {
        let current = self.current.as_ref()?;
        let url = current.url.replace("{architecture}", architecture());
        let algorithm = self.file()?.digest.algorithm().name();
        Some(format!("{url}#{algorithm}sums={}", current.digests))
    }
}

/// Returns this computer's architecture as Debian names it.
pub(super) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Catalog, NameError};
    use crate::digest::Algorithm;
    use crate::model::defaults::MACHINE_IMAGE;

    #[test]
    fn every_image_is_pinned_for_both_architectures() {
        for (name, image) in Catalog::embedded().unwrap().images {
            for architecture in ["amd64", "arm64"] {
                let file = &image.files[architecture];
                assert_ne!(file.digest.algorithm(), Algorithm::Sha1, "{name}");
                for url in &file.urls {
                    let date = image.version.split('-').next().unwrap();
                    assert!(url.contains(date) && url.contains(architecture), "{url}");
                }
            }
            let newest = image.newest().unwrap();
            assert!(
                !newest.contains('{') && newest.starts_with("https://"),
                "{newest}"
            );
        }
    }

    #[test]
    fn the_models_default_is_the_catalogs() {
        let catalog = Catalog::embedded().unwrap();
        assert_eq!(catalog.default, MACHINE_IMAGE);
    }

    #[test]
    fn no_hash_and_no_name_stands_twice() {
        let catalog = Catalog::embedded().unwrap();
        let (mut hashes, mut names) = (BTreeSet::new(), BTreeSet::new());
        let mut boxes: Vec<String> = catalog.images.keys().cloned().collect();
        for image in catalog.images.values() {
            for file in image.files.values() {
                assert!(hashes.insert(file.digest.to_string()), "{}", file.digest);
            }
            boxes.extend(image.boxes.iter().chain(&image.successor_of).cloned());
        }
        boxes.extend(catalog.no_image.iter().flat_map(|it| it.boxes.clone()));
        for name in boxes {
            assert!(names.insert(name.to_ascii_lowercase()), "{name}");
        }
    }

    #[test]
    fn names_of_old_vagrantfiles_get_an_answer() {
        let catalog = Catalog::embedded().unwrap();
        let names = [
            "debian-13",
            "ubuntu/bionic64",
            "ubuntu/xenial64",
            "ubuntu/focal64",
            "ubuntu/jammy64",
            "Ubuntu/Jammy64",
            "generic/ubuntu2204",
            "bento/ubuntu-22.04",
            "debian/bookworm64",
            "debian/bullseye64",
            "ubuntu2004",
            "generic/ubuntu2110",
            "bento/ubuntu-24.10",
            "generic-x64/ubuntu2204",
            "bento/debian-12.5",
            "geerlingguy/debian10",
            "bento/centos-7.9",
            "generic/alpine312",
            "ubuntu/jamy64",
            "centos/7",
            "generic/centos8",
            "almalinux/9",
            "acme/appliance",
            "ubuntu-2404",
            "own-imagee",
            "nonsense",
        ];
        let answers = names.map(|name| match catalog.find(name, &["own-image".into()]) {
            Ok(found) => match found.notice {
                Some(notice) => notice,
                None => format!("`{name}` is {}", found.image.title),
            },
            Err(error) => {
                let detail = match &error {
                    NameError::Unknown { meant, .. } => format!("meant {meant:?}"),
                    NameError::Box { why, .. } => format!("why {why:?}"),
                };
                format!("{error}: {detail}")
            }
        });
        insta::assert_snapshot!(answers.join("\n"));
    }

    #[test]
    fn a_default_that_is_not_there_is_a_bug() {
        let text = include_str!("../../images/catalog.yml");
        let bad = text.replace("default: debian-13", "default: debian-14");
        let message = Catalog::parse(&bad).unwrap_err().message;
        assert_eq!(message, "images/catalog.yml: no image debian-14");
    }
}
