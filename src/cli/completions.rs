//! `kinstall completions SHELL`: a script that completes kinstall's commands and options in a shell.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Cli;
use super::exit::Exit;
use crate::ui::printer::Printer;

/// Prints the script.
pub fn run(shell: Shell, printer: Printer) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kinstall", &mut script);
    printer.data(String::from_utf8_lossy(&script).trim_end());
    Exit::Success
}
