//! Whether an inventory file is INI or YAML.
//!
//! As Ansible does: files named as YAML, or without an extension, are YAML if their text is, else INI; all
//! others are INI.

use std::path::Path;
use std::sync::Arc;

use super::location;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, SourceFile};

/// How an inventory is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Yaml,
    Ini,
}

impl Form {
    /// Tells the form of a file by its name and its text; reports a file that is neither.
    pub(super) fn of(file: &Arc<SourceFile>, diagnostics: &mut Diagnostics) -> Option<Self> {
        if file.text.starts_with("#!") {
            diagnostics.push(
                Diagnostic::error(Kind::Inventory, "inventory scripts are not supported")
                    .at(location(file, 0..2), "this is a program")
                    .hint("write its answer to a file: `ansible-inventory -i SCRIPT --list --yaml > hosts.yaml`"),
            );
            return None;
        }
        let first = first_line(&file.text);
        let is_yaml_text = first.is_some_and(|(_, line)| starts_yaml(line));
        let place = first.map(|(start, line)| location(file, start..start + line.len()));
        match (named(&file.path), place) {
            (Named::Yaml, Some(place)) if !is_yaml_text && has_section(&file.text) => {
                diagnostics.push(
                    Diagnostic::warning(format!(
                        "`{}` holds INI text and is named as YAML",
                        file_name(&file.path)
                    ))
                    .at(place, "read as INI, as Ansible does")
                    .hint("name it `.ini`"),
                );
                Some(Self::Ini)
            }
            (Named::Yaml, _) => Some(Self::Yaml),
            (Named::Ini, Some(place)) if is_yaml_text => {
                let yaml_name = file.path.with_extension("yaml");
                diagnostics.push(
                    Diagnostic::error(
                        Kind::Inventory,
                        format!(
                            "`{}` holds YAML text and is named as INI",
                            file_name(&file.path)
                        ),
                    )
                    .at(place, "this is YAML")
                    .hint(format!("name it `{}`", file_name(&yaml_name))),
                );
                None
            }
            (Named::Neither, _) if is_yaml_text => Some(Self::Yaml),
            (Named::Ini | Named::Neither, _) => Some(Self::Ini),
        }
    }
}

/// What the name of a file says.
enum Named {
    Yaml,
    Ini,
    Neither,
}

fn named(path: &Path) -> Named {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("yml" | "yaml" | "json") => Named::Yaml,
        Some("ini" | "cfg") => Named::Ini,
        _ => Named::Neither,
    }
}

/// Returns the first line that says something, and where it starts.
fn first_line(text: &str) -> Option<(usize, &str)> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let here = start + (line.len() - line.trim_start().len());
            start += line.len();
            (here, line.trim())
        })
        .find(|(_, line)| !line.is_empty() && !line.starts_with(['#', ';']))
}

/// Tells `---`, `all:` and `{` from the first line of an INI inventory.
fn starts_yaml(line: &str) -> bool {
    let first_word = line.split_whitespace().next().unwrap_or_default();
    line.starts_with('{') || first_word == "---" || first_word.ends_with(':')
}

/// Tells whether a line stands for a section of an INI file.
fn has_section(text: &str) -> bool {
    text.lines().map(str::trim).any(|line| {
        line.strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .is_some_and(|(name, rest)| {
                let is_name = |it: char| it.is_alphanumeric() || "_-.:".contains(it);
                let rest = rest.trim_start();
                !name.is_empty()
                    && name.chars().all(is_name)
                    && (rest.is_empty() || rest.starts_with(['#', ';']))
            })
    })
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
