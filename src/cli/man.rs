//! `kinstall man DIRECTORY`: writes one manual page a command, for packages.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory as _;

use super::Cli;
use super::exit::Exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};

/// Writes `kinstall.1`, `kinstall-up.1`, `kinstall-bundle-build.1`, …
pub fn run(directory: &Path) -> Result<Exit, Diagnostics> {
    write(directory).map(|()| Exit::Success).map_err(|error| {
        let message = format!(
            "failed to write manual pages to `{}`: {error}",
            directory.display()
        );
        vec![Diagnostic::error(Kind::Environment, message)]
    })
}

fn write(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    clap_mangen::generate_to(Cli::command(), directory)
}
