//! group_vars, host_vars, and which value wins.
//!
//! From weak to strong, as in Ansible: the inventory file's `all`, its other groups, group_vars/all,
//! other group_vars, the host line, host_vars. Among groups the deeper one wins, then the higher
//! `ansible_group_priority`, then the later name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::group::{canonical, depths, host_names, spellings};
use super::{Inventory, Variables, Vault, VaultError, describe, error_at, location, set_all};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceFile};
use crate::did_you_mean::closest;
use crate::yaml::{self, Node};

const EXTENSIONS: [&str; 3] = ["yml", "yaml", "json"];

/// Endings of files that lie beside variables and are meant for people.
const NOTES: [&str; 9] = [
    "md", "txt", "rst", "example", "sample", "dist", "bak", "orig", "swp",
];

/// Gives every host the variables that Ansible would see on it.
pub(super) fn merge(inventory: &mut Inventory, folder: &Path, diagnostics: &mut Diagnostics) {
    let groups = sorted_groups(inventory);
    let mut folders = Folders {
        vault: inventory.vault.clone(),
        encrypted_files: Vec::new(),
        diagnostics,
    };
    let group_folder = folder.join("group_vars");
    let mut from_folder = HashMap::new();
    for name in groups
        .iter()
        .map(String::as_str)
        .chain(["all", "ungrouped"])
    {
        let mut variables = Variables::new();
        for spelling in spellings(name) {
            folders.read(&group_folder, spelling, &mut variables);
        }
        from_folder.insert(name.to_owned(), variables);
    }
    report_strangers(&group_folder, "group", folders.diagnostics, |name| {
        from_folder.contains_key(canonical(name))
    });

    let members: Vec<(&String, Vec<&str>)> = groups
        .iter()
        .map(|group| (group, host_names(inventory, group)))
        .collect();
    let host_folder = folder.join("host_vars");
    let mut merged: HashMap<String, Variables> = HashMap::new();
    for (name, host) in &inventory.hosts {
        let in_file = |group: &str| inventory.groups.get(group).map(|group| &group.variables);
        let own_groups = || {
            let own = members
                .iter()
                .filter(|(_, hosts)| hosts.contains(&name.as_str()));
            own.map(|(group, _)| group.as_str())
        };
        let mut variables = Variables::new();
        let file_layers = ["all"].into_iter().chain(own_groups()).filter_map(in_file);
        let folder_layers = ["all"].into_iter().chain(own_groups());
        let folder_layers = folder_layers.filter_map(|group| from_folder.get(group));
        for layer in file_layers.chain(folder_layers).chain([&host.variables]) {
            set_all(&mut variables, layer.values());
        }
        folders.read(&host_folder, name, &mut variables);
        merged.insert(name.clone(), variables);
    }
    report_strangers(&host_folder, "host", folders.diagnostics, |name| {
        merged.contains_key(name)
    });
    inventory.encrypted_files = folders.encrypted_files;
    for (name, variables) in merged {
        if let Some(host) = inventory.hosts.get_mut(&name) {
            host.variables = variables;
        }
    }
}

/// Returns all groups but `all`, the weakest first.
fn sorted_groups(inventory: &Inventory) -> Vec<String> {
    let mut groups: Vec<(usize, i64, String)> = depths(inventory)
        .into_iter()
        .map(|(group, depth)| {
            let priority = group.variables.get("ansible_group_priority");
            let priority = priority.and_then(|entry| entry.value.text()?.parse().ok());
            (depth, priority.unwrap_or(1), group.name.clone())
        })
        .collect();
    groups.sort();
    groups.into_iter().map(|(_, _, name)| name).collect()
}

/// Reads files of group_vars and host_vars.
struct Folders<'a> {
    vault: Vault,
    /// Files that stayed closed.
    encrypted_files: Vec<PathBuf>,
    diagnostics: &'a mut Diagnostics,
}

impl Folders<'_> {
    /// Reads `folder/name`, a file or a folder of files, else `folder/name.yml` and so on.
    fn read(&mut self, folder: &Path, name: &str, variables: &mut Variables) {
        let extended = EXTENSIONS
            .iter()
            .map(|extension| folder.join(format!("{name}.{extension}")));
        let mut found = [folder.join(name)]
            .into_iter()
            .chain(extended)
            .filter(|path| path.exists());
        let Some(path) = found.next() else {
            return;
        };
        for shadowed in found {
            self.diagnostics.push(
                Diagnostic::warning(format!("{} is never read", shadowed.display())).hint(format!(
                    "{} comes first, and Ansible takes only one of the two; move the file into that folder",
                    path.display()
                )),
            );
        }
        for file in files(&path) {
            match self.read_file(&file) {
                Ok(layer) => set_all(variables, layer.values()),
                Err(error) => self.diagnostics.push(error),
            }
        }
    }

    /// Reads one file. One that is encrypted and stays closed has no variables, with a warning.
    fn read_file(&mut self, path: &Path) -> Result<Variables, Diagnostic> {
        let file = SourceFile::read(path)?;
        if !Vault::is_encrypted(&file.text) {
            let root = yaml::parse_as_ansible(&file, self.diagnostics)?;
            return variables_of(root);
        }
        let header = location(&file, 0..file.text.lines().next().unwrap_or_default().len());
        let text = match self.vault.open(&file.text) {
            Ok(text) => text,
            Err(VaultError::NoPassword) => {
                self.encrypted_files.push(path.to_owned());
                self.diagnostics.push(
                    Diagnostic::warning(format!(
                        "{} is encrypted with ansible-vault, so its variables are not known",
                        path.display()
                    ))
                    .at(header, "left out")
                    .hint(NAME_PASSWORD_FILE),
                );
                return Ok(Variables::new());
            }
            Err(error) => {
                let message = format!("can't decrypt {}: {error}", path.display());
                return Err(error_at(&header, message, "encrypted with ansible-vault"));
            }
        };
        let decrypted = SourceFile {
            path: path.to_owned(),
            text,
        };
        let mut found = Diagnostics::new();
        let root = yaml::parse_as_ansible(&Arc::new(decrypted), &mut found);
        // No message may show what is written in there.
        let hidden = |mut diagnostic: Diagnostic| {
            let line = diagnostic.label.map(|(place, _)| place.line());
            diagnostic.label = Some((header.clone(), "encrypted".to_owned()));
            match line {
                Some(line) => diagnostic.hint(format!("in line {line} of the decrypted text")),
                None => diagnostic,
            }
        };
        self.diagnostics.extend(found.into_iter().map(hidden));
        let mut root = root.map_err(hidden)?;
        root.moved_to(&header);
        variables_of(root)
    }
}

/// What to do about texts that stay closed.
pub(super) const NAME_PASSWORD_FILE: &str =
    "name the file that holds the password: `--vault-password-file FILE`";

fn variables_of(root: yaml::Value) -> Result<Variables, Diagnostic> {
    match root.node {
        Node::Null => Ok(Variables::new()),
        Node::Map(entries) => Ok(entries
            .into_iter()
            .map(|entry| (entry.key.clone(), entry))
            .collect()),
        _ => Err(error_at(
            &root.location,
            format!(
                "variable file holds {} instead of variables",
                describe(&root)
            ),
            "expected `name: value`",
        )),
    }
}

/// Returns the file itself, or all variable files below a folder in order of their names.
fn files(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let mut children: Vec<PathBuf> = std::fs::read_dir(path)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|child| {
            let name = child.file_name().unwrap_or_default().to_string_lossy();
            let extension = child
                .extension()
                .map(|extension| extension.to_string_lossy());
            let is_readable = extension.is_none_or(|extension| {
                child.is_file() && EXTENSIONS.contains(&extension.as_ref())
            });
            is_readable && !name.starts_with('.') && !name.ends_with('~')
        })
        .collect();
    children.sort();
    children.iter().flat_map(|child| files(child)).collect()
}

/// Warns of files that belong to no group or host: Ansible ignores them without a word.
fn report_strangers(
    folder: &Path,
    kind: &str,
    diagnostics: &mut Diagnostics,
    is_known: impl Fn(&str) -> bool,
) {
    let mut strangers: Vec<(PathBuf, String)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let full_name = path.file_name()?.to_str()?.to_owned();
            let stem = EXTENSIONS.iter().find_map(|extension| {
                full_name
                    .strip_suffix(extension)
                    .and_then(|name| name.strip_suffix('.'))
            });
            let name = stem.unwrap_or(&full_name).to_owned();
            let is_note = path.extension().is_some_and(|extension| {
                NOTES
                    .iter()
                    .any(|note| extension.eq_ignore_ascii_case(note))
            });
            let is_note = is_note || full_name.starts_with('.') || full_name.ends_with('~');
            let is_stranger = !is_note && !name.eq_ignore_ascii_case("readme") && !is_known(&name);
            is_stranger.then_some((path, name))
        })
        .collect();
    strangers.sort();
    for (path, name) in strangers {
        let warning = Diagnostic::warning(format!(
            "{} is never read: the inventory has no {kind} `{name}`",
            path.display()
        ));
        let usual = [
            "kube_control_plane",
            "kube_node",
            "k8s_cluster",
            "etcd",
            "all",
        ];
        let suggestion = closest(&name, usual).filter(|_| kind == "group");
        diagnostics.push(warning.hint(match suggestion {
            Some(suggestion) => format!("did you mean `{suggestion}`?"),
            None => format!("name the {kind} in the inventory, or remove the file"),
        }));
    }
}
