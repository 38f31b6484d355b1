//! `kinstall status`: machines, nodes, versions, add-ons, addresses and certificates.

use super::exit::Exit;
use super::{GlobalArguments, InventoryArgument};
use crate::diagnostic::Diagnostics;
use crate::install::{Keys, LabMachines, status};
use crate::ui;
use crate::ui::printer::{Format, Printer};

/// Shows the status; exit 1 when something that should run doesn't.
pub fn run(
    global: &GlobalArguments,
    arguments: &InventoryArgument,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let mut project = global.project(arguments.path.as_deref())?;
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let status = status::of(&project, &machines)?;
    printer.new_host_keys(&machines.take_new_host_keys());
    match printer.format {
        Format::Text => printer.data(&ui::status::render(&status)),
        Format::Json => printer.json(&status),
    }
    Ok(if status.problems.is_empty() {
        Exit::Success
    } else {
        Exit::Failed
    })
}
