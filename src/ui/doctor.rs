//! `kinstall doctor` for people.

use std::fmt::Write as _;

use crate::report::Check;

/// Renders the checks: a line each, and below it every problem with what mends it.
pub fn render(checks: &[Check]) -> String {
    let width = checks.iter().map(|it| it.subject.len()).max().unwrap_or(0);
    let mut text = String::new();
    for check in checks {
        let state = if check.is_well() { &check.state } else { "no" };
        let _ = writeln!(text, "{:width$}  {state}", check.subject);
        for problem in &check.problems {
            let kind = if problem.is_warning {
                "warning"
            } else {
                "problem"
            };
            let _ = writeln!(text, "  {kind}: {}", problem.message);
            for hint in &problem.hints {
                let _ = writeln!(text, "    hint: {hint}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Check, render};
    use crate::diagnostic::{Diagnostic, Kind};

    #[test]
    fn checks_with_and_without_problems() {
        let root = Diagnostic::error(Kind::Environment, "system containers need root");
        let checks = [
            Check::of(
                "provider container",
                "usable",
                &[root.hint("run kinstall with `sudo`")],
            ),
            Check::of("provider existing", "usable", &[]),
            Check::of("memory", "2048 MiB", &[Diagnostic::warning("it is tight")]),
        ];
        insta::assert_snapshot!(render(&checks), @r"
        provider container  no
          problem: system containers need root
            hint: run kinstall with `sudo`
        provider existing   usable
        memory              2048 MiB
          warning: it is tight
        ");
    }
}
