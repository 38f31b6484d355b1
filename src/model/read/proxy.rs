//! Reads the proxy between containerd and registries.

use super::super::Proxy;
use super::Reader;
use crate::diagnostic::{Diagnostic, Kind, Severity};
use crate::secret::Secret;
use crate::yaml::Value;

/// Returns the proxy where the inventory has one.
pub(super) fn proxy(reader: &mut Reader<'_>) -> Option<Proxy> {
    let http = url(reader, "http_proxy");
    let https = url(reader, "https_proxy");
    if http.is_none() && https.is_none() {
        return None;
    }
    // kubespray's way to keep workers out of its list; here they are in it by their networks.
    reader.boolean("no_proxy_exclude_workers");
    let replaced = words(reader, "no_proxy");
    let mut additional = words(reader, "additional_no_proxy");
    additional.extend(words(reader, "additional_no_proxy_list"));
    Some(Proxy {
        http,
        https,
        replaced_exceptions: (!replaced.is_empty()).then_some(replaced),
        additional_exceptions: additional,
    })
}

/// Reads a proxy's URL; it may hold a password, so no message about its value shows its line. Nodes come up without
/// it, so what can't be evaluated is a warning.
fn url(reader: &mut Reader<'_>, name: &'static str) -> Option<Secret> {
    let before = reader.diagnostics.len();
    let value = reader.value(name);
    for problem in &mut reader.diagnostics[before..] {
        problem.severity = Severity::Warning;
        problem.hints = vec![match &value {
            Some(_) => "all nodes get the first value".to_owned(),
            None => format!("`{name}` has no effect in this form: containerd gets no proxy"),
        }];
    }
    let value = value?;
    let problem = match value.text() {
        None => Some(format!("must be a URL, not {}", value.kind())),
        Some(text) if !is_plain(text) => Some("has characters that no URL has".to_owned()),
        Some(_) => None,
    };
    if let Some(problem) = problem {
        let place = &value.location;
        let error = Diagnostic::error(Kind::Inventory, format!("`{name}` {problem}"));
        reader.diagnostics.push(
            error
                .hint("write it like `http://10.0.0.1:3128`; in a password, `%40` stands for `@`")
                .hint(format!("{}:{}", place.path().display(), place.line())),
        );
        return None;
    }
    value.text().map(Secret::new)
}

/// Reads a list, or words with commas or spaces between them.
fn words(reader: &mut Reader<'_>, name: &'static str) -> Vec<String> {
    let mut words = Vec::new();
    for value in reader.list(name) {
        let Some(text) = value.text() else {
            reader.wrong_kind(name, &value, "names and networks");
            continue;
        };
        let parts = text.split([',', ' ']).map(str::trim);
        for word in parts.filter(|word| !word.is_empty()) {
            if is_plain(word) {
                words.push(word.to_owned());
            } else {
                wrong_word(reader, name, &value, word);
            }
        }
    }
    words
}

fn wrong_word(reader: &mut Reader<'_>, name: &str, value: &Value, word: &str) {
    reader.error(
        &value.location,
        format!("`{name}` can't have `{}`", word.escape_debug()),
        "not a name or network",
        "write names, addresses and networks with commas between them: `.example.com,10.0.0.0/8`",
    );
}

/// Whether a text can stand between quotes in a file of environment variables.
fn is_plain(text: &str) -> bool {
    let is_wrong = |it: char| it.is_whitespace() || it.is_control() || "\"'`\\$".contains(it);
    !text.is_empty() && !text.contains(is_wrong)
}
