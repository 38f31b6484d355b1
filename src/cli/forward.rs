//! `kinstall forward ADDRESS:PORT`: an address of the lab, on loopback.

use std::net::{Ipv4Addr, TcpListener};

use clap::Args;

use super::GlobalArguments;
use super::exit::Exit;
use super::net::no_network;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::{Keys, LabMachines};
use crate::provision::forward;
use crate::ui::printer::Printer;

#[derive(Debug, Args)]
pub struct ForwardArguments {
    /// Address and port in the lab's network: 192.168.56.50:80
    #[arg(value_name = "ADDRESS:PORT")]
    pub target: std::net::SocketAddr,
    /// Port on 127.0.0.1 [default: the same if it is free and allowed, else any]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
}

/// Forwards until it is interrupted.
pub fn run(
    global: &GlobalArguments,
    arguments: &ForwardArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let mut project = global.project(None)?;
    project.require_lab()?;
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let Some((provider, lab)) = machines.shared() else {
        return Err(vec![no_network()]);
    };
    let listener = listen(arguments).map_err(|error| {
        let port = arguments.port.unwrap_or(0);
        let message = format!("failed to listen on 127.0.0.1:{port}: {error}");
        vec![Diagnostic::error(Kind::Environment, message).hint("choose another with --port")]
    })?;
    if let Ok(address) = listener.local_addr() {
        printer.data(&format!(
            "{address} leads to {}; Ctrl-C ends it\n",
            arguments.target
        ));
    }
    let target = arguments.target;
    let error = forward::serve(&listener, move || provider.dial(&lab, target));
    Err(vec![Diagnostic::error(
        Kind::Environment,
        format!("the forward ended: {error}"),
    )])
}

/// Listens where the user wants, else on the target's own port, else on any.
fn listen(arguments: &ForwardArguments) -> std::io::Result<TcpListener> {
    let bind = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    match arguments.port {
        Some(port) => bind(port),
        None => bind(arguments.target.port()).or_else(|_| bind(0)),
    }
}
