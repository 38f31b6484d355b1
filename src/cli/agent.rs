//! The two commands that people don't type: the agent on a node, and the keeper of a container lab.

use std::path::Path;

use super::exit::Exit;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};

/// Serves one controller over stdin and stdout.
pub fn run() -> Result<Exit, Diagnostics> {
    match crate::agent::run(std::io::stdin(), std::io::stdout()) {
        Ok(()) => Ok(Exit::Success),
        Err(error) => Err(vec![Diagnostic::from_error(Kind::Internal, &error)]),
    }
}

/// Keeps a container lab's machines running until the lab is taken down.
pub fn supervise(directory: &Path, inside: bool) -> Result<Exit, Diagnostics> {
    match crate::provision::container::supervisor::run(directory, inside) {
        Ok(()) => Ok(Exit::Success),
        Err(error) => Err(vec![Diagnostic::from_error(Kind::Environment, &error)]),
    }
}
