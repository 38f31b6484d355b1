//! `kinstall dial ADDRESS:PORT`: stdin and stdout, connected to an address of the lab.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

use super::GlobalArguments;
use super::exit::Exit;
use super::net::no_network;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::{Keys, LabMachines};

/// Passes bytes on until the other side ends.
pub fn run(global: &GlobalArguments, target: SocketAddr) -> Result<Exit, Diagnostics> {
    let mut project = global.project(None)?;
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let Some((provider, lab)) = machines.made() else {
        return Err(vec![no_network()]);
    };
    let relayed = provider.dial(lab, target).and_then(|stream| {
        stream.set_nodelay(true)?;
        relay(&stream)
    });
    relayed.map(|()| Exit::Success).map_err(|error| {
        let message = format!("failed to connect to {target}: {error}");
        vec![
            Diagnostic::error(Kind::Connection, message)
                .hint("does the machine run? `kinstall status` tells, `kinstall up` starts it"),
        ]
    })
}

fn relay(stream: &TcpStream) -> io::Result<()> {
    let sending = stream.try_clone()?;
    // It may still wait in a read of stdin when the program ends.
    thread::spawn(move || {
        let _ = copy(io::stdin().lock(), &sending);
        let _ = sending.shutdown(Shutdown::Write);
    });
    copy(stream, io::stdout().lock())
}

/// Copies each piece as it comes, without waiting for a line or a full buffer.
fn copy(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut buffer = vec![0; 32 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                to.write_all(&buffer[..count])?;
                to.flush()?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
