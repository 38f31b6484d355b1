//! Add-ons as data: each is a folder of `addons/`, whose README says what stands in it.
//!
//! Nothing here knows what an add-on does. The model reads the variables that a definition lists, the plan its images
//! and its memory, and the bundle, the playbooks and `verify` take their files out of its folder.

mod definition;
mod files;

pub use definition::{Addon, Kind, Page, Setting};
pub use files::{AddonFile, bytes, files, source_files};

use std::sync::LazyLock;

/// Returns the definitions of all add-ons, by their names.
pub fn all() -> &'static [Addon] {
    static ALL: LazyLock<Vec<Addon>> = LazyLock::new(definition::read_all);
    &ALL
}

/// Returns the definition of an add-on.
pub fn find(name: &str) -> Option<&'static Addon> {
    all().iter().find(|addon| addon.name == name)
}

/// Returns the add-ons that have a page for the browser, with it.
pub fn pages() -> impl Iterator<Item = (&'static Addon, &'static Page)> {
    all().iter().filter_map(|it| Some((it, it.page.as_ref()?)))
}

/// Returns the variables of the inventory that add-ons' definitions list.
pub fn variables() -> impl Iterator<Item = &'static str> {
    all().iter().flat_map(Addon::variables)
}
