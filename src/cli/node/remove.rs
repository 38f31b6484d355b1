//! `kinstall node remove`: nodes leave the cluster, and then the inventory.

use std::path::Path;

use clap::Args;

use crate::cli::GlobalArguments;
use crate::cli::exit::Exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::inventory_edit::{EditedFile, InventoryRemoval, own_files};
use crate::install::{Applied, Installation, members};
use crate::model::Provider;
use crate::ui::printer::Printer;
use crate::ui::prompt;

#[derive(Debug, Args)]
pub struct RemoveArguments {
    /// Names of nodes in the inventory
    #[arg(required = true, value_name = "NODE")]
    pub nodes: Vec<String>,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
}

/// Takes them out of the cluster. The inventory loses those that have left, so that the next `up` doesn't bring them back.
pub fn run(
    global: &GlobalArguments,
    arguments: &RemoveArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let path = global.inventory_path(None);
    let project = global.project(None)?;
    project.require_lab()?;
    members::require(&project, &arguments.nodes)?;
    let names = arguments.nodes.join(", ");
    // What can't be done afterwards is said before.
    let and_inventory = match InventoryRemoval::of(&path, global.vault()?, &arguments.nodes)? {
        InventoryRemoval::ByHand(warning) => {
            printer.diagnostic(&warning);
            String::new()
        }
        InventoryRemoval::Edited(files) if files.is_empty() => String::new(),
        InventoryRemoval::Edited(_) => format!(", and out of {}", project.inventory.display()),
    };
    let cluster = &project.cluster.name;
    let question = format!("Take {names} out of the cluster {cluster}{and_inventory}?");
    if !arguments.yes && !prompt::confirm(&question) {
        let error = Diagnostic::error(Kind::Interrupted, "nothing was removed");
        return Err(vec![error.hint("answer y, or give --yes")]);
    }
    let installation = Installation::to_apply(&global.settings(), project)?;
    let removed = installation.remove(printer.observer(), &arguments.nodes)?;
    printer.summary(&removed.applied.summary);
    if !removed.left.is_empty() {
        let left = removed.left.join(", ");
        printer.message(&format!("{left} left the cluster."));
        clear_inventory(global, &path, &removed.left, printer)?;
        say_what_stays(&removed.applied, &removed.left, printer);
    }
    if !removed.applied.all_done {
        printer.message("The same command again goes on with the others.");
        return Ok(Exit::Failed);
    }
    Ok(Exit::Success)
}

/// Reads the inventory anew: it may have been changed while the nodes left.
fn clear_inventory(
    global: &GlobalArguments,
    path: &Path,
    left: &[String],
    printer: Printer,
) -> Result<(), Diagnostics> {
    match InventoryRemoval::of(path, global.vault()?, left)? {
        InventoryRemoval::ByHand(warning) => printer.diagnostic(&warning),
        InventoryRemoval::Edited(files) => {
            for file in &files {
                file.write()?;
                show_lost_lines(file, printer);
            }
        }
    }
    Ok(())
}

fn show_lost_lines(file: &EditedFile, printer: Printer) {
    let lines: Vec<String> = file.lost_lines().iter().map(ToString::to_string).collect();
    let (path, lines) = (file.path().display(), lines.join(", "));
    printer.message(&format!("Taken out of {path}: lines {lines}."));
}

/// Names the files of hosts that are not in the inventory any more, and the machines that kinstall made.
fn say_what_stays(applied: &Applied, left: &[String], printer: Printer) {
    let project = &applied.project;
    for file in left.iter().flat_map(|name| own_files(project, name)) {
        printer.message(&format!(
            "{} stays, and is not read any more.",
            file.display()
        ));
    }
    if project.provider().is_some_and(Provider::makes_machines) {
        printer.message(&format!(
            "The machine stays: `kinstall down {}` removes it.",
            left.join(" ")
        ));
    }
}
