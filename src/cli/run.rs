//! From the process's arguments to a command, and from its result to the exit code.

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};

use super::Cli;
use super::exit::Exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::log::{self, Directives};
use crate::ui::printer::Printer;

/// Runs the program with the process's arguments.
pub fn main() -> ExitCode {
    let mut matches = Cli::command().get_matches();
    let command = words_of(&matches);
    match Cli::from_arg_matches_mut(&mut matches) {
        Ok(mut cli) => {
            cli.global.command = command;
            run(cli)
        }
        Err(error) => error.format(&mut Cli::command()).exit(),
    }
}

/// Returns the words of the command: `node add`.
fn words_of(matches: &ArgMatches) -> String {
    match matches.subcommand() {
        Some((word, matches)) => format!("{word} {}", words_of(matches))
            .trim_end()
            .to_owned(),
        None => String::new(),
    }
}

/// Runs one command.
fn run(cli: Cli) -> ExitCode {
    let mut printer = Printer {
        format: cli.global.output,
        is_verbose: false,
    };
    let result = start_log(&cli).and_then(|is_verbose| {
        printer.is_verbose = is_verbose;
        cli.command.run(&cli.global, printer)
    });
    match result {
        Ok(Exit::Success) => ExitCode::SUCCESS,
        Ok(Exit::Changes) => ExitCode::from(2),
        Ok(Exit::Unreachable) => ExitCode::from(Kind::Connection.exit_code()),
        Ok(Exit::Failed) => ExitCode::FAILURE,
        Ok(Exit::Of(code)) => ExitCode::from(code),
        Err(diagnostics) => {
            for diagnostic in &diagnostics {
                printer.diagnostic(diagnostic);
            }
            let code = diagnostics
                .iter()
                .find(|it| it.is_error())
                .map_or(70, |it| it.kind.exit_code());
            ExitCode::from(code)
        }
    }
}

/// Starts to log; returns whether the terminal shows it. An agent logs as its controller wishes.
fn start_log(cli: &Cli) -> Result<bool, Diagnostics> {
    #[cfg(target_os = "linux")]
    if let super::Command::Service(_) = cli.command {
        return Ok(false);
    }
    let variable = std::env::var("KINSTALL_LOG").ok();
    let directives = Directives::new(variable.as_deref(), cli.global.verbose).map_err(|error| {
        let error = Diagnostic::from_error(Kind::Environment, &error);
        vec![error.hint("`debug`, or modules: `kinstall::ssh=trace,kinstall::run=debug`")]
    })?;
    log::start(&directives);
    Ok(!directives.is_quiet())
}
