//! `kinstall open PAGE`: the dashboard, or a page of the cluster, in the browser.

use std::io::{IsTerminal as _, stdout};

use clap::Args;

use super::GlobalArguments;
use super::exit::Exit;
use crate::diagnostic::Diagnostics;
use crate::install::open::{self, PageTarget};
use crate::install::{Keys, LabMachines};
use crate::ui::printer::Printer;

#[derive(Debug, Args)]
pub struct OpenArguments {
    /// What to open: dashboard, metrics, logs, ADDRESS:PORT, or NAMESPACE/SERVICE, with :PORT where it has several
    #[arg(value_name = "PAGE")]
    pub target: PageTarget,
    /// Print the address only, and start no browser; never started for the dashboard, whose address lets the first one in
    #[arg(long)]
    pub no_browser: bool,
    /// Port on 127.0.0.1 [default: the page's own if it is free and allowed, else any]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
}

/// Serves the page until it is interrupted.
pub fn run(
    global: &GlobalArguments,
    arguments: &OpenArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let mut project = global.project(None)?;
    project.require_lab()?;
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let is_for_one = matches!(arguments.target, PageTarget::Dashboard);
    let tell = |url: &str| {
        printer.data(&format!("{url}\n"));
        if is_for_one {
            printer.message("open the address in your browser: it lets one in, once");
        }
        printer.message("Ctrl-C ends it");
        // Everybody on this computer sees the arguments of a browser that starts.
        let starts = stdout().is_terminal() && !arguments.no_browser && !is_for_one;
        if starts && ::open::that_detached(url).is_err() {
            printer.message("no browser was found: open the address in yours");
        }
    };
    open::open(project, machines, &arguments.target, arguments.port, tell)?;
    Ok(Exit::Success)
}
