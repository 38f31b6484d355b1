//! YAML in and out; the only place that knows the YAML library.
//!
//! Reading needs a [`SourceFile`], so that every error can show the line that it talks about.
//! Duplicate keys are errors, but for what Ansible reads too: there the last one wins, with a warning.

mod error;
mod scalar;
mod value;

use std::sync::Arc;

use serde::de::DeserializeOwned;

pub use serde_saphyr::Spanned;
pub use value::{Entry, Node, Value};

use crate::diagnostic::{Diagnostic, Diagnostics, Kind, Location, SourceFile};

/// Reads the one document of a file into a type.
///
/// Unknown fields, wrong types and syntax errors are returned with their place and, where a known name
/// is close to the wrong one, with that name.
pub fn parse<T: DeserializeOwned>(file: &Arc<SourceFile>) -> Result<T, Diagnostic> {
    // Numbers keep their text: `0644` and `1_000` are not what YAML 1.1 made of them.
    let options = serde_saphyr::options! {
        with_snippet: false,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
    };
    serde_saphyr::from_str_with_options(&file.text, options)
        .map_err(|error| error::diagnostic(file, &error))
}

/// Reads the one document of a file as it is, with the place of every key and value.
///
/// An empty file is [`Node::Null`]. Plain scalars mean what they do in YAML 1.1 ([`scalar`]).
pub fn parse_value(file: &Arc<SourceFile>) -> Result<Value, Diagnostic> {
    let (value, doubled) = read_value(file)?;
    match doubled.into_iter().next() {
        None => Ok(value),
        Some(doubled) => Err(Diagnostic::error(Kind::Inventory, doubled.message())
            .at(doubled.second, "second time")
            .hint("remove one of the two")),
    }
}

/// Reads the same as Ansible does: of a key that stands twice in a mapping, the last one counts, with a
/// warning.
pub fn parse_as_ansible(
    file: &Arc<SourceFile>,
    diagnostics: &mut Diagnostics,
) -> Result<Value, Diagnostic> {
    let (value, doubled) = read_value(file)?;
    diagnostics.extend(doubled.into_iter().map(|doubled| {
        let first = doubled.first.line();
        Diagnostic::warning(doubled.message())
            .at(doubled.second, "this one counts, as in Ansible")
            .hint(format!(
                "remove the first one, in line {first}, or this one"
            ))
    }));
    Ok(value)
}

fn read_value(file: &Arc<SourceFile>) -> Result<(Value, Vec<Doubled>), Diagnostic> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        // Both are judged by what is written there.
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
    };
    let root: Option<Spanned<value::RawNode>> =
        serde_saphyr::from_str_with_options(&file.text, options)
            .map_err(|error| error::diagnostic(file, &error))?;
    let mut doubled = Vec::new();
    let value = match root {
        Some(root) => Value::from_raw(file, root, &mut doubled),
        None => Value {
            node: Node::Null,
            location: Location {
                file: Arc::clone(file),
                span: 0..0,
            },
        },
    };
    Ok((value, doubled))
}

/// A key that stands twice in one mapping.
struct Doubled {
    key: String,
    first: Location,
    second: Location,
}

impl Doubled {
    fn message(&self) -> String {
        format!("key `{}` stands twice in the same mapping", self.key)
    }
}

/// Reads all documents of a file, as in a Kubernetes manifest; empty documents are left out.
pub fn documents(file: &Arc<SourceFile>) -> Result<Vec<serde_json::Value>, Diagnostic> {
    let documents: Vec<serde_json::Value> = read_documents(file)?;
    Ok(documents
        .into_iter()
        .filter(|document| !document.is_null())
        .collect())
}

/// Reads the same, each document with its place.
pub fn placed_documents(
    file: &Arc<SourceFile>,
) -> Result<Vec<(serde_json::Value, Location)>, Diagnostic> {
    let documents: Vec<Spanned<serde_json::Value>> = read_documents(file)?;
    let documents = documents.into_iter().filter(|it| !it.value.is_null());
    Ok(documents
        .map(|document| {
            let span = byte_span(file, &document.defined);
            let file = Arc::clone(file);
            (document.value, Location { file, span })
        })
        .collect())
}

fn read_documents<T: DeserializeOwned>(file: &Arc<SourceFile>) -> Result<Vec<T>, Diagnostic> {
    // As kubectl has it: YAML 1.1, where `defaultMode: 0644` is octal and `n` is false.
    let options = serde_saphyr::options! { legacy_octal_numbers: true, with_snippet: false };
    serde_saphyr::from_multiple_with_options(&file.text, options)
        .map_err(|error| error::diagnostic(file, &error))
}

/// Writes one document.
pub fn to_text(value: &serde_json::Value) -> String {
    // A JSON value has only string keys and finite numbers, and writing to a string can't fail.
    #[expect(clippy::expect_used)]
    serde_saphyr::to_string(value).expect("a JSON value is valid YAML")
}

/// Returns the byte range that the YAML library means.
pub fn byte_span(file: &SourceFile, location: &serde_saphyr::Location) -> std::ops::Range<usize> {
    let span = location.span();
    let length = file.text.len();
    if let (Some(offset), Some(size)) = (span.byte_offset(), span.byte_len()) {
        let within =
            |offset: u64| usize::try_from(offset).map_or(length, |offset| offset.min(length));
        return within(offset)..within(offset + size);
    }
    let line = usize::try_from(location.line()).unwrap_or(1).max(1);
    let column = usize::try_from(location.column()).unwrap_or(1).max(1);
    let line_start: usize = file
        .text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let start = file.text[line_start..]
        .char_indices()
        .nth(column - 1)
        .map_or(length, |(offset, _)| line_start + offset);
    start..start
}

#[cfg(test)]
mod tests;
