//! What a run asks and tells the user.

use super::left_over::LeftOver;
use crate::diagnostic::Diagnostic;

/// What `up` asks and tells before the run's events begin.
pub struct Dialogue<'a> {
    /// Shows a warning.
    pub warn: &'a dyn Fn(&Diagnostic),
    /// Asks whether members and machines that the inventory doesn't have any more may go.
    pub may_remove: &'a dyn Fn(&LeftOver) -> bool,
}
