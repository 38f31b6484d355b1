//! `kinstall support`: one archive for a report of a fault.

use std::path::PathBuf;

use clap::Args;

use super::GlobalArguments;
use super::exit::Exit;
use crate::diagnostic::Diagnostics;
use crate::install::support;
use crate::ui::printer::Printer;

#[derive(Debug, Args)]
pub struct SupportArguments {
    /// File to write [default: kinstall-support.tar.gz]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// List what would be in it, and write nothing
    #[arg(long)]
    pub list: bool,
}

/// Collects, lists and writes.
pub fn run(
    global: &GlobalArguments,
    arguments: &SupportArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let path = global.inventory_path(None);
    let items = support::collect(&path, global.vault()?, global.bundle.as_deref())?;
    for item in &items {
        printer.message(&format!("{:>9}  {}", item.size(), item.name));
    }
    if arguments.list {
        return Ok(Exit::Success);
    }
    let usual = PathBuf::from("kinstall-support.tar.gz");
    let file = arguments.file.as_ref().unwrap_or(&usual);
    support::write(&items, file)?;
    printer.message(
        "Passwords, keys and tokens are taken out; names and addresses are in it. Look through it before you publish it.",
    );
    printer.data(&format!("{}\n", file.display()));
    Ok(Exit::Success)
}
