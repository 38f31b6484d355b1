//! The password of ansible-vault, from a file or from a program that prints it, as Ansible takes it.

use std::path::Path;

use super::password_file;
use crate::diagnostic::Diagnostic;
use crate::inventory::Vault;

/// Reads the password, or runs the program.
pub fn read(path: &Path) -> Result<Vault, Diagnostic> {
    let password = password_file::read(path, "the password of ansible-vault")?;
    Ok(Vault::with_password(password))
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
