//! `addon.yml`: what the inventory may say about an add-on, where its images go, and the memory that it takes.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::files::files;
use crate::yaml;

/// What an `addon.yml` says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addon {
    /// The name of its folder, and of its playbook's component.
    #[serde(skip)]
    pub name: String,
    /// Without it, the model reads the add-on's variables itself, and has a field for it.
    #[serde(default)]
    pub switch: Option<Switch>,
    /// By the names that playbooks and templates know them by.
    #[serde(default)]
    pub settings: IndexMap<String, Setting>,
    #[serde(default)]
    pub images: Images,
    #[serde(default)]
    pub memory: Memory,
    /// Whether only a bundle that is built for an inventory which switches it on has it.
    #[serde(default)]
    pub is_built_on_demand: bool,
    /// What `kinstall open` shows of it.
    #[serde(default)]
    pub page: Option<Page>,
}

/// The variable that switches an add-on on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    pub variable: String,
    /// Whether it is on where the inventory doesn't say and kinstall makes the machines; elsewhere it is off then.
    #[serde(default)]
    pub on_made_machines: bool,
}

/// One setting of an add-on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    pub variable: String,
    pub kind: Kind,
    pub default: Value,
}

/// What a variable may hold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Boolean,
    /// The name of a namespace.
    Namespace,
    /// The name of a StorageClass.
    StorageClass,
    /// The path of a folder on the nodes.
    Folder,
    /// How long data is kept: days, weeks or years.
    Retention,
    /// How often something is done: seconds, ten or more, or minutes.
    Interval,
    /// A size as Kubernetes writes it.
    Quantity,
    /// A TCP port.
    Port,
    OneOf(Vec<String>),
}

/// A page for the browser.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// What the user calls it: `metrics`.
    pub name: String,
    pub namespace: String,
    pub service: String,
    /// Of the page on the server: `/vmui/`.
    pub path: String,
}

/// Images of the add-on, by the nodes that get them before anything needs them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Images {
    #[serde(default)]
    pub all_nodes: Vec<String>,
    #[serde(default)]
    pub workers: Vec<String>,
}

/// Measured, in MiB: the share of physical memory (`Pss`) that its processes have right after `up`, rounded up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    #[serde(default)]
    pub each_node: u64,
    #[serde(default)]
    pub each_worker: u64,
    /// On one of the workers, and nobody knows on which.
    #[serde(default)]
    pub one_worker: u64,
}

impl Addon {
    /// Returns the name that playbooks and templates know it by: `local_path_provisioner`.
    pub fn key(&self) -> String {
        self.name.replace('-', "_")
    }

    /// Returns the variables of the inventory that it lists.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let switch = self.switch.iter().map(|switch| switch.variable.as_str());
        let settings = self.settings.values();
        switch.chain(settings.map(|setting| setting.variable.as_str()))
    }
}

/// Reads all that are part of the program.
pub(super) fn read_all() -> Vec<Addon> {
    let addons = files("/addon.yml").into_iter().map(|file| {
        #[expect(
            clippy::expect_used,
            reason = "they are part of the program, and tests read them all"
        )]
        let addon: Addon = yaml::parse(&file.source).expect("a definition that can be read");
        Addon {
            name: file.addon,
            ..addon
        }
    });
    addons.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{all, bytes};

    /// Pages that may say what a variable means, beside the add-on's own.
    const PAGE: &str = include_str!("../../docs/inventory.md");

    #[test]
    fn every_variable_stands_once_and_in_the_documentation() {
        let mut seen = BTreeSet::new();
        for addon in all() {
            let own = bytes(&format!("{}/README.md", addon.name)).unwrap_or_default();
            let own = String::from_utf8_lossy(&own).into_owned();
            for variable in addon.variables() {
                assert!(seen.insert(variable), "{variable} twice");
                let written = format!("`{variable}`");
                let is_told = [own.as_str(), PAGE].iter().any(|it| it.contains(&written));
                assert!(is_told, "{variable} is in no page");
            }
        }
        assert!(seen.len() > 5, "{seen:?}");
    }

    #[test]
    fn an_add_on_has_a_playbook_of_its_name() {
        for addon in all() {
            let playbook = bytes(&format!("{}/playbook.yml", addon.name)).unwrap();
            let line = format!("component: {}\n", addon.name);
            assert!(String::from_utf8_lossy(&playbook).contains(&line), "{line}");
        }
    }
}
