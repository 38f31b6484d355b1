//! Hosts that come into the inventory or go from it: the whole is checked first, then the file is written.

use std::fs;
use std::path::{Path, PathBuf};
use std::slice;
use std::sync::Arc;

use similar::{ChangeTag, TextDiff};

use super::left_over;
use super::members::Members;
use super::named_hosts;
use super::project::Project;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::inventory::edit::{self, Edit, NewHost, Removal};
use crate::inventory::{Inventory, Vault};
use crate::model::{ClusterSpec, HostSpec, etcd};
use crate::whole_file;

/// What a new host is.
#[derive(Clone, Copy, Debug)]
pub enum Role<'a> {
    ControlPlane,
    /// A member of groups, or of `kube_node`.
    Groups(&'a [String]),
}

/// A changed inventory that isn't written yet.
pub struct InventoryEdit {
    pub file: EditedFile,
    /// The project with the inventory as it will be.
    pub project: Project,
}

/// The file that changes.
pub struct EditedFile(Edit);

/// What is done about hosts that leave the cluster.
pub enum InventoryRemoval {
    /// These files are changed.
    Edited(Vec<EditedFile>),
    /// Their form can't be edited; the warning says which lines the user deletes.
    ByHand(Diagnostic),
}

impl InventoryEdit {
    /// Adds a host to an inventory.
    pub fn adding(
        path: &Path,
        vault: Vault,
        host: &NewHost,
        role: Role<'_>,
    ) -> Result<Self, Diagnostics> {
        check_words(host)?;
        let groups = match role {
            Role::ControlPlane => control_plane_groups(path, vault.clone())?,
            Role::Groups([]) => vec!["kube_node".to_owned()],
            Role::Groups(groups) => groups.to_vec(),
        };
        let edit = edit::add(path, host, &groups)?;
        Self::of(path, vault, edit, host)
    }

    /// Puts a host into the place of another one.
    pub fn replacing(
        path: &Path,
        vault: Vault,
        old: &str,
        new: &NewHost,
    ) -> Result<Self, Diagnostics> {
        check_words(new)?;
        let before = Project::load(path, vault.clone())?;
        let replaced = named_hosts::host(&before.cluster, old)?;
        if new.name != old {
            check_own_files(&before, old)?;
            if before.cluster.host(&new.name).is_some() {
                let message = format!("the inventory has a host `{}` already", new.name);
                return Err(vec![Diagnostic::error(Kind::Inventory, message)]);
            }
        }
        if replaced.roles.control_plane && before.cluster.control_planes().count() == 1 {
            return Err(vec![only_control_plane(old)]);
        }
        check_addresses(path, vault.clone(), old, new)?;
        let edit = edit::replace(path, old, new)?;
        let edit = Self::of(path, vault, edit, new)?;
        if let Some(members) = Members::load(&edit.project.directory)? {
            if members.lacks_control_planes(&edit.project.cluster) {
                return Err(vec![only_control_plane(old)]);
            }
            left_over::refuse_etcd_on_others(&members, &edit.project.cluster)?;
        }
        Ok(edit)
    }

    /// Checks the whole inventory as it will be.
    fn of(path: &Path, vault: Vault, edit: Edit, host: &NewHost) -> Result<Self, Diagnostics> {
        check_effect(path, vault.clone(), &edit, host)?;
        let project = Project::load_edited(path, slice::from_ref(&edit.after), vault.clone())?;
        // It may not be whole before.
        if let Ok(before) = Project::load(path, vault)
            && before.cluster.etcd.on_hosts != project.cluster.etcd.on_hosts
            && Members::load(&project.directory)?.is_some()
        {
            let change = format!("with {}", host.name);
            return Err(vec![etcd_would_move(
                &change,
                project.cluster.etcd.on_hosts,
            )]);
        }
        Ok(Self {
            file: EditedFile(edit),
            project,
        })
    }
}

impl InventoryRemoval {
    /// Takes hosts out of an inventory, which must be right without them. Those that it doesn't have are passed over.
    pub fn of(path: &Path, vault: Vault, names: &[String]) -> Result<Self, Diagnostics> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if let Ok(before) = Project::load(path, vault.clone())
            && would_move_etcd(&before.cluster, &names)
        {
            let change = format!("without {}", names.join(", "));
            return Err(vec![etcd_would_move(&change, false)]);
        }
        let edits = match edit::remove(path, &names)? {
            Removal::Edited(edits) => edits,
            Removal::ByHand(warning) => return Ok(Self::ByHand(warning)),
        };
        let after: Vec<_> = edits.iter().map(|edit| Arc::clone(&edit.after)).collect();
        Project::load_edited(path, &after, vault).map_err(|errors| {
            let errors = errors.into_iter().filter(Diagnostic::is_error);
            let hint = format!(
                "this is how the inventory would be without {}; nothing was changed",
                names.join(", ")
            );
            errors
                .map(|error| error.hint(&hint))
                .collect::<Diagnostics>()
        })?;
        Ok(Self::Edited(edits.into_iter().map(EditedFile).collect()))
    }
}

impl EditedFile {
    /// Writes the file, if it is still as it was read.
    pub fn write(&self) -> Result<(), Diagnostics> {
        let path = self.path();
        let failed = |action: &str, error: &std::io::Error| {
            let message = format!("failed to {action} `{}`: {error}", path.display());
            vec![Diagnostic::error(Kind::Environment, message)]
        };
        let now = fs::read(path).map_err(|error| failed("read", &error))?;
        let (mark, now) = match now.strip_prefix("\u{feff}".as_bytes()) {
            Some(rest) => ("\u{feff}", rest),
            None => ("", now.as_slice()),
        };
        if now != self.0.before.text.as_bytes() {
            let message = format!("`{}` has just been changed", path.display());
            let error = Diagnostic::error(Kind::Inventory, message);
            return Err(vec![
                error.hint("nothing was written; run the command again"),
            ]);
        }
        let text = format!("{mark}{}", self.0.after.text);
        whole_file::rewrite(path, text.as_bytes()).map_err(|error| failed("write", &error))
    }

    /// Returns the file that is changed.
    pub fn path(&self) -> &Path {
        &self.0.after.path
    }

    /// Returns the numbers of the lines that will be new or different.
    pub fn lines(&self) -> Vec<usize> {
        self.changed(ChangeTag::Insert)
    }

    /// Returns the numbers that the lines have which go.
    pub fn lost_lines(&self) -> Vec<usize> {
        self.changed(ChangeTag::Delete)
    }

    fn changed(&self, tag: ChangeTag) -> Vec<usize> {
        let (before, after) = (&self.0.before.text, &self.0.after.text);
        let difference = TextDiff::from_lines(before.as_str(), after.as_str());
        let all = difference.iter_all_changes();
        let lines = all.filter(|change| change.tag() == tag);
        lines
            .filter_map(|change| Some(change.new_index().or(change.old_index())? + 1))
            .collect()
    }
}

/// Returns the files with variables of one host alone.
pub fn own_files(project: &Project, host: &str) -> Vec<PathBuf> {
    let folder = project.folder().join("host_vars");
    let names = ["", ".yml", ".yaml", ".json"].map(|end| folder.join(format!("{host}{end}")));
    names.into_iter().filter(|path| path.exists()).collect()
}

/// A control plane is a member of etcd as well, where the inventory names those one by one and has etcd on no other hosts.
fn control_plane_groups(path: &Path, vault: Vault) -> Result<Vec<String>, Diagnostics> {
    let (inventory, _) = Inventory::load(path, vault)?;
    let mut groups = vec!["kube_control_plane".to_owned()];
    let members = inventory.groups.get("etcd");
    let are_named = members.is_some_and(|group| !group.hosts.is_empty());
    if are_named && !etcd::is_on_hosts(&inventory) {
        groups.push("etcd".to_owned());
    }
    Ok(groups)
}

/// Fails where a file of the host's own sets what was given: it wins over the inventory's line.
fn check_effect(path: &Path, vault: Vault, edit: &Edit, host: &NewHost) -> Result<(), Diagnostics> {
    let (inventory, _) = Inventory::load_edited(path, slice::from_ref(&edit.after), vault)?;
    let variables = inventory.hosts.get(&host.name).map(|it| &it.variables);
    let found = host
        .variables
        .iter()
        .filter_map(|(key, _)| variables?.get(key));
    let others = found.filter(|entry| entry.key_location.path() != edit.after.path);
    let problems: Diagnostics = others
        .map(|entry| {
            let message = format!(
                "`{}` of {} is set in a file of its own",
                entry.key, host.name
            );
            Diagnostic::error(Kind::Inventory, message)
                .at(entry.key_location.clone(), "this one counts")
                .hint("change it there, and leave it out of the command; or remove this line")
        })
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn check_words(host: &NewHost) -> Result<(), Diagnostics> {
    let is_name = |key: &str| {
        let begins = key.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_');
        begins
            && key
                .chars()
                .all(|it| it.is_ascii_alphanumeric() || it == '_')
    };
    let is_plain = |it: char| it.is_alphanumeric() || "-_.".contains(it);
    if host.name.is_empty() || !host.name.chars().all(is_plain) {
        let message = format!("`{}` can't be a host's name", host.name);
        return Err(vec![Diagnostic::error(Kind::Inventory, message)]);
    }
    let mut problems = Diagnostics::new();
    for (index, (key, value)) in host.variables.iter().enumerate() {
        if !is_name(key) {
            let message = format!("`{key}` can't be a variable's name");
            let error = Diagnostic::error(Kind::Inventory, message);
            problems.push(error.hint("write `name=value`, for example `ansible_host=10.0.0.4`"));
        } else if host.variables[..index]
            .iter()
            .any(|(other, _)| other == key)
        {
            let message = format!("`{key}` is given twice");
            problems.push(Diagnostic::error(Kind::Inventory, message));
        } else if value.contains(['\n', '\r']) {
            let message = format!("the value of `{key}` has more than one line");
            problems.push(Diagnostic::error(Kind::Inventory, message));
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// Variables that belong to a machine, and not to its place in the cluster.
const OF_MACHINES: [&str; 6] = [
    "ansible_host",
    "ansible_ssh_host",
    "ip",
    "ip6",
    "access_ip",
    "access_ip6",
];

/// Fails where a machine would be given the old one's address.
fn check_addresses(path: &Path, vault: Vault, old: &str, new: &NewHost) -> Result<(), Diagnostics> {
    let (inventory, _) = Inventory::load(path, vault)?;
    let Some(host) = inventory.hosts.get(old) else {
        return Ok(());
    };
    let mut missing = OF_MACHINES.to_vec();
    missing.retain(|key| {
        let is_given = new.variables.iter().any(|(given, _)| given == key);
        host.variables.contains_key(*key) && !is_given
    });
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!(
        "`{old}` has {}, and the new machine has none",
        missing.join(" and ")
    );
    let example: Vec<String> = missing.iter().map(|key| format!("{key}=ADDRESS")).collect();
    let error = Diagnostic::error(Kind::Inventory, message);
    Err(vec![error.hint(format!("add {}", example.join(" ")))])
}

/// Variables in a file of the host's own would be lost with its name.
fn check_own_files(project: &Project, old: &str) -> Result<(), Diagnostics> {
    let found = own_files(project, old);
    let Some(path) = found.first() else {
        return Ok(());
    };
    let message = format!("`{}` has variables of {old} alone", path.display());
    let error = Diagnostic::error(Kind::Inventory, message);
    Err(vec![error.hint(
        "copy what the new host needs into a file of its name, and move this one away; then run the command again",
    )])
}

/// Tells whether `[etcd]` would be the same as the control planes without some hosts: that is how an inventory says that
/// etcd runs in their pods, and `up` doesn't move it there.
fn would_move_etcd(cluster: &ClusterSpec, names: &[&str]) -> bool {
    let is_gone = |host: &HostSpec| names.contains(&host.name.as_str());
    let loses_one = cluster.etcd_hosts().any(is_gone) || cluster.control_planes().any(is_gone);
    let stay = || cluster.hosts.iter().filter(|host| !is_gone(host));
    let stays_on_hosts = stay().any(|host| host.roles.etcd)
        && stay().any(|host| host.roles.etcd != host.roles.control_plane);
    cluster.etcd.on_hosts && loses_one && !stays_on_hosts
}

fn etcd_would_move(change: &str, to_hosts: bool) -> Diagnostic {
    let places = ["on its control planes", "as a service of hosts"];
    let (now, then) = if to_hosts { (0, 1) } else { (1, 0) };
    let (now, then) = (places[now], places[then]);
    let message = format!("{change} the inventory has etcd {then}, and it runs {now}");
    let error =
        Diagnostic::error(Kind::Inventory, message).hint("kinstall doesn't move etcd's data");
    if to_hosts {
        return error.hint("keep `[etcd]` the same as `[kube_control_plane]`");
    }
    error.hint("add another host to `[etcd]` first that is no control plane: `kinstall node add NAME ansible_host=ADDRESS --group etcd`")
}

fn only_control_plane(name: &str) -> Diagnostic {
    let message =
        format!("{name} is the only control plane: it can't go before another one is there");
    Diagnostic::error(Kind::Inventory, message).hint(format!(
        "`kinstall node add NAME ansible_host=ADDRESS --control-plane` first, then `kinstall node remove {name}`"
    ))
}
