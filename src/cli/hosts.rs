//! `kinstall hosts`: the hosts' names on this computer.

use clap::Args;

use super::exit::Exit;
use super::{GlobalArguments, HostsFileArgument};
use crate::diagnostic::Diagnostics;
use crate::install::hosts_file;
use crate::model::Provider;
use crate::ui::printer::{Format, Printer};

#[derive(Debug, Args)]
pub struct HostsArguments {
    /// Write them to this computer's hosts file; lines of this lab that are there are replaced
    #[arg(long, conflicts_with = "remove")]
    pub write: bool,
    /// Remove them from this computer's hosts file
    #[arg(long)]
    pub remove: bool,
    #[command(flatten)]
    pub file: HostsFileArgument,
}

/// Prints the block, or puts it into the hosts file, or takes it out of there.
pub fn run(
    global: &GlobalArguments,
    arguments: &HostsArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let project = global.project(None)?;
    let block = hosts_file::block(&project);
    let file = &arguments.file.path;
    if arguments.remove {
        let what = if hosts_file::remove(&block, file)? {
            "Removed the lab's names from"
        } else {
            "The lab has no names in"
        };
        printer.message(&format!("{what} {}.", file.display()));
        return Ok(Exit::Success);
    }
    if arguments.write {
        hosts_file::put(&block, file)?;
        printer.message(&format!("The lab's names are in {}.", file.display()));
    } else {
        match printer.format {
            Format::Text => printer.data(&block.render("\n")),
            Format::Json => printer.json(&serde_json::json!({ "hosts": block.lines })),
        }
    }
    if project.provider().is_some_and(Provider::has_own_network) {
        printer.message(
            "note: the addresses are those of the lab's own network; `kinstall net` and \
             `kinstall forward` lead there",
        );
    }
    Ok(Exit::Success)
}
