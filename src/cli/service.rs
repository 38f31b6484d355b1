//! The commands that people don't type: the agent and the proxy on a node, and the keeper of a container lab.

use std::path::PathBuf;

use clap::Subcommand;

use super::exit::Exit;
use crate::api_proxy;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::provision::container::supervisor;

#[derive(Debug, Subcommand)]
pub enum ServiceCommand {
    /// The agent on a node, spoken to over stdin and stdout
    #[command(hide = true)]
    Agent,
    /// The proxy to the API servers on a node
    #[command(hide = true)]
    ApiProxy {
        /// Port on 127.0.0.1
        #[arg(long)]
        port: u16,
        /// Port on 127.0.0.1 that answers `GET /healthz`
        #[arg(long)]
        health_port: Option<u16>,
        /// File with the `address:port` of an API server in each line
        #[arg(long)]
        servers: PathBuf,
        /// PEM file of the API servers' authority
        #[arg(long)]
        authority: PathBuf,
    },
    /// Keeps the machines of a container lab running
    #[command(hide = true)]
    LabSupervisor {
        #[arg(long)]
        inside: bool,
        directory: PathBuf,
    },
}

/// Serves one controller, or the clients of API servers; or keeps a lab's machines running until the lab is taken down.
pub fn run(command: &ServiceCommand) -> Result<Exit, Diagnostics> {
    let problem = match command {
        ServiceCommand::Agent => crate::agent::run(std::io::stdin(), std::io::stdout())
            .err()
            .map(|error| Diagnostic::from_error(Kind::Internal, &error)),
        ServiceCommand::ApiProxy {
            port,
            health_port,
            servers,
            authority,
        } => {
            let error = api_proxy::run(&api_proxy::Settings {
                port: *port,
                health_port: *health_port,
                servers: servers.clone(),
                authority: authority.clone(),
            });
            Some(Diagnostic::from_error(Kind::Environment, &error))
        }
        ServiceCommand::LabSupervisor { inside, directory } => supervisor::run(directory, *inside)
            .err()
            .map(|error| Diagnostic::from_error(Kind::Environment, &error)),
    };
    problem.map_or(Ok(Exit::Success), |diagnostic| Err(vec![diagnostic]))
}
