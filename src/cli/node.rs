//! `kinstall node …`: nodes of the cluster that come, leave, or stand aside for a while.

mod add;
mod given;
mod remove;
mod replace;

use clap::{Args, Subcommand};

use super::GlobalArguments;
use super::exit::Exit;
use crate::diagnostic::Diagnostics;
use crate::install::{Keys, LabMachines, kubectl, named_hosts};
use crate::ui::printer::Printer;

#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Write a host into the inventory, and make it a node of the cluster as `up` does
    Add(add::AddArguments),
    /// Put a machine into the place of a node: in the inventory, and in the cluster
    Replace(replace::ReplaceArguments),
    /// Remove nodes from the cluster, also nodes that are down, and from the inventory; the machines stay
    Remove(remove::RemoveArguments),
    /// Move the pods of a node to other nodes, and keep new pods off it
    Drain(OneNode),
    /// Keep new pods off a node
    Cordon(OneNode),
    /// Allow new pods on a node again
    Uncordon(OneNode),
}

#[derive(Debug, Args)]
pub struct OneNode {
    /// Name of the node in the inventory
    pub node: String,
}

/// Runs one of them.
pub fn run(
    global: &GlobalArguments,
    command: &NodeCommand,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    match command {
        NodeCommand::Add(arguments) => add::run(global, arguments, printer),
        NodeCommand::Replace(arguments) => replace::run(global, arguments, printer),
        NodeCommand::Remove(arguments) => remove::run(global, arguments, printer),
        NodeCommand::Drain(node) => {
            let options = [
                "--ignore-daemonsets",
                "--delete-emptydir-data",
                "--timeout=10m",
            ];
            by_kubectl(
                global,
                &[&["drain"], options.as_slice()].concat(),
                node,
                printer,
            )
        }
        NodeCommand::Cordon(node) => by_kubectl(global, &["cordon"], node, printer),
        NodeCommand::Uncordon(node) => by_kubectl(global, &["uncordon"], node, printer),
    }
}

/// Runs kubectl for a node of the inventory on a control plane, and passes on what it says.
fn by_kubectl(
    global: &GlobalArguments,
    arguments: &[&str],
    node: &OneNode,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let mut project = global.project(None)?;
    project.require_lab()?;
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let name = named_hosts::host(&project.cluster, &node.node)?
        .name
        .clone();
    let finished = kubectl::run(&project, &machines, &[arguments, &[&name]].concat())?;
    printer.new_host_keys(&machines.take_new_host_keys());
    printer.data(&String::from_utf8_lossy(&finished.stdout));
    let said = String::from_utf8_lossy(&finished.stderr);
    if !said.trim().is_empty() {
        printer.message(said.trim_end());
    }
    Ok(Exit::Of(finished.exit.code()))
}
