//! What is to be said about an inventory: all of it for `check`, the weighty part in short for `up` and `plan`.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{diagnostic, json as lines};
use crate::diagnostic::{Concern, Diagnostic};
use crate::model::Findings;

/// The parts of the text, in the order of their weight.
const PARTS: [(Option<Concern>, &str); 5] = [
    (None, "Wrong"),
    (
        Some(Concern::Security),
        "Less safe than the inventory asks for",
    ),
    (Some(Concern::Outcome), "Other than the inventory says"),
    (Some(Concern::NoEffect), "Without effect"),
    (Some(Concern::Unknown), "Not known to kinstall"),
];

/// Renders everything, by weight.
pub fn render(findings: &Findings) -> String {
    let mut text = String::new();
    if let Some(cluster) = &findings.cluster {
        let hosts = counted(cluster.hosts.len(), "host");
        let _ = writeln!(text, "cluster {}: {hosts}", cluster.name);
    }
    let _ = writeln!(text, "read from {}", listed(&findings.files));
    if !findings.variable_files.is_empty() {
        let _ = writeln!(text, "variables from {}", listed(&findings.variable_files));
    }
    for (concern, title) in PARTS {
        let part = findings.diagnostics.iter().filter(|it| match concern {
            None => it.is_error(),
            Some(concern) => !it.is_error() && it.concern == concern,
        });
        let part: Vec<String> = part.map(|it| diagnostic::render(it, false)).collect();
        if !part.is_empty() {
            let _ = write!(text, "\n{title}:\n\n{}\n", part.join("\n\n"));
        }
    }
    let (errors, warnings) = counts(findings);
    let _ = writeln!(
        text,
        "\n{}, {}",
        counted(errors, "error"),
        counted(warnings, "warning")
    );
    text
}

/// Returns the same for scripts.
pub fn json(findings: &Findings) -> Value {
    let (errors, warnings) = counts(findings);
    let found: Vec<Value> = findings.diagnostics.iter().map(lines::diagnostic).collect();
    json!({
        "cluster": findings.cluster.as_ref().map(|cluster| &cluster.name),
        "hosts": findings.cluster.as_ref().map(|cluster| cluster.hosts.len()),
        "files": findings.files,
        "variable_files": findings.variable_files,
        "errors": errors,
        "warnings": warnings,
        "findings": found,
    })
}

fn listed(files: &[PathBuf]) -> String {
    let files: Vec<String> = files.iter().map(|it| it.display().to_string()).collect();
    files.join(", ")
}

fn counts(findings: &Findings) -> (usize, usize) {
    let all = &findings.diagnostics;
    let errors = all.iter().filter(|it| Diagnostic::is_error(it)).count();
    (errors, all.len() - errors)
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
