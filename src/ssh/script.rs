//! Shell scripts that are sent as one command line.

/// Makes one line out of a script: comments and line ends go.
///
/// The line stands in single quotes, and the login shell that reads it may be csh or fish. So the
/// scripts are written without single quotes, backslashes and exclamation marks, and with a semicolon
/// wherever a line ends a command.
pub(super) fn one_line(script: &str) -> String {
    let lines: Vec<&str> = script
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::one_line;

    #[test]
    fn scripts_survive_every_login_shell() {
        for script in [
            include_str!("authorize.sh"),
            include_str!("bootstrap.sh"),
            include_str!("elevate.sh"),
        ] {
            let line = one_line(script);
            assert!(!line.contains(['\'', '\\', '!', '\n']), "{line}");
            let check = Command::new("sh")
                .args(["-n", "-c", &line])
                .output()
                .unwrap();
            assert!(check.status.success(), "{check:?}");
        }
    }
}
