//! What the import tells the person at the terminal.

use std::fmt::Write as _;

use super::Import;
use super::note::Note;

/// Tells what was understood, what was taken for granted, and what is left.
pub(super) fn text(import: &Import) -> String {
    let mut text = match import.machines.len() {
        1 => "1 machine".to_owned(),
        count => format!("{count} machines"),
    };
    let names: Vec<&str> = import.machines.iter().map(|it| it.name.as_str()).collect();
    let _ = writeln!(text, ": {}", names.join(", "));
    let _ = writeln!(text, "{}", import.roles_reason);
    section(&mut text, "Assumed", &import.notes.assumed);
    section(&mut text, "Left out", &import.notes.left_out);
    section(&mut text, "To fill in", &import.notes.to_fill_in);
    text
}

fn section(text: &mut String, title: &str, notes: &[Note]) {
    if notes.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}");
    let mut last = None;
    for note in notes {
        let place = (&note.file, note.line);
        if last != Some(place) {
            let _ = writeln!(text, "  {}:{}  {}", note.file, note.line, note.source);
            last = Some(place);
        }
        let machines = if note.machines.is_empty() {
            String::new()
        } else {
            format!("{}: ", note.machines.join(", "))
        };
        let _ = writeln!(text, "      {machines}{}", note.message);
        for hint in &note.hints {
            let _ = writeln!(text, "        hint: {hint}");
        }
    }
}
