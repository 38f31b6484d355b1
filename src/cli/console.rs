//! `kinstall console NODE`: what a machine wrote to its serial console.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

use clap::Args;

use super::GlobalArguments;
use super::exit::Exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};
use crate::install::{Keys, LabMachines, named_hosts};
use crate::ui::console::Console;
use crate::ui::printer::Printer;

/// How often a log that is followed is looked at.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub struct ConsoleArguments {
    /// Name of the machine
    pub node: String,
    /// Follow new output, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
}

/// Shows the log; with `--follow`, until it is interrupted.
pub fn run(
    global: &GlobalArguments,
    arguments: &ConsoleArguments,
    printer: Printer,
) -> Result<Exit, Diagnostics> {
    let mut project = global.project(None)?;
    project.require_lab()?;
    let host = named_hosts::host(&project.cluster, &arguments.node)?
        .name
        .clone();
    let machines = LabMachines::of(&mut project, Keys::Read)?;
    let (provider, lab) = machines.require_made("see the console of")?;
    let path = provider.console_log(lab, &host);
    if !arguments.follow && path.metadata().is_ok_and(|it| it.len() == 0) {
        printer.message(&format!(
            "{host} has written nothing to its serial console yet."
        ));
        return Ok(Exit::Success);
    }
    match show(&path, arguments.follow) {
        // `| head`
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Success),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let message = format!("the serial console of {host} has no log yet");
            let error = Diagnostic::error(Kind::Environment, message);
            Err(vec![error.hint(format!(
                "it begins with the machine's first start: `kinstall start {host}`, or `kinstall up`"
            ))])
        }
        Err(error) => {
            let message = format!("failed to read `{}`: {error}", path.display());
            Err(vec![Diagnostic::error(Kind::Environment, message)])
        }
        Ok(()) => Ok(Exit::Success),
    }
}

fn show(path: &Path, follow: bool) -> io::Result<()> {
    let mut console = Console::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = file.read(&mut buffer)?;
        if count > 0 {
            console.write(&buffer[..count])?;
        } else if follow {
            thread::sleep(PAUSE);
            // A machine that starts again begins its log anew.
            if path
                .metadata()
                .is_ok_and(|it| it.len() < position(&mut file))
            {
                file = File::open(path)?;
            }
        } else {
            return Ok(());
        }
    }
}

fn position(file: &mut File) -> u64 {
    file.stream_position().unwrap_or(0)
}
