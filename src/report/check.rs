//! Something of this computer that was looked at, and what stands in the way.

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
