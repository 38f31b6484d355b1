//! What a Vagrantfile doesn't tell.

use serde::Serialize;

use crate::vagrant::note::Note;

/// A variable that only the user knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    pub variable: String,
    #[serde(flatten)]
    pub note: Note,
}
