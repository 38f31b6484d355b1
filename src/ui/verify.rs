//! The checks of `kinstall verify`, for people to follow.

use std::fmt::Write as _;

use crate::verify::{Check, CheckReport, Outcome, StepReport, Verification};

/// Lines of an answer that are shown.
const LONGEST: usize = 12;

/// Introduces a check.
pub fn started(check: &Check) -> String {
    format!(
        "{}: {}\n  {}\n",
        check.chapter,
        check.name,
        check.explains.trim()
    )
}

/// Shows a step: the command, and what came back.
pub fn step(step: &StepReport) -> String {
    let mut text = String::new();
    for (number, line) in step.command.lines().enumerate() {
        let mark = if number == 0 { "$ " } else { "  " };
        let _ = writeln!(text, "    {mark}{line}");
    }
    for line in step.answer.lines().take(LONGEST) {
        let _ = writeln!(text, "      {line}");
    }
    let more = step.answer.lines().count().saturating_sub(LONGEST);
    if more > 0 {
        let _ = writeln!(text, "      … {more} more lines");
    }
    text
}

/// Tells how a check ended.
pub fn ended(check: &CheckReport) -> String {
    let seconds = check.seconds;
    match &check.outcome {
        Outcome::Passed => format!("  passed ({seconds:.1} s)\n\n"),
        Outcome::Skipped { reason } => {
            format!(
                "{}: {}\n  left out: {reason}\n\n",
                check.chapter, check.name
            )
        }
        Outcome::Failed { problem, causes } => {
            let mut text = format!("  FAILED ({seconds:.1} s): {problem}\n");
            for cause in causes {
                let _ = writeln!(text, "  cause: {cause}");
            }
            text.push('\n');
            text
        }
    }
}

/// Sums it up; what failed is said again, with its causes.
pub fn summary(verification: &Verification) -> String {
    let Verification {
        checks,
        passed,
        failed,
        skipped,
        seconds,
    } = verification;
    let mut text =
        format!("{passed} passed, {failed} failed, {skipped} left out ({seconds:.0} s)\n");
    for check in checks {
        if let Outcome::Failed { problem, causes } = &check.outcome {
            let why = if causes.is_empty() {
                problem.clone()
            } else {
                causes.join("; ")
            };
            let _ = writeln!(text, "failed: {}: {why}", check.name);
        }
    }
    text
}
