//! From a command to the function that carries it out, and from its result to the exit code.

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};

use super::exit::Exit;
use super::power::Button;
use super::{Cli, Command};
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
        dispatch(cli, printer)
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
    if let Command::Service(_) = cli.command {
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

fn dispatch(cli: Cli, printer: Printer) -> Result<Exit, Diagnostics> {
    let global = &cli.global;
    match cli.command {
        Command::Up(arguments) => super::up::run(global, &arguments, printer),
        Command::Upgrade(arguments) => super::upgrade::run(global, &arguments, printer),
        Command::Plan(arguments) => super::plan::run(global, &arguments, printer),
        Command::Check(arguments) => super::check::run(global, &arguments, printer),
        Command::Status(arguments) => super::status::run(global, &arguments, printer),
        Command::Verify(arguments) => super::verify::run(global, &arguments, printer),
        Command::Node(command) => super::node::run(global, &command, printer),
        Command::Reset(arguments) => super::reset::run(global, &arguments, printer),
        Command::Down(arguments) => super::down::run(global, &arguments, printer),
        Command::Halt(nodes) => super::power::run(global, &nodes, Button::Halt, printer),
        Command::Start(nodes) => super::power::run(global, &nodes, Button::Start, printer),
        Command::Suspend(nodes) => super::power::run(global, &nodes, Button::Suspend, printer),
        Command::Resume(nodes) => super::power::run(global, &nodes, Button::Resume, printer),
        Command::Restart(nodes) => super::power::run(global, &nodes, Button::Restart, printer),
        Command::Snapshot(command) => super::snapshot::run(global, &command, printer),
        Command::SshConfig => super::ssh_config::run(global, printer),
        Command::Hosts(arguments) => super::hosts::run(global, &arguments, printer),
        Command::Console(arguments) => super::console::run(global, &arguments, printer),
        Command::Log(arguments) => super::log::run(global, &arguments, printer),
        Command::Support(arguments) => super::support::run(global, &arguments, printer),
        Command::Doctor(arguments) => super::doctor::run(global, &arguments, printer),
        Command::Dial { target } => super::dial::run(global, target),
        Command::Certs(command) => super::certs::run(global, &command, printer),
        Command::Etcd(command) => super::etcd::run(global, &command, printer),
        Command::Load(arguments) => super::load::run(global, &arguments, printer),
        Command::Kubeconfig(arguments) => super::kubeconfig::run(global, &arguments, printer),
        Command::Ssh(arguments) => super::ssh::run(global, &arguments, printer),
        Command::Forward(arguments) => super::forward::run(global, &arguments, printer),
        Command::Net(arguments) => super::net::run(global, &arguments),
        Command::Bundle(command) => super::bundle::run(global, &command, printer),
        Command::Image(command) => super::image::run(&command, printer),
        Command::Completions { shell } => Ok(super::completions::run(shell, printer)),
        Command::Man { directory } => super::man::run(&directory),
        Command::Import(command) => super::import::run(&command, printer),
        #[cfg(target_os = "linux")]
        Command::Service(command) => super::service::run(&command),
    }
}
