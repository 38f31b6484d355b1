//! `kinstall down`: tears the lab down and leaves no trace.

use std::fs;

use super::exit::Exit;
use super::lab::{self, Keys, LabMachines};
use super::project::Project;
use super::{DownArguments, GlobalArguments};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::ui::printer::Printer;
use crate::ui::prompt;

/// Removes the machines that kinstall made, and the state beside the inventory.
pub fn run(
    global: &GlobalArguments,
    arguments: &DownArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let mut project = Project::load(global, arguments.inventory.path.as_deref())?;
    if !project.directory.exists() {
        printer.message("There is no lab of this inventory.");
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
    let question = format!(
        "Remove {} machines of cluster {} with everything on them?",
        described.machines.len(),
        project.cluster.name
    );
    if !arguments.yes && !prompt::confirm(&question) {
        let error = Diagnostic::error(Kind::Interrupted, "nothing was removed");
        return Err(vec![error.hint("answer y, or give --yes")]);
    }
    let report = |machine: &str, state: &str| printer.message(&format!("{machine}  {state}"));
    provider
        .down(described, &report)
        .map_err(|error| lab::failed(&error))?;
    super::kubeconfig::forget(&mut project)?;
    fs::remove_dir_all(&project.directory).map_err(|error| {
        let message = format!(
            "failed to remove `{}`: {error}",
            project.directory.display()
        );
        vec![Diagnostic::error(Kind::Environment, message)]
    })?;
    Ok(Exit::Success)
}
