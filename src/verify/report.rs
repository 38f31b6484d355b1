//! What came of the checks.

use serde::Serialize;

/// What `kinstall verify` found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Verification {
    pub checks: Vec<CheckReport>,
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    pub seconds: f64,
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckReport {
    pub name: String,
    pub chapter: String,
    #[serde(flatten)]
    pub outcome: Outcome,
    pub seconds: f64,
    pub steps: Vec<StepReport>,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    Passed,
    Failed {
        problem: String,
        /// Why, as far as it can be found.
        causes: Vec<String>,
    },
    Skipped {
        reason: String,
    },
}

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepReport {
    /// A command that shows the same.
    pub command: String,
    pub answer: String,
    pub seconds: f64,
}

impl Verification {
    /// Takes in the next check.
    pub fn add(&mut self, check: CheckReport) {
        match check.outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed { .. } => self.failed += 1,
            Outcome::Skipped { .. } => self.skipped += 1,
        }
        self.checks.push(check);
    }
}
