//! What the import has to tell, with the line of the Vagrantfile that it is about.

use serde::Serialize;

use crate::diagnostic::Location;

/// A line of the Vagrantfile and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    pub file: String,
    pub line: usize,
    /// The line as it stands in the file.
    pub source: String,
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// Machines that it is about; none if it is about all or none of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub machines: Vec<String>,
}

/// Everything that the import has to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Notes {
    /// What was taken for granted.
    pub assumed: Vec<Note>,
    /// What has no place in the inventory, and what replaces it.
    pub left_out: Vec<Note>,
    /// What only the user knows.
    pub to_fill_in: Vec<Note>,
}

impl Note {
    pub fn new(place: &Location, message: impl Into<String>) -> Self {
        let line = place.line();
        let source = place.file.text.lines().nth(line - 1).unwrap_or_default();
        let name = place.path().file_name().unwrap_or_default();
        Self {
            file: name.to_string_lossy().into_owned(),
            line,
            source: source.trim().to_owned(),
            message: message.into(),
            hints: Vec::new(),
            machines: Vec::new(),
        }
    }

    /// Says what to do.
    #[must_use]
    pub fn with_hints(mut self, hints: &[String]) -> Self {
        self.hints.extend_from_slice(hints);
        self
    }

    /// Says which machine the note is about.
    #[must_use]
    pub fn of(mut self, machine: &str) -> Self {
        self.machines.push(machine.to_owned());
        self
    }
}

/// Adds a note; one that is there already only gets a further machine.
pub(super) fn add(notes: &mut Vec<Note>, note: Note) {
    let same = |other: &&mut Note| {
        other.file == note.file && other.line == note.line && other.message == note.message
    };
    match notes.iter_mut().find(same) {
        None => notes.push(note),
        Some(other) => {
            for machine in note.machines {
                if !other.machines.contains(&machine) {
                    other.machines.push(machine);
                }
            }
        }
    }
}

impl Notes {
    /// Puts the notes in the order of the file.
    pub(super) fn sort(&mut self) {
        for notes in [&mut self.assumed, &mut self.left_out, &mut self.to_fill_in] {
            notes.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        }
    }
}
