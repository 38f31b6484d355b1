//! Turns an error of the YAML library into a message for the user.

use std::sync::Arc;

use serde_saphyr::{Error, MessageFormatter as _, UserMessageFormatter};

use super::byte_span;
use crate::diagnostic::{Diagnostic, Kind, Location, SourceFile};
use crate::did_you_mean::closest;

pub(super) fn diagnostic(file: &Arc<SourceFile>, error: &Error) -> Diagnostic {
    let error = error.without_snippet();
    let span = error
        .location()
        .map_or(0..0, |location| byte_span(file, &location));
    let (message, label, hint) = describe(error);
    let diagnostic = Diagnostic::error(Kind::Inventory, message).at(
        Location {
            file: Arc::clone(file),
            span,
        },
        label,
    );
    match hint {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}

/// Returns message, label and hint.
fn describe(error: &Error) -> (String, &'static str, Option<String>) {
    match error {
        Error::SerdeUnknownField {
            field, expected, ..
        } => (
            format!("unknown field `{field}`"),
            "not known here",
            Some(suggestion(field, expected)),
        ),
        Error::SerdeUnknownVariant {
            variant, expected, ..
        } => (
            format!("unknown value `{variant}`"),
            "not known here",
            Some(suggestion(variant, expected)),
        ),
        Error::SerdeMissingField { field, .. } => (
            format!("missing field `{field}`"),
            "it belongs into this mapping",
            None,
        ),
        Error::DuplicateMappingKey { key, .. } => (
            match key {
                Some(key) => format!("key `{key}` stands twice in the same mapping"),
                None => "a key stands twice in the same mapping".to_owned(),
            },
            "second time",
            Some("remove one of the two".to_owned()),
        ),
        Error::AliasError { error, .. } => describe(error),
        Error::SerdeInvalidType { .. }
        | Error::SerdeInvalidValue { .. }
        | Error::SerdeInvalidLength { .. }
        | Error::InvalidScalar { .. } => (plain_message(error), "wrong value", None),
        Error::ExternalMessage { .. } | Error::Eof { .. } => (
            format!("broken YAML: {}", plain_message(error)),
            "can't be read from here",
            None,
        ),
        _ => (plain_message(error), "here", None),
    }
}

fn suggestion(wrong: &str, known: &[&'static str]) -> String {
    match closest(wrong, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known here: {}", known.join(", ")),
    }
}

fn plain_message(error: &Error) -> String {
    UserMessageFormatter.format_message(error).into_owned()
}
