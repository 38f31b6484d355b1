//! `kinstall ssh NODE [-- COMMAND]`: a shell or a command on a node, its host key verified.

use std::io;

use clap::Args;

use super::GlobalArguments;
use super::exit::Exit;
use crate::diagnostic::Diagnostics;
use crate::install::{Keys, LabMachines, named_hosts, runtime};
use crate::ssh::{Session, Streams};
use crate::ui::printer::Printer;

#[derive(Debug, Args)]
pub struct SshArguments {
    /// Name of the node in the inventory
    pub node: String,
    /// Command to run instead of a shell
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Opens the shell, or runs the command with its exit code, stdin, and unmixed stdout and stderr.
pub fn run(
    global: &GlobalArguments,
    arguments: &SshArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let mut project = global.project(None)?;
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let host = named_hosts::host(&project.cluster, &arguments.node)?;
    let target = machines.target(host);
    let runtime = runtime::start()?;
    let exit = runtime.block_on(async {
        let connected = Session::connect(&target).await;
        printer.new_host_keys(&machines.take_new_host_keys());
        let session = connected?;
        if arguments.command.is_empty() {
            session.shell().await
        } else {
            // As ssh does it: the words are joined and the login shell reads them.
            let streams = Streams {
                input: io::stdin(),
                output: io::stdout(),
                error: io::stderr(),
            };
            session.attach(&arguments.command.join(" "), streams).await
        }
    });
    // A blocked read of stdin must not keep the program.
    runtime.shutdown_background();
    exit.map(|exit| Exit::Of(exit.code())).map_err(|error| {
        let mut diagnostic = error.diagnostic(&host.name);
        if machines.made().is_some() && error.is_unreachable() {
            diagnostic.hints = vec!["`kinstall up` starts the lab's machines".to_owned()];
        }
        vec![diagnostic]
    })
}
