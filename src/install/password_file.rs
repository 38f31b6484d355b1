//! A password from a file, or from a program that prints it.

use std::io;
use std::path::Path;
use std::process::Command;

use crate::diagnostic::{Diagnostic, Kind};
use crate::secret::Secret;

/// Reads a password, or runs the program; `what` says what it is for.
pub fn read(path: &Path, what: &str) -> Result<Secret, Diagnostic> {
    let text = if is_program(path) {
        printed_by(path)
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.map(Secret::new).map_err(|error| {
        let message = format!("can't get {what} from {}: {error}", path.display());
        Diagnostic::error(Kind::Environment, message)
    })?;
    let password = text.expose().trim();
    if password.is_empty() {
        let message = format!("can't get {what} from {}: it is empty", path.display());
        return Err(Diagnostic::error(Kind::Environment, message));
    }
    Ok(Secret::new(password))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(_: &Path) -> bool {
    false
}

fn printed_by(program: &Path) -> io::Result<String> {
    // Without a folder in it, a program's name would be looked for in PATH.
    let output = Command::new(std::path::absolute(program)?)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!("it ended with {}", output.status)));
    }
    String::from_utf8(output.stdout).map_err(io::Error::other)
}
