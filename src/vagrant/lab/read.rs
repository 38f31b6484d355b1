//! From values of Ruby to values of the inventory; what isn't known is kept for the user to fill in.

use super::missing::Missing;
use crate::diagnostic::{Diagnostic, Location};
use crate::model::Provider;
use crate::vagrant::ImageCheck;
use crate::vagrant::evaluate::value::Value;
use crate::vagrant::note::{self, Note, Notes};

/// Reads the settings of one machine.
pub(super) struct Reader<'a> {
    pub machine: String,
    pub provider: Provider,
    pub images: ImageCheck<'a>,
    pub notes: &'a mut Notes,
    pub missing: Vec<Missing>,
}

impl Reader<'_> {
    pub fn text(&mut self, value: &Value, place: &Location, variable: &str) -> Option<String> {
        let text = match value {
            Value::Text(_) | Value::Symbol(_) | Value::Integer(_) => value.to_text(),
            _ => None,
        };
        if text.is_none() {
            self.not_readable(value, place, variable, "a text");
        }
        text.map(|text| text.trim().to_owned())
    }

    pub fn number(&mut self, value: &Value, place: &Location, variable: &str) -> Option<u64> {
        let number = match value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::Text(text) => text.text().trim().parse().ok(),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Value::Float(number) if number.fract() == 0.0 && *number >= 0.0 => Some(*number as u64),
            _ => None,
        };
        if number.is_none() {
            self.not_readable(value, place, variable, "a number");
        }
        number
    }

    pub fn not_readable(&mut self, value: &Value, place: &Location, variable: &str, wanted: &str) {
        let reason = match (value.why_within(), value.to_text()) {
            (Some(why), _) if why.place.line() == place.line() => why.reason.clone(),
            (Some(why), _) => format!("{} (line {})", why.reason, why.place.line()),
            (None, Some(text)) => format!("`{text}` is not {wanted}"),
            (None, None) => format!("this is not {wanted}"),
        };
        self.fill_in(place, variable, &reason);
    }

    /// Leaves a variable for the user to fill in.
    pub fn fill_in(&mut self, place: &Location, variable: &str, reason: &str) {
        self.leave(place, variable, reason, &[]);
    }

    /// Leaves a variable for the user to fill in, whose value `kinstall up` would refuse.
    pub fn refused(&mut self, place: &Location, variable: &str, error: &Diagnostic) {
        // Hints are written for inventories in YAML; this one is INI.
        let hints: Vec<String> = error
            .hints
            .iter()
            .map(|it| it.replace(&format!("{variable}: "), &format!("{variable}=")))
            .collect();
        self.leave(place, variable, &error.message, &hints);
    }

    fn leave(&mut self, place: &Location, variable: &str, reason: &str, hints: &[String]) {
        let note = |message: String| Note::new(place, message).with_hints(hints);
        self.missing.push(Missing {
            variable: variable.to_owned(),
            note: note(reason.to_owned()),
        });
        let note = note(format!("{variable}: {reason}")).of(&self.machine);
        note::add(&mut self.notes.to_fill_in, note);
    }

    pub fn assumed(&mut self, place: &Location, message: impl Into<String>) {
        note::add(&mut self.notes.assumed, Note::new(place, message));
    }

    pub fn left_out(&mut self, place: &Location, message: impl Into<String>) {
        note::add(&mut self.notes.left_out, Note::new(place, message));
    }
}
