//! `kinstall node replace`: a machine in the place of another.

use clap::Args;

use super::given::{Given, show_lines, with_next_step};
use crate::cli::exit::Exit;
use crate::cli::{GlobalArguments, plan, up};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::inventory_edit::InventoryEdit;
use crate::install::node_marks::NodeMarks;
use crate::install::{Installation, Keys, LabMachines, Project, kubectl, named_hosts};
use crate::model::Provider;
use crate::ui::printer::Printer;
use crate::ui::prompt;

#[derive(Debug, Args)]
pub struct ReplaceArguments {
    /// Name of the node in the inventory
    pub old: String,
    /// Name of the host in its place, the same for another machine with that name; variables that are given take the
    /// place of the old ones, the others stay; a word without `=` is the inventory
    #[arg(required = true, value_name = "NEW | KEY=VALUE | INVENTORY")]
    pub words: Vec<String>,
    /// Show what would change, and write nothing
    #[arg(long)]
    pub plan: bool,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
}

/// Brings the new machine in before the old one leaves, where both can be in the cluster.
pub fn run(
    global: &GlobalArguments,
    arguments: &ReplaceArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let (new, words) = match arguments.words.split_first() {
        Some((first, rest)) if !first.contains('=') => (first.as_str(), rest),
        _ => (arguments.old.as_str(), &arguments.words[..]),
    };
    let old = arguments.old.as_str();
    let given = Given::of(words)?;
    let path = global.inventory_path(given.inventory());
    let mut before = global.project(given.inventory())?;
    before.require_lab()?;
    let keeps_name = new == old;
    if keeps_name && before.provider().is_some_and(Provider::makes_machines) {
        return Err(vec![made_by_kinstall(old)]);
    }
    let mut edit = InventoryEdit::replacing(&path, global.vault()?, old, &given.host(new))?;
    edit.project.choose_provider(None)?;
    if arguments.plan {
        show_lines(&edit.file, printer, "gets");
        return plan::show(&global.settings(), edit.project, printer);
    }
    let question = if keeps_name {
        format!("Take {old} out of the cluster, and put the new machine into its place?")
    } else {
        format!("Replace {old} by {new}, and take {old} out of the cluster?")
    };
    if !arguments.yes && !prompt::confirm(&question) {
        let error = Diagnostic::error(Kind::Interrupted, "nothing was replaced");
        return Err(vec![error.hint("answer y, or give --yes")]);
    }
    let settings = global.settings();
    let next =
        format!("the inventory has {new} in the place of {old} now: `kinstall up` continues");
    let (marks, answers) = look_at(&mut before, old)?;
    if keeps_name {
        // Kubernetes has one node of a name: the old one leaves first.
        let removed = Installation::to_apply(&settings, before)?
            .remove(printer.observer(), &[old.to_owned()])?
            .applied;
        printer.summary(&removed.summary);
        if !removed.all_done {
            printer.message("The inventory is as it was. The same command again goes on.");
            return Ok(Exit::Failed);
        }
        edit.file.write()?;
        show_lines(&edit.file, printer, "has");
    } else {
        let installation = Installation::to_apply(&settings, edit.project)?;
        edit.file.write()?;
        show_lines(&edit.file, printer, "has");
        if answers {
            let joined = up::carry_out(installation, printer, &|_| false);
            let joined = with_next_step(joined, printer, &next)?;
            if joined != Exit::Success {
                return Ok(joined);
            }
            give(&marks, global, &given, new)?;
        } else {
            // The control plane isn't whole with it, and no other one could join.
            printer.message(&format!(
                "{old} doesn't answer: it leaves the cluster first."
            ));
        }
    }
    let project = global.project(given.inventory())?;
    let installation = Installation::to_apply(&settings, project)?;
    let ended = up::carry_out(installation, printer, &|left_over| {
        let names = left_over.names();
        names.iter().all(|name| name == old) || up::may_remove(left_over, printer)
    });
    let ended = with_next_step(ended, printer, &next)?;
    if ended == Exit::Success {
        give(&marks, global, &given, new)?;
    }
    Ok(ended)
}

/// Reads what marks a node, and finds whether it can be reached.
fn look_at(project: &mut Project, node: &str) -> Result<(NodeMarks, bool), Diagnostics> {
    let machines = LabMachines::of(project, Keys::Read)?;
    let marks = NodeMarks::read(project, &machines, node)?;
    let host = named_hosts::host(&project.cluster, node)?;
    Ok((marks, kubectl::answers(&machines, host)?))
}

/// Gives a node the labels and taints of the one before it.
fn give(
    marks: &NodeMarks,
    global: &GlobalArguments,
    given: &Given,
    node: &str,
) -> Result<(), Diagnostics> {
    let mut project = global.project(given.inventory())?;
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    marks.give(&project, &machines, node)
}

fn made_by_kinstall(name: &str) -> Diagnostic {
    let message = format!("kinstall makes the machine {name} itself");
    Diagnostic::error(Kind::Environment, message).hint(format!(
        "`kinstall node remove {name}`, `kinstall down {name}` and `kinstall up` make it anew under its name"
    ))
}
