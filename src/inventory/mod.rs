//! Ansible inventories as kubespray uses them: hosts, groups and variables, each with its place.
//!
//! ```text
//! inventory.ini | hosts.yaml | folder -> groups, members, inline variables -> group_vars, host_vars -> Inventory
//! ```
//!
//! Rules and precedence are Ansible's, and the groups are those that kubespray's playbooks make of them
//! ([`group::add_cluster`]). Group names of all kubespray ages are one name here ([`group::canonical`]):
//! `kube-master` is `kube_control_plane`.

mod confidential;
pub mod edit;
mod expression;
mod files;
mod form;
pub mod group;
mod host_pattern;
mod ini;
mod literal;
pub mod pattern;
mod range;
pub mod template;
mod variables;
mod vault;
mod yaml_file;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

pub use confidential::is_confidential;
pub use group::{Group, Reference};
pub use pattern::PatternError;

use form::Form;
pub use vault::{Vault, VaultError};

use crate::diagnostic::{Diagnostic, Diagnostics, Kind, Location, SourceFile};
use crate::yaml::{Entry, Value};

/// Variables by name; each knows the place that set it.
pub type Variables = IndexMap<String, Entry>;

/// An inventory with all variables merged.
#[derive(Debug)]
pub struct Inventory {
    /// The inventory file; of several in a folder, the first that names hosts.
    pub file: Arc<SourceFile>,
    /// All files that were read for hosts and groups.
    pub files: Vec<Arc<SourceFile>>,
    /// Every host that the inventory names, in the order of its first appearance.
    pub hosts: IndexMap<String, Host>,
    /// Groups by canonical name; `all` and `ungrouped` only if they are written down.
    pub groups: IndexMap<String, Group>,
    /// Opens what is encrypted, when it is asked for.
    vault: Vault,
    /// Variable files that stayed closed.
    encrypted_files: Vec<PathBuf>,
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
    /// Reads an inventory file, or all inventory files of a folder, with their group_vars and host_vars.
    ///
    /// Returns warnings beside the inventory, or else everything that is wrong with it.
    pub fn load(path: &Path, vault: Vault) -> Result<(Self, Diagnostics), Diagnostics> {
        Self::load_edited(path, &[], vault)
    }

    /// Reads the same with some of its files as they will be.
    pub fn load_edited(
        path: &Path,
        edited: &[Arc<SourceFile>],
        vault: Vault,
    ) -> Result<(Self, Diagnostics), Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        let files = files::find(path, edited, &mut diagnostics).map_err(|error| vec![error])?;
        let mut inventory = Self::of(&files, vault, &mut diagnostics).ok_or_else(Vec::new)?;
        group::check(&inventory, &mut diagnostics);
        if !diagnostics.iter().any(Diagnostic::is_error) {
            group::add_cluster(&mut inventory);
            let folder = inventory.folder().to_owned();
            variables::merge(&mut inventory, &folder, &mut diagnostics);
        }
        if diagnostics.iter().any(Diagnostic::is_error) {
            return Err(diagnostics);
        }
        Ok((inventory, diagnostics))
    }

    /// Returns the folder that holds the inventory, its group_vars and its host_vars.
    pub fn folder(&self) -> &Path {
        self.file.path.parent().unwrap_or(Path::new(""))
    }

    /// Returns the hosts of a group and its children, each once; none if there is no such group.
    pub fn hosts_in(&self, group: &str) -> Vec<&Host> {
        group::host_names(self, group)
            .into_iter()
            .filter_map(|name| self.hosts.get(name))
            .collect()
    }

    /// Reads the texts alone, without the folders beside them; `None` if there is no text.
    fn of(files: &[Arc<SourceFile>], vault: Vault, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut inventory = Self {
            file: Arc::clone(files.first()?),
            files: files.to_vec(),
            hosts: IndexMap::new(),
            groups: IndexMap::new(),
            vault,
            encrypted_files: Vec::new(),
        };
        for file in files {
            inventory.parse(file, diagnostics);
        }
        Some(inventory)
    }

    fn parse(&mut self, file: &Arc<SourceFile>, diagnostics: &mut Diagnostics) {
        match Form::of(file, diagnostics) {
            Some(Form::Yaml) => yaml_file::parse(self, file, diagnostics),
            Some(Form::Ini) => ini::parse(self, file, diagnostics),
            None => {}
        }
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

/// Returns the inventory of a folder where the user names none: `inventory.ini`; the folder itself if that
/// isn't there, or is an untouched sample, and another one lies beside it.
pub fn usual_path(folder: &Path) -> PathBuf {
    files::usual(folder)
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

#[cfg(test)]
mod tests;
