//! The password of ansible-vault, from a file or from a program that prints it, as Ansible takes it.

use std::io;
use std::path::Path;
use std::process::Command;

use crate::diagnostic::{Diagnostic, Kind};
use crate::inventory::Vault;
use crate::secret::Secret;

/// Reads the password, or runs the program.
pub fn read(path: &Path) -> Result<Vault, Diagnostic> {
    let text = if is_program(path) {
        printed_by(path)
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.map(Secret::new).map_err(|error| {
        let message = format!(
            "can't get the password of ansible-vault from {}: {error}",
            path.display()
        );
        Diagnostic::error(Kind::Environment, message)
    })?;
    let password = text.expose().trim();
    if password.is_empty() {
        let message = format!(
            "{} holds no password of ansible-vault: it is empty",
            path.display()
        );
        return Err(Diagnostic::error(Kind::Environment, message));
    }
    Ok(Vault::with_password(Secret::new(password)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_holds_the_password_and_a_program_prints_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let text = include_str!("../../tests/fixtures/vault/plain.vault");
        for (name, content, mode) in [
            ("file", "open sesame\n", 0o600),
            ("program", "#!/bin/sh\necho open sesame\n", 0o700),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let opened = read(&path).unwrap().open(text).unwrap();
            assert_eq!(opened, "schön: geheim\n", "{name}");
        }
        for (name, content, mode) in [
            ("empty", " \n", 0o600),
            ("failing", "#!/bin/sh\necho x\nexit 3\n", 0o700),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert!(read(&path).is_err(), "{name}");
        }
        assert!(read(&folder.path().join("missing")).is_err());
    }
}
