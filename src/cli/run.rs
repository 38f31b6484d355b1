//! From a command to the function that carries it out, and from its result to the exit code.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitCode, ExitStatus};

use super::{Cli, Command};
use crate::diagnostic::Diagnostics;
use crate::ui::printer::Printer;

/// How a command ends when nothing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Success,
    /// `plan` found changes.
    Changes,
    /// Failures that were shown already, in the recap.
    Failed,
    /// The exit code of a command that kinstall ran for the user.
    Of(u8),
}

impl Exit {
    /// Passes on how a command ended; a signal counts as in a shell.
    pub fn of_status(status: ExitStatus) -> Self {
        let code = status
            .code()
            .or_else(|| Some(128 + status.signal()?))
            .unwrap_or(1);
        Self::Of(u8::try_from(code).unwrap_or(1))
    }
}

/// Runs one command.
pub fn run(cli: Cli) -> ExitCode {
    let printer = Printer {
        format: cli.global.output,
    };
    match dispatch(cli, printer) {
        Ok(Exit::Success) => ExitCode::SUCCESS,
        Ok(Exit::Changes) => ExitCode::from(2),
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

fn dispatch(cli: Cli, printer: Printer) -> Result<Exit, Diagnostics> {
    let global = &cli.global;
    match cli.command {
        Command::Up(arguments) => super::up::run(global, &arguments, printer),
        Command::Plan(arguments) => super::plan::run(global, &arguments, printer),
        Command::Status(arguments) => super::status::run(global, &arguments, printer),
        Command::Down(arguments) => super::down::run(global, &arguments, printer),
        Command::Kubeconfig(arguments) => super::kubeconfig::run(global, &arguments, printer),
        Command::Ssh(arguments) => super::ssh::run(global, &arguments, printer),
        Command::Forward(arguments) => super::forward::run(global, &arguments, printer),
        Command::Net(arguments) => super::net::run(global, &arguments),
        Command::Bundle(command) => super::bundle::run(global, &command, printer),
        Command::Agent => super::agent::run(),
        Command::LabSupervisor { inside, directory } => super::agent::supervise(&directory, inside),
    }
}
