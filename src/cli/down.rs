//! `kinstall down`: tears the lab down and leaves no trace.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Exit;
use super::{GlobalArguments, HostsFileArgument};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::members::Members;
use crate::install::{Keys, LabMachines, Project, hosts_file, kubeconfig, lab, removal};
use crate::provision::{Lab, Provider};
use crate::ui::printer::Printer;
use crate::ui::prompt;

#[derive(Debug, Args)]
pub struct DownArguments {
    /// Inventory file, or names of single machines: what is a file, or ends like an inventory's name
    /// (.ini, .yml, .yaml), is the inventory
    #[arg(value_name = "INVENTORY | NODE")]
    pub targets: Vec<String>,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
    #[command(flatten)]
    pub hosts_file: HostsFileArgument,
}

/// Removes the machines that kinstall made, and the state beside the inventory; or single machines.
pub fn run(
    global: &GlobalArguments,
    arguments: &DownArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let (inventory, nodes) = targets(&arguments.targets);
    let mut project = global.project(inventory.as_deref())?;
    if !project.directory.exists() {
        printer.message("This inventory has no lab.");
        return Ok(Exit::Success);
    }
    let _lock = project.lock()?;
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let Some((provider, described)) = machines.made() else {
        let error = Diagnostic::error(
            Kind::Inventory,
            "kinstall did not make these machines, so it will not remove them",
        );
        return Err(vec![error.hint(format!(
            "to forget the cluster's keys and state, remove {}",
            project.directory.display()
        ))]);
    };
    if !nodes.is_empty() {
        let lab = (provider, described);
        return remove_nodes(&project, lab, nodes, arguments.yes, printer);
    }
    let question = format!(
        "Remove {} machines of cluster {} with everything on them?",
        described.machines.len(),
        project.cluster.name
    );
    confirm(&question, arguments.yes)?;
    let report = |machine: &str, state: &str| printer.machine(machine, state);
    provider
        .down(described, &report)
        .map_err(|error| lab::failed(&error))?;
    kubeconfig::forget(&mut project)?;
    forget_names(&project, &arguments.hosts_file.path, printer);
    fs::remove_dir_all(&project.directory).map_err(|error| {
        let message = format!(
            "failed to remove `{}`: {error}",
            project.directory.display()
        );
        vec![Diagnostic::error(Kind::Environment, message)]
    })?;
    Ok(Exit::Success)
}

/// Removes single machines after asking, and says what is left to do in the cluster.
fn remove_nodes(
    project: &Project,
    (provider, lab): (&dyn Provider, &Lab),
    nodes: &[String],
    is_sure: bool,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let observed = provider.observe(lab).map_err(|error| lab::failed(&error))?;
    let cluster = &project.cluster;
    let recorded = Members::load(&project.directory)?;
    let names = removal::removable(cluster, recorded.as_ref(), &observed, nodes)?;
    if names.is_empty() {
        printer.message("These machines are not there.");
        return Ok(Exit::Success);
    }
    let question = format!("Remove {} with everything on it?", names.join(", "));
    confirm(&question, is_sure)?;
    provider
        .remove(lab, &names, &|host, state| printer.machine(host, state))
        .map_err(|error| lab::failed(&error))?;
    Members::are_gone(&project.directory, &names)?;
    for sentence in removal::what_is_left(cluster, &names) {
        printer.message(&sentence);
    }
    Ok(Exit::Success)
}

/// Asks before something is lost.
fn confirm(question: &str, is_sure: bool) -> Result<(), Diagnostics> {
    if is_sure || prompt::confirm(question) {
        return Ok(());
    }
    let error = Diagnostic::error(Kind::Interrupted, "nothing was removed");
    Err(vec![error.hint("answer y, or give --yes")])
}

/// Tells the inventory from names of machines, which have no suffix: node names are DNS labels. Only the
/// first can be the inventory.
fn targets(words: &[String]) -> (Option<PathBuf>, &[String]) {
    let Some((first, rest)) = words.split_first() else {
        return (None, &[]);
    };
    let path = Path::new(first);
    let is_inventory = path.is_file()
        || path.components().count() > 1
        || path
            .extension()
            .is_some_and(|it| ["ini", "yml", "yaml"].iter().any(|known| it == *known));
    if is_inventory {
        (Some(path.to_owned()), rest)
    } else {
        (None, words)
    }
}

/// Takes the lab's names out of the hosts file. The machines are gone already, so that a file which
/// may not be written is told, and no failure.
fn forget_names(project: &Project, file: &Path, printer: Printer) {
    let block = hosts_file::block(project);
    match hosts_file::remove(&block, file) {
        Ok(false) => {}
        Ok(true) => printer.message(&format!("Removed the lab's names from {}.", file.display())),
        Err(problems) => {
            for problem in problems {
                let warning = Diagnostic::warning(problem.message);
                printer.diagnostic(&warning.hint(format!(
                    "the lab's names are still in {}: remove the lines from `# kinstall {} {} begin` \
                     to its end",
                    file.display(),
                    block.cluster,
                    block.lab
                )));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::targets;

    #[test]
    fn an_inventory_and_names_of_machines() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hosts");
        std::fs::write(&file, "").unwrap();
        let file = file.display().to_string();
        let cases: [(&[&str], Option<&str>, &[&str]); 6] = [
            (&[], None, &[]),
            (&["node3"], None, &["node3"]),
            (&["node3", "node4"], None, &["node3", "node4"]),
            (&[&file], Some(&file), &[]),
            (&["missing.ini", "node3"], Some("missing.ini"), &["node3"]),
            (&["lab/hosts", "node3"], Some("lab/hosts"), &["node3"]),
        ];
        for (words, inventory, nodes) in cases {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            let (path, names) = targets(&words);
            assert_eq!(path, inventory.map(PathBuf::from), "{words:?}");
            assert_eq!(names, nodes, "{words:?}");
        }
    }
}
