//! Turns an error of the template engine into a message that points at the right place.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::ops::Range;
use std::sync::Arc;

use tera::ErrorKind;

use super::names::Unknown;
use super::source::Source;
use crate::diagnostic::{Diagnostic, Kind, Location, SourceFile};
use crate::did_you_mean::closest;

/// Makes the message. `source` is the string that was rendered or that named the template, with the
/// length of what the engine put in front of it.
pub(super) fn diagnostic(
    error: &tera::Error,
    files: &BTreeMap<String, Arc<SourceFile>>,
    source: Option<(&Source<'_>, usize)>,
) -> Diagnostic {
    let (ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report)) = error.kind() else {
        let text = match error.source() {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        let diagnostic = Diagnostic::error(Kind::Inventory, lower_case(text.trim()));
        return match source {
            Some((source, _)) => diagnostic.at(source.location(), "in this"),
            None => diagnostic,
        };
    };
    let location = match (files.get(report.filename()), source) {
        (Some(file), _) => Some(Location {
            file: Arc::clone(file),
            span: within(&report.span().range, &file.text),
        }),
        (None, Some((source, prefix))) => {
            let Range { start, end } = report.span().range;
            let inner = start.saturating_sub(prefix)..end.saturating_sub(prefix);
            Some(inner_location(source, inner))
        }
        (None, None) => None,
    };
    let (message, hint) = explain(report.message());
    let mut diagnostic = Diagnostic::error(Kind::Inventory, message);
    if let Some(location) = location {
        diagnostic = diagnostic.at(location, "here");
    }
    match hint {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}

/// Makes the message for a name that leads nowhere in a template file.
pub(super) fn unknown_name(unknown: Unknown, file: &Arc<SourceFile>) -> Diagnostic {
    let location = Location {
        file: Arc::clone(file),
        span: unknown.span,
    };
    Diagnostic::error(Kind::Inventory, unknown.message)
        .at(location, "here")
        .hint(unknown.hint)
}

/// The same for one in a string of a playbook.
pub(super) fn unknown_name_in(unknown: Unknown, source: &Source<'_>) -> Diagnostic {
    Diagnostic::error(Kind::Inventory, unknown.message)
        .at(inner_location(source, unknown.span), "here")
        .hint(unknown.hint)
}

/// Splits Tera's message into one without the list of known names, and a hint made of that list.
fn explain(message: &str) -> (String, Option<String>) {
    let undefined = message
        .split_once(". Available ")
        .and_then(|(head, list)| Some((head, list.split_once(": ")?.1)));
    let head = undefined.map_or(message, |(head, _)| head);
    let head = head.strip_suffix('.').unwrap_or(head);
    let name = head.split('`').nth(1).unwrap_or_default();
    if name == "secrets" && undefined.is_some() {
        return (
            "`secrets` can't be used here".to_owned(),
            Some(
                "only what is marked `secret: true` and the inputs of a command may hold secrets"
                    .to_owned(),
            ),
        );
    }
    let hint = undefined.map(|(_, list)| match closest(name, list.split(", ")) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("known here: {list}"),
    });
    (lower_case(head), hint)
}

/// Finds the place of an error in the file that a string was read from.
///
/// Line by line, because a block scalar stands there with its indentation; where the string was written
/// with escapes, the whole of it is marked.
fn inner_location(source: &Source<'_>, inner: Range<usize>) -> Location {
    let Range { start, end } = within(&inner, source.text);
    let found = source
        .file
        .text
        .get(source.span.clone())
        .and_then(|written| offset_as_written(source.text, start, written))
        .map(|offset| {
            let from = source.span.start + offset;
            from..(from + end - start).min(source.span.end)
        });
    Location {
        file: Arc::clone(source.file),
        span: found.unwrap_or_else(|| source.span.clone()),
    }
}

/// Returns where in `written` the byte `offset` of `text` stands, if every line up to it is found.
fn offset_as_written(text: &str, offset: usize, written: &str) -> Option<usize> {
    let mut line_start = 0;
    let mut position = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches('\n');
        let found = position + written[position..].find(content)?;
        if offset < line_start + line.len() || line_start + line.len() == text.len() {
            return Some(found + (offset - line_start).min(content.len()));
        }
        position = found + content.len();
        line_start += line.len();
    }
    None
}

fn within(range: &Range<usize>, text: &str) -> Range<usize> {
    let start = range.start.min(text.len());
    start..range.end.clamp(start, text.len())
}

fn lower_case(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        // An acronym or a name keeps its capitals.
        Some(first) if characters.clone().next().is_some_and(char::is_lowercase) => {
            first.to_lowercase().chain(characters).collect()
        }
        _ => text.to_owned(),
    }
}
