//! Ansible's INI dialect.
//!
//! ```text
//! [group]            host lines: name pattern, then key=value words
//! [group:children]   one group per line
//! [group:vars]       one key = value per line
//! ```

pub(super) mod words;

use std::ops::Range;
use std::sync::Arc;

use super::{Inventory, error_at, host_pattern, literal, location, set_all};
use crate::diagnostic::{Diagnostic, Diagnostics, Location, SourceFile};
use crate::did_you_mean::closest;
use crate::yaml::Entry;

/// Reads the file of an inventory into it; goes on after errors.
pub(super) fn parse(
    inventory: &mut Inventory,
    file: &Arc<SourceFile>,
    diagnostics: &mut Diagnostics,
) {
    let mut parser = Parser {
        file: Arc::clone(file),
        inventory,
        diagnostics,
        section: Section::Hosts("ungrouped".to_owned()),
        pending_variables: Vec::new(),
        stray_words: Vec::new(),
    };
    let text = &Arc::clone(&parser.file).text;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let start = offset + (line.len() - line.trim_start().len());
        offset += line.len();
        let line = line.trim();
        if !line.is_empty() && !line.starts_with(['#', ';']) {
            parser.line(line, start);
        }
    }
    parser.check_variable_sections();
    parser.report_stray_words();
}

/// What the lines below a section header are.
enum Section {
    Hosts(String),
    Children(String),
    Variables(String),
    /// After a broken header.
    Skipped,
}

struct Parser<'a> {
    file: Arc<SourceFile>,
    inventory: &'a mut Inventory,
    diagnostics: &'a mut Diagnostics,
    section: Section,
    /// `[group:vars]` headers; the group may be defined further down.
    pending_variables: Vec<(String, Location)>,
    /// Words on host lines that are no variables: the first of each line.
    stray_words: Vec<Location>,
}

impl Parser<'_> {
    /// Reads a line without surrounding white space; `start` is its place in the file.
    fn line(&mut self, line: &str, start: usize) {
        if line.starts_with('[') && !is_host_range(line) {
            self.section = self.header(line, start);
            return;
        }
        match &self.section {
            Section::Hosts(group) => {
                let group = group.clone();
                self.host_line(&group, line, start);
            }
            Section::Children(group) => {
                let group = group.clone();
                self.child_line(&group, line, start);
            }
            Section::Variables(group) => {
                let group = group.clone();
                self.variable_line(&group, line, start);
            }
            Section::Skipped => {}
        }
    }

    fn header(&mut self, line: &str, start: usize) -> Section {
        let whole = self.at(start..start + line.len());
        let Some((inner, rest)) = line[1..].split_once(']') else {
            self.diagnostics.push(
                error_at(&whole, "section header isn't closed", "`]` is missing")
                    .hint(format!("write `{line}]`")),
            );
            return Section::Skipped;
        };
        let rest = rest.trim_start();
        if !(rest.is_empty() || rest.starts_with('#')) {
            self.diagnostics.push(
                error_at(
                    &whole,
                    "section header has text behind it",
                    "unexpected text",
                )
                .hint("put it on the next line"),
            );
            return Section::Skipped;
        }
        let (group, kind) = inner.split_once(':').unwrap_or((inner, "hosts"));
        let here = self.at(start + 1..start + 1 + group.len());
        if group.is_empty() || group.contains(char::is_whitespace) {
            self.diagnostics.push(
                error_at(
                    &here,
                    format!("`{group}` is no group name"),
                    "spaces are not allowed here",
                )
                .hint("write `[group]`, `[group:children]` or `[group:vars]`"),
            );
            return Section::Skipped;
        }
        match kind {
            "hosts" => {
                self.inventory.add_group(group, &here).is_defined = true;
                Section::Hosts(group.to_owned())
            }
            "children" => {
                self.inventory.add_group(group, &here).is_defined = true;
                Section::Children(group.to_owned())
            }
            "vars" => {
                self.pending_variables.push((group.to_owned(), here));
                Section::Variables(group.to_owned())
            }
            _ => {
                let kind_start = start + 1 + group.len() + 1;
                let place = self.at(kind_start..kind_start + kind.len());
                let error = error_at(
                    &place,
                    format!("section `[{inner}]` has the unknown type `{kind}`"),
                    "must be `children`, `vars` or nothing",
                );
                self.diagnostics
                    .push(match closest(kind, ["children", "vars", "hosts"]) {
                        Some(name) => error.hint(format!("did you mean `{name}`?")),
                        None => error,
                    });
                Section::Skipped
            }
        }
    }

    fn host_line(&mut self, group: &str, line: &str, start: usize) {
        let words = match words::split(line) {
            Ok(words) => words,
            Err(words::OpenQuote(offset)) => {
                let place = self.at(start + offset..start + line.len());
                self.diagnostics.push(
                    error_at(&place, "quote isn't closed", "opened here")
                        .hint("close it on the same line"),
                );
                return;
            }
        };
        if let Some(offset) = words.cut_at {
            let place = self.at(start + offset..start + line.len());
            self.diagnostics.push(
                Diagnostic::warning("`#` starts a comment in the middle of a word")
                    .at(place, "left out, as Ansible does")
                    .hint("if it belongs to the value, put the value in quotes"),
            );
        }
        let [name, assignments @ ..] = &words.words[..] else {
            return;
        };
        let here = self.at(start + name.span.start..start + name.span.end);
        let pattern = &name.text;
        let (names, port) = match host_pattern::expand(pattern) {
            Ok(found) => found,
            Err(reason) => {
                self.diagnostics.push(error_at(
                    &here,
                    format!("host range `{pattern}` is wrong: {reason}"),
                    "can't be expanded",
                ));
                return;
            }
        };
        let mut variables = Vec::new();
        if let Some(port) = port {
            variables.push(Entry {
                key: "ansible_port".to_owned(),
                key_location: here.clone(),
                value: literal::value(port, here.clone()),
            });
        }
        let mut stray = None;
        for word in assignments {
            let span = start + word.span.start..start + word.span.end;
            match self.assignment(&word.text, span.clone()) {
                Some(variable) => variables.push(variable),
                None => {
                    stray.get_or_insert(span);
                }
            }
        }
        let stray = stray.map(|span| self.at(span));
        self.stray_words.extend(stray);
        for name in &names {
            self.inventory.add_host(name, group, &here, &variables);
        }
    }

    /// Returns the variable that a word of a host line sets; `None` if it sets none.
    fn assignment(&self, text: &str, span: Range<usize>) -> Option<Entry> {
        let (key, value) = text.split_once('=')?;
        // Quotes rarely stand before the sign, and then the place is only a little too wide.
        let sign = span.start + self.file.text[span.clone()].find('=').unwrap_or(0);
        Some(Entry {
            key: key.to_owned(),
            key_location: self.at(span.start..sign),
            value: literal::value(value, self.at(sign + 1..span.end)),
        })
    }

    /// One message for all lines: a template that wasn't filled in has many of them.
    fn report_stray_words(&mut self) {
        let Some((first, others)) = self.stray_words.split_first() else {
            return;
        };
        // The word may be part of a password, so the message doesn't repeat it.
        let error = error_at(
            first,
            "a host line has a word that is no variable",
            "expected key=value",
        )
        .hint(
            "one host per line; no spaces around `=` on host lines; values with spaces in quotes",
        );
        let lines: Vec<String> = others.iter().map(|it| it.line().to_string()).collect();
        self.diagnostics.push(if lines.is_empty() {
            error
        } else {
            error.hint(format!("the same in the lines {}", lines.join(", ")))
        });
    }

    fn child_line(&mut self, group: &str, line: &str, start: usize) {
        let name = line.split('#').next().unwrap_or(line).trim_end();
        let here = self.at(start..start + name.len());
        if name.contains([' ', '\t', ':', ']', '=']) {
            self.diagnostics.push(
                error_at(
                    &here,
                    format!("`{name}` is no group name"),
                    "expected one group name",
                )
                .hint(format!(
                    "hosts belong into `[{group}]`, variables into `[{group}:vars]`"
                )),
            );
            return;
        }
        self.inventory.add_group(name, &here);
        self.inventory
            .add_group(group, &here)
            .add_child(name, here.clone());
    }

    fn variable_line(&mut self, group: &str, line: &str, start: usize) {
        let Some((key, value)) = line.split_once('=') else {
            let here = self.at(start..start + line.len());
            let message = format!("section `[{group}:vars]` has a line that is no variable");
            let error = error_at(&here, message, "expected key = value");
            self.diagnostics.push(match line.split_once(':') {
                Some((key, _)) => error.hint(format!("write `{} = …`", key.trim())),
                None => error,
            });
            return;
        };
        let value_start = start + line.len() - value.trim_start().len();
        let entry = Entry {
            key: key.trim().to_owned(),
            key_location: self.at(start..start + key.trim_end().len()),
            value: literal::value(value.trim(), self.at(value_start..start + line.len())),
        };
        let here = entry.key_location.clone();
        set_all(
            &mut self.inventory.add_group(group, &here).variables,
            [&entry],
        );
    }

    /// Ansible refuses variables of a group that no other section defines.
    fn check_variable_sections(&mut self) {
        for (group, here) in std::mem::take(&mut self.pending_variables) {
            let name = super::group::canonical(&group);
            let is_known = |name: &str| {
                matches!(name, "all" | "ungrouped")
                    || self
                        .inventory
                        .groups
                        .get(name)
                        .is_some_and(|group| group.is_defined)
            };
            if is_known(name) {
                continue;
            }
            let error = error_at(
                &here,
                format!("section `[{group}:vars]` sets variables of an unknown group"),
                "no such group",
            );
            let groups = self.inventory.groups.keys();
            let groups = groups.flat_map(|name| super::group::spellings(name));
            self.diagnostics.push(
                match closest(
                    &group,
                    groups.filter(|name| is_known(super::group::canonical(name))),
                ) {
                    Some(name) => error.hint(format!("did you mean `{name}`?")),
                    None => error.hint(format!("add a section `[{group}]`")),
                },
            );
        }
    }

    fn at(&self, span: Range<usize>) -> Location {
        location(&self.file, span)
    }
}

/// Tells `[a:c].lab ip=…` in a host section from a section header.
pub(super) fn is_host_range(line: &str) -> bool {
    line.split_once(']').is_some_and(|(_, rest)| {
        rest.starts_with(|next: char| !next.is_whitespace() && next != '#')
    })
}
