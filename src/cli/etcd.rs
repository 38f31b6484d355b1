//! `kinstall etcd`: the cluster's data.

mod backup;
mod passphrase;
mod restore;

use clap::Subcommand;

use self::backup::BackupArguments;
use self::restore::RestoreArguments;
use super::exit::Exit;
use super::{GlobalArguments, InventoryArgument};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::Installation;
use crate::install::etcd::status;
use crate::report::etcd::EtcdStatus;
use crate::ui;
use crate::ui::printer::{Format, Printer};
use crate::ui::prompt;

#[derive(Debug, Subcommand)]
pub enum EtcdCommand {
    /// Show how each member of etcd is: version, size, leader, alarms; exit code 1: something is wrong
    Status(InventoryArgument),
    /// List the members of etcd with their addresses
    Members(InventoryArgument),
    /// Save all that the cluster can be made from again to one encrypted file
    Backup(BackupArguments),
    /// Give etcd the data of a backup; the data that it has now stays on the nodes, in a folder of its own
    Restore(RestoreArguments),
    /// Write the file of each member anew, one member after another, so that unused space becomes free
    Defrag {
        #[command(flatten)]
        inventory: InventoryArgument,
        /// Don't ask
        #[arg(short, long)]
        yes: bool,
    },
}

/// Does what is asked with etcd.
pub fn run(
    global: &GlobalArguments,
    command: &EtcdCommand,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    match command {
        EtcdCommand::Status(inventory) => show(global, inventory, ui::etcd::status, printer),
        EtcdCommand::Members(inventory) => show(global, inventory, ui::etcd::members, printer),
        EtcdCommand::Backup(arguments) => backup::run(global, arguments, printer),
        EtcdCommand::Restore(arguments) => restore::run(global, arguments, printer),
        EtcdCommand::Defrag { inventory, yes } => defrag(global, inventory, *yes, printer),
    }
}

fn show(
    global: &GlobalArguments,
    inventory: &InventoryArgument,
    render: fn(&EtcdStatus) -> String,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let status = status::of(global.project(inventory.path.as_deref())?)?;
    match printer.format {
        Format::Text => printer.data(&render(&status)),
        Format::Json => printer.json(&status),
    }
    Ok(if status.problems.is_empty() {
        Exit::Success
    } else {
        Exit::Failed
    })
}

fn defrag(
    global: &GlobalArguments,
    inventory: &InventoryArgument,
    yes: bool,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let project = global.project(inventory.path.as_deref())?;
    project.require_lab()?;
    let question = format!(
        "Write the files of etcd of {} anew, one member after another?",
        project.cluster.name
    );
    if !yes && !prompt::confirm(&question) {
        let error = Diagnostic::error(Kind::Interrupted, "nothing was changed");
        return Err(vec![error.hint("answer y, or give --yes")]);
    }
    let installation = Installation::to_apply(&global.settings(), project)?;
    let applied = installation.defragment(printer.observer())?;
    printer.summary(&applied.summary);
    Ok(if applied.all_done {
        Exit::Success
    } else {
        Exit::of_failures(&applied.summary)
    })
}
