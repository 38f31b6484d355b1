//! `kinstall log`: what was done when.

use clap::Args;
use serde_json::json;

use super::GlobalArguments;
use super::exit::Exit;
use crate::diagnostic::Diagnostics;
use crate::install::{history, project};
use crate::ui;
use crate::ui::printer::{Format, Printer};

#[derive(Debug, Args)]
pub struct LogArguments {
    /// Name of a run, or the beginning of it, or `last`: shows what it changed on each host [default: lists all runs]
    #[arg(value_name = "RUN")]
    pub run: Option<String>,
}

/// Shows the runs that are kept, or one of them. The inventory may be wrong.
pub fn run(
    global: &GlobalArguments,
    arguments: &LogArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let directory = project::state_folder(&global.inventory_path(None))?;
    let Some(wanted) = &arguments.run else {
        let runs = history::all(&directory)?;
        match printer.format {
            Format::Text => printer.data(&ui::history::render(&runs)),
            Format::Json => printer.json(&runs),
        }
        return Ok(Exit::Success);
    };
    let run = history::one(&directory, wanted)?;
    match printer.format {
        Format::Text => printer.data(&ui::history::render_one(&run)),
        Format::Json => printer.json(&json!({ "run": run, "summary": run.summary })),
    }
    Ok(Exit::Success)
}
