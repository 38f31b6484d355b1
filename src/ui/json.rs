//! A run as JSON lines on stdout, one event a line.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;
use crate::run::{Observer, RunEvent};

/// Writes each event as it comes.
#[derive(Clone, Copy, Debug)]
pub struct JsonLines;

impl Observer for JsonLines {
    fn event(&mut self, event: &RunEvent) {
        if let Ok(line) = serde_json::to_string(event) {
            let _ = writeln!(std::io::stdout().lock(), "{line}");
        }
    }
}

/// Returns the JSON form of a diagnostic.
pub fn diagnostic(diagnostic: &Diagnostic) -> Value {
    let place = diagnostic.label.as_ref().map(|(location, label)| {
        json!({ "file": location.path(), "line": location.line(), "label": label })
    });
    let others: Vec<Value> = diagnostic
        .others
        .iter()
        .map(|(location, label)| {
            json!({ "file": location.path(), "line": location.line(), "label": label })
        })
        .collect();
    json!({
        "severity": if diagnostic.is_error() { "error" } else { "warning" },
        "kind": diagnostic.kind.name(),
        "concern": diagnostic.concern.name(),
        "message": diagnostic.message,
        "place": place,
        "also": others,
        "hints": diagnostic.hints,
    })
}
