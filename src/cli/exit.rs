//! What a command's end means for the shell.

use std::process::ExitStatus;

use crate::report::Summary;

use crate::diagnostic::Diagnostic;
use crate::ui::printer::Printer;

/// How a command ends when nothing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Success,
    /// `plan` found changes, or `import` left something to fill in.
    Changes,
    /// Hosts can't be reached, and nothing else went wrong.
    Unreachable,
    /// Failures that were shown already, in the recap.
    Failed,
    /// The exit code of a command that kinstall ran for the user.
    Of(u8),
}

impl Exit {
    /// Shows what failed, if anything did, and returns how the command ends.
    pub fn after(failures: &[Diagnostic], printer: Printer) -> Self {
        for failure in failures {
            printer.diagnostic(failure);
        }
        if failures.is_empty() {
            Self::Success
        } else {
            Self::Failed
        }
    }

    /// Returns how a command ends where not all was done.
    pub fn of_failures(summary: &Summary) -> Self {
        if summary.lacks_hosts_only() {
            Self::Unreachable
        } else {
            Self::Failed
        }
    }

    /// Passes on how a command ended; a signal counts as in a shell.
    pub fn of_status(status: ExitStatus) -> Self {
        let code = status.code().unwrap_or_else(|| 128 + signal(status));
        Self::Of(u8::try_from(code).unwrap_or(1))
    }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> i32 {
    std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or_default()
}

/// Windows has no signals: a process always ends with a code.
#[cfg(windows)]
fn signal(_status: ExitStatus) -> i32 {
    0
}
