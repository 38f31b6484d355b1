//! `kinstall doctor` for people.

use std::fmt::Write as _;

use serde::Serialize;

use crate::diagnostic::Diagnostic;

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// `provider container`, `bundle`, `disk`, …
    pub subject: String,
    /// What is well: a word or two.
    pub state: String,
    /// What is not; empty if all is well.
    pub problems: Vec<Problem>,
}

/// Something that stands in the way, with what mends it.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    pub message: String,
    pub hints: Vec<String>,
    /// It only may become one.
    pub is_warning: bool,
}

impl From<&Diagnostic> for Problem {
    fn from(diagnostic: &Diagnostic) -> Self {
        let place = diagnostic
            .label
            .as_ref()
            .map_or(String::new(), |(location, _)| {
                format!("{} line {}: ", location.path().display(), location.line())
            });
        Self {
            message: format!("{place}{}", diagnostic.message),
            hints: diagnostic.hints.clone(),
            is_warning: !diagnostic.is_error(),
        }
    }
}

impl Check {
    /// Returns a check that found these problems, or else this state.
    pub fn of(subject: &str, state: impl Into<String>, problems: &[Diagnostic]) -> Self {
        Self {
            subject: subject.to_owned(),
            state: state.into(),
            problems: problems.iter().map(Problem::from).collect(),
        }
    }

    /// Returns whether nothing stands in the way.
    pub fn is_well(&self) -> bool {
        self.problems.iter().all(|it| it.is_warning)
    }
}

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
