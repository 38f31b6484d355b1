//! The two commands that people don't type: the agent on a node, and the keeper of a container lab.

use std::path::PathBuf;

use clap::Subcommand;

use super::exit::Exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::provision::container::supervisor;

#[derive(Debug, Subcommand)]
pub enum ServiceCommand {
    /// The agent on a node, spoken to over stdin and stdout
    #[command(hide = true)]
    Agent,
    /// Keeps the machines of a container lab running
    #[command(hide = true)]
    LabSupervisor {
        #[arg(long)]
        inside: bool,
        directory: PathBuf,
    },
}

/// Serves one controller; or keeps a lab's machines running until the lab is taken down.
pub fn run(command: &ServiceCommand) -> Result<Exit, Diagnostics> {
    let problem = match command {
        ServiceCommand::Agent => crate::agent::run(std::io::stdin(), std::io::stdout())
            .err()
            .map(|error| Diagnostic::from_error(Kind::Internal, &error)),
        ServiceCommand::LabSupervisor { inside, directory } => supervisor::run(directory, *inside)
            .err()
            .map(|error| Diagnostic::from_error(Kind::Environment, &error)),
    };
    problem.map_or(Ok(Exit::Success), |diagnostic| Err(vec![diagnostic]))
}
