//! One difference between what is and what should be.

use serde::{Deserialize, Serialize};

/// A change that `plan` shows and `apply` makes: the same value for both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub action: Action,
    /// The part that changes: `content`, `mode`, `enabled`, an object's name, …
    pub subject: String,
    /// The value now; `None` where there is none or it must not be shown.
    pub from: Option<String>,
    /// The value wanted; `None` where there is none or it must not be shown.
    pub to: Option<String>,
    /// Unified diff of a text, without the file header; never of a secret.
    pub diff: Option<String>,
}

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Create,
    Update,
    Remove,
    /// A command is run.
    Run,
    /// A unit is started, stopped or restarted.
    Restart,
    /// A condition is waited for.
    Wait,
}

impl Change {
    /// Makes a change without values.
    pub fn new(action: Action, subject: impl Into<String>) -> Self {
        Self {
            action,
            subject: subject.into(),
            from: None,
            to: None,
            diff: None,
        }
    }

    /// Adds the values before and after.
    #[must_use]
    pub fn values(mut self, from: Option<String>, to: Option<String>) -> Self {
        self.from = from;
        self.to = to;
        self
    }
}
