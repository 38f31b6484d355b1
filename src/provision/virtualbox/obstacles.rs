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
    let host = match manage.call(&["list", "hostinfo"]) {
        Ok(text) => text,
        Err(error) => {
            found.push(unusable(&error));
            return found;
        }
    };
    let driver = if cfg!(target_os = "linux") {
        no_driver(&version, Path::new("/dev/vboxdrv"))
    } else {
        None
    };
    // Without its driver, VirtualBox can't see what the processor has.
    found.extend(driver.or_else(|| no_virtualization(&host)));
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

/// A warning only, as what VirtualBox says of this differs between systems.
fn no_virtualization(host: &str) -> Option<Diagnostic> {
    let says_no = host
        .lines()
        .filter_map(|line| line.strip_prefix("Processor supports HW virtualization:"))
        .any(|answer| answer.trim() == "no");
    let warning = Diagnostic::warning("VirtualBox finds no virtualization in the processor");
    let causes = ["VT-x is disabled in the BIOS", "Hyper-V", "VERR_NO_HW_VIRT"];
    let known = causes.iter().filter_map(|it| explain(it));
    let warning = known.fold(warning, |warning, (cause, hints)| {
        warning.hint(format!("if {cause}: {}", hints.join("; ")))
    });
    says_no.then_some(warning)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Manage, find, no_virtualization, old};

    #[test]
    fn a_program_that_is_missing_is_named_with_what_to_do() {
        let found = find(&Manage::new(PathBuf::from("/nowhere/VBoxManage")));
        assert_eq!(found.len(), 1);
        insta::assert_snapshot!(found[0].message, @"VirtualBox isn't installed: failed to start `/nowhere/VBoxManage`: No such file or directory (os error 2)");
    }

    #[test]
    fn a_processor_without_virtualization_is_told_with_what_may_be_the_cause() {
        let host = |answer: &str| {
            format!("Host Information:\n\nProcessor supports HW virtualization: {answer}\n")
        };
        assert!(no_virtualization(&host("yes")).is_none());
        let hints = no_virtualization(&host("no")).unwrap().hints;
        assert!(
            hints.len() == 3 && hints[0].contains("BIOS") && hints[1].contains("Hyper-V"),
            "{hints:?}"
        );
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
