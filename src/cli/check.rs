//! `kinstall check`: all that is to be said about an inventory, without touching a host.

use clap::Args;

use super::exit::Exit;
use super::{GlobalArguments, InventoryArgument};
use crate::diagnostic::{Diagnostics, Kind};
use crate::install::inventory_check;
use crate::install::project::no_inventory;
use crate::ui::inventory;
use crate::ui::printer::{Format, Printer};

#[derive(Debug, Args)]
pub struct CheckArguments {
    #[command(flatten)]
    pub inventory: InventoryArgument,
    /// Fail on warnings as well
    #[arg(long)]
    pub strict: bool,
}

/// Shows errors and warnings by weight; exit 3 when there is an error, with `--strict` when there is anything.
pub fn run(
    global: &GlobalArguments,
    arguments: &CheckArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let path = global.inventory_path(arguments.inventory.path.as_deref());
    if !path.exists() {
        return Err(vec![no_inventory(&path)]);
    }
    let findings = inventory_check::check(&path, global.vault()?, global.bundle.as_deref())?;
    match printer.format {
        Format::Text => printer.data(&inventory::render(&findings)),
        Format::Json => printer.json(&inventory::json(&findings)),
    }
    let is_well = findings.cluster.is_some();
    Ok(
        if is_well && (findings.diagnostics.is_empty() || !arguments.strict) {
            Exit::Success
        } else {
            Exit::Of(Kind::Inventory.exit_code())
        },
    )
}
