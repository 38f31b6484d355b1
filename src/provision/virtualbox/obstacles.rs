//! What keeps this computer from running machines of VirtualBox, and what to do about it.

use std::path::Path;

use super::failure::explain;
use super::manage::{Manage, ManageError};
use crate::diagnostic::{Diagnostic, Diagnostics, Kind};

/// Oldest major version whose options are used; newer ones are not questioned.
const OLDEST: u64 = 7;

/// Returns every obstacle that can be known before a machine is started.
pub(super) fn find(manage: &Manage) -> Diagnostics {
    let version = match manage.call(&["--version"]) {
        Ok(text) => text,
        Err(error) => return vec![unusable(&error)],
    };
    let mut found = Vec::new();
    found.extend(old(&version));
    // This starts VirtualBox's server, so that no race of first calls comes later.
    if let Err(error) = manage.call(&["list", "vms"]) {
        found.push(unusable(&error));
    }
    if cfg!(target_os = "linux") && !cfg!(test) {
        found.extend(no_driver(&version, Path::new("/dev/vboxdrv")));
    }
    found
}

fn unusable(error: &ManageError) -> Diagnostic {
    if let ManageError::Start { program, source } = error {
        let message = format!(
            "VirtualBox isn't installed: failed to start `{}`: {source}",
            program.display()
        );
        return Diagnostic::error(Kind::Environment, message)
            .hint("install it from https://www.virtualbox.org/wiki/Downloads, or `sudo apt install virtualbox`; KINSTALL_VBOXMANAGE names its program where it isn't found");
    }
    let text = error.to_string();
    let diagnostic = Diagnostic::error(
        Kind::Environment,
        format!("VirtualBox doesn't work: {text}"),
    );
    match explain(&text) {
        Some((_, hints)) => hints.iter().fold(diagnostic, |it, hint| it.hint(*hint)),
        None => diagnostic,
    }
}

/// Debian's wrapper prints warnings before the version, so the last line is read.
fn old(text: &str) -> Option<Diagnostic> {
    let version = text.trim().lines().last().unwrap_or_default();
    let major: u64 = version.split('.').next()?.parse().ok()?;
    (major < OLDEST).then(|| {
        let message = format!("VirtualBox {version} is too old: its VBoxManage has other options");
        Diagnostic::error(Kind::Environment, message).hint("install VirtualBox 7 or newer")
    })
}

/// A warning only: whether machines start is seen when they are started.
fn no_driver(version: &str, device: &Path) -> Option<Diagnostic> {
    if device.exists() {
        return None;
    }
    let (cause, hints) = explain("/dev/vboxdrv")?;
    let version = version.trim().lines().last().unwrap_or_default();
    let diagnostic = Diagnostic::warning(format!(
        "{cause} ({} is missing; VirtualBox {version})",
        device.display()
    ));
    Some(hints.iter().fold(diagnostic, |it, hint| it.hint(*hint)))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Manage, find, old};

    #[test]
    fn a_program_that_is_missing_is_named_with_what_to_do() {
        let found = find(&Manage::new(PathBuf::from("/nowhere/VBoxManage")));
        assert_eq!(found.len(), 1);
        insta::assert_snapshot!(found[0].message, @"VirtualBox isn't installed: failed to start `/nowhere/VBoxManage`: No such file or directory (os error 2)");
    }

    #[test]
    fn only_old_versions_are_questioned() {
        assert!(old("6.1.50r161033\n").is_some());
        for version in [
            "7.0.20r163906",
            "WARNING: no driver\n7.2.22_Debianr175245",
            "8.0.0",
            "odd",
        ] {
            assert!(old(version).is_none(), "{version}");
        }
    }
}
