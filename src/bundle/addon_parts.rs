//! The catalog with what add-ons are made of: `addons/NAME/parts.yml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::catalog::{Catalog, Component, Image, internal};
use super::sources;
use crate::addon;
use crate::diagnostic::Diagnostic;
use crate::yaml;

/// What an add-on is made of: its `parts.yml`, with folders of the add-on's own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    components: BTreeMap<String, Component>,
    images: BTreeMap<String, Image>,
}

impl Catalog {
    /// Returns the catalog that this kinstall was built with, and what its add-ons are made of.
    pub fn embedded() -> Result<Self, Diagnostic> {
        Self::without_addons(&[])
    }

    /// Returns the same without what these add-ons are made of.
    pub fn without_addons(unwanted: &[String]) -> Result<Self, Diagnostic> {
        let mut catalog = Self::read(&sources::text("catalog.yml")?)?;
        let mut twice = None;
        let files = addon::files("/parts.yml").into_iter();
        for file in files.filter(|file| !unwanted.contains(&file.addon)) {
            let parts: Parts = yaml::parse(&file.source)?;
            twice = twice.or(catalog.add(&file.addon, parts));
        }
        let contradiction = twice.or_else(|| catalog.contradiction());
        contradiction.map_or(Ok(catalog), |it| Err(internal(&it)))
    }

    /// Adds what an add-on is made of; returns what is there already.
    fn add(&mut self, addon: &str, parts: Parts) -> Option<String> {
        let mut twice = None;
        for (name, mut component) in parts.components {
            let go = &mut component.source.go;
            go.folder = format!("{addon}/{}", go.folder);
            if self.components.insert(name.clone(), component).is_some() {
                twice = Some(format!("component {name} stands twice"));
            }
        }
        for (name, image) in parts.images {
            if self.images.insert(name.clone(), image).is_some() {
                twice = Some(format!("image {name} stands twice"));
            }
        }
        twice
    }
}

#[cfg(test)]
mod tests {
    use super::Catalog;

    #[test]
    fn an_add_on_that_is_not_wanted_is_left_out_whole() {
        let all = Catalog::embedded().unwrap();
        let without = Catalog::without_addons(&["metallb".to_owned()]).unwrap();
        let images = all
            .images
            .keys()
            .filter(|it| !without.images.contains_key(*it));
        assert!(images.eq(["metallb-controller", "metallb-speaker"]));
        assert_eq!(all.components.len(), without.components.len() + 1);
    }
}
