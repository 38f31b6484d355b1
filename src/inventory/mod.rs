//! Ansible inventories as kubespray uses them: hosts, groups and variables, each with its place.
//!
//! ```text
//! inventory.ini | hosts.yaml -> groups, members, inline variables -> group_vars, host_vars -> Inventory
//! ```
//!
//! Rules and precedence are Ansible's. Group names of all kubespray ages are one name here
//! ([`group::canonical`]): `kube-master` is `kube_control_plane`.

pub mod group;
mod ini;
mod literal;
mod range;
pub mod template;
mod variables;
mod yaml_file;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

pub use group::{Group, Reference};

use crate::diagnostic::{Diagnostic, Diagnostics, Kind, Location, SourceFile};
use crate::yaml::{Entry, Value};

/// Variables by name; each knows the place that set it.
pub type Variables = IndexMap<String, Entry>;

/// An inventory with all variables merged.
#[derive(Debug)]
pub struct Inventory {
    /// The inventory file itself.
    pub file: Arc<SourceFile>,
    /// Every host that the inventory names, in the order of its first appearance.
    pub hosts: IndexMap<String, Host>,
    /// Groups by canonical name; `all` and `ungrouped` only if they are written down.
    pub groups: IndexMap<String, Group>,
}

/// A host of the inventory.
#[derive(Debug)]
pub struct Host {
    pub name: String,
    /// Where it is named first.
    pub location: Location,
    /// What Ansible would see on this host.
    pub variables: Variables,
}

impl Inventory {
    /// Reads an inventory file, or the inventory file of a folder, with its group_vars and host_vars.
    ///
    /// Returns warnings beside the inventory, or else everything that is wrong with it.
    pub fn load(path: &Path) -> Result<(Self, Diagnostics), Diagnostics> {
        let path = find_file(path).map_err(|error| vec![error])?;
        let file = SourceFile::read(&path).map_err(|error| vec![error])?;
        let mut diagnostics = Diagnostics::new();
        let mut inventory = Self::parse(&file, &mut diagnostics);
        group::check(&inventory, &mut diagnostics);
        if !diagnostics.iter().any(Diagnostic::is_error) {
            let folder = path.parent().unwrap_or(Path::new(""));
            variables::merge(&mut inventory, folder, &mut diagnostics);
        }
        if diagnostics.iter().any(Diagnostic::is_error) {
            return Err(diagnostics);
        }
        Ok((inventory, diagnostics))
    }

    /// Returns the hosts of a group and its children, each once; none if there is no such group.
    pub fn hosts_in(&self, group: &str) -> Vec<&Host> {
        group::host_names(self, group)
            .into_iter()
            .filter_map(|name| self.hosts.get(name))
            .collect()
    }

    /// Reads the text alone, without the folders beside it.
    fn parse(file: &Arc<SourceFile>, diagnostics: &mut Diagnostics) -> Self {
        let mut inventory = Self {
            file: Arc::clone(file),
            hosts: IndexMap::new(),
            groups: IndexMap::new(),
        };
        if file.text.starts_with("#!") {
            diagnostics.push(
                Diagnostic::error(Kind::Inventory, "inventory scripts are not supported")
                    .at(location(file, 0..2), "this is a program")
                    .hint("write its answer to a file: `ansible-inventory -i SCRIPT --list --yaml > hosts.yaml`"),
            );
        } else if is_yaml(file) {
            yaml_file::parse(&mut inventory, diagnostics);
        } else {
            ini::parse(&mut inventory, diagnostics);
        }
        inventory
    }

    /// Adds a host to a group, and to the inventory where it isn't known yet.
    fn add_host(&mut self, name: &str, group: &str, location: &Location, variables: &[Entry]) {
        let host = self.hosts.entry(name.to_owned()).or_insert_with(|| Host {
            name: name.to_owned(),
            location: location.clone(),
            variables: Variables::new(),
        });
        set_all(&mut host.variables, variables);
        let members = &mut self.add_group(group, location).hosts;
        if !members.iter().any(|member| member.name == name) {
            members.push(Reference {
                name: name.to_owned(),
                location: location.clone(),
            });
        }
    }

    /// Returns a group by any of its spellings, new if it isn't known yet.
    fn add_group(&mut self, name: &str, location: &Location) -> &mut Group {
        let name = group::canonical(name);
        self.groups
            .entry(name.to_owned())
            .or_insert_with(|| Group::new(name, location.clone()))
    }
}

/// Sets variables over those that are there.
fn set_all<'a>(variables: &mut Variables, entries: impl IntoIterator<Item = &'a Entry>) {
    for entry in entries {
        variables.insert(entry.key.clone(), entry.clone());
    }
}

fn location(file: &Arc<SourceFile>, span: std::ops::Range<usize>) -> Location {
    Location {
        file: Arc::clone(file),
        span,
    }
}

fn error_at(value: &Location, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Kind::Inventory, message).at(value.clone(), label)
}

fn describe(value: &Value) -> String {
    match value.text() {
        Some(text) => format!("`{text}`"),
        None => value.kind().to_owned(),
    }
}

const FILE_NAMES: [&str; 6] = [
    "inventory.ini",
    "hosts.yaml",
    "hosts.yml",
    "hosts.ini",
    "inventory.yaml",
    "inventory.yml",
];

fn find_file(path: &Path) -> Result<PathBuf, Diagnostic> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    FILE_NAMES
        .iter()
        .map(|name| path.join(name))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| {
            Diagnostic::error(
                Kind::Inventory,
                format!("no inventory file in {}", path.display()),
            )
            .hint(format!("looked for {}", FILE_NAMES.join(", ")))
        })
}

/// Files without a telling extension are INI if their first line could start a section.
fn is_yaml(file: &SourceFile) -> bool {
    match file
        .path
        .extension()
        .and_then(|extension| extension.to_str())
    {
        Some("yml" | "yaml" | "json") => true,
        Some("ini" | "cfg") => false,
        _ => file
            .text
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with(['#', ';']))
            .is_some_and(|line| {
                line == "---" || line.starts_with('{') || line == "all:" || line.ends_with(':')
            }),
    }
}

#[cfg(test)]
mod tests;
