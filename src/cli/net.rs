//! `kinstall net -- COMMAND`: runs a command inside the lab's network.

use std::process::Command;

use clap::Args;

use super::GlobalArguments;
use super::exit::Exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::{Keys, LabMachines};

#[derive(Debug, Args)]
pub struct NetArguments {
    /// Command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Runs the command and ends with its exit code.
pub fn run(global: &GlobalArguments, arguments: &NetArguments) -> Result<Exit, Diagnostics> {
    let mut project = global.project(None)?;
    project.require_lab()?;
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let Some((provider, lab)) = machines.made() else {
        return Err(vec![no_network()]);
    };
    let mut command = Command::new(&arguments.command[0]);
    command.args(&arguments.command[1..]);
    let status = provider
        .run_in_network(lab, &mut command)
        .map_err(|error| {
            let message = format!(
                "failed to run `{}` in the lab's network: {error}",
                arguments.command[0]
            );
            vec![
                Diagnostic::error(Kind::Environment, message)
                    .hint("is the lab up? `kinstall up` starts it"),
            ]
        })?;
    Ok(Exit::of_status(status))
}

/// Says that there is nothing to lead into.
pub fn no_network() -> Diagnostic {
    Diagnostic::error(
        Kind::Environment,
        "this cluster has no network of its own on this computer",
    )
    .hint("its hosts are reached directly")
}
