//! Edits INI inventories line by line.

use std::ops::Range;

use super::{NewHost, NotEditable, Splice, end_of_line};
use crate::inventory::group::canonical;
use crate::inventory::host_pattern;
use crate::inventory::ini::is_host_range;
use crate::inventory::ini::words::{self, Word};

/// A section with hosts; the first one has no header.
struct Section<'a> {
    group: &'a str,
    /// Where a host is added when there is none.
    header_end: usize,
    hosts: Vec<HostLine<'a>>,
}

struct HostLine<'a> {
    /// With the end of line.
    span: Range<usize>,
    /// White space before the name.
    indent: &'a str,
    /// Places are in the text.
    words: Vec<Word>,
}

impl HostLine<'_> {
    fn has_variables(&self) -> bool {
        self.words.len() > 1
    }
}

/// Adds a host: its variables where the others have theirs, its name to the groups.
pub(super) fn add(text: &str, host: &NewHost, groups: &[&str]) -> Vec<Splice> {
    let sections = sections(text);
    let described_in = sections.iter().find(|section| {
        let may_have_it = groups.contains(&section.group) || is_everybody(section.group);
        may_have_it && section.hosts.iter().any(HostLine::has_variables)
    });
    let all = || sections.iter().find(|section| section.group == "all");
    let mut line = whole_line(host);
    let mut splices = Vec::new();
    if let Some(section) = described_in.or_else(all)
        && is_everybody(section.group)
    {
        splices.push(appended(text, section, &line));
        line.clone_from(&host.name);
    }
    // Its variables go where other hosts of its groups have theirs, else to the first of the groups.
    let describing = described_in
        .map(|it| it.group)
        .filter(|it| !is_everybody(it));
    let describing = describing.or(groups.first().copied()).unwrap_or_default();
    for group in groups {
        let line = if *group == describing {
            &line
        } else {
            &host.name
        };
        let section = sections.iter().find(|it| it.group == *group);
        splices.push(match section {
            Some(section) => appended(text, section, line),
            None => new_section(text, group, line),
        });
    }
    splices
}

/// Puts a host into the place of another on every line.
pub(super) fn replace(text: &str, old: &str, new: &NewHost) -> Result<Vec<Splice>, NotEditable> {
    let sections = sections(text);
    let mut lines = Vec::new();
    for line in sections.iter().flat_map(|section| &section.hosts) {
        let Some(name) = line.words.first() else {
            continue;
        };
        let names = host_pattern::expand(&name.text).map_or_else(|_| Vec::new(), |it| it.0);
        if !names.iter().any(|it| it == old) {
            continue;
        }
        if name.text != old {
            return Err(NotEditable::InRange(old.to_owned()));
        }
        lines.push(line);
    }
    let describing = lines.iter().position(|line| line.has_variables());
    let describing = describing.unwrap_or_default();
    let mut splices = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        splices.push(Splice {
            at: line.words[0].span.clone(),
            text: new.name.clone(),
        });
        for (key, value) in &new.variables {
            let assigns = |word: &&Word| word.text.split_once('=').is_some_and(|it| it.0 == *key);
            let assigned = line.words[1..].iter().rfind(assigns);
            let is_elsewhere = lines
                .iter()
                .any(|line| line.words[1..].iter().any(|word| assigns(&word)));
            if let Some(word) = assigned {
                splices.push(Splice {
                    at: word.span.clone(),
                    text: assignment(key, value),
                });
            } else if index == describing && !is_elsewhere {
                let end = line.words.last().map_or(line.span.start, |it| it.span.end);
                splices.push(Splice::insert(end, format!(" {}", assignment(key, value))));
            }
        }
    }
    Ok(splices)
}

/// Takes the lines of hosts away.
pub(super) fn remove(text: &str, names: &[&str]) -> Result<Vec<Splice>, NotEditable> {
    let mut splices = Vec::new();
    for line in sections(text).iter().flat_map(|section| &section.hosts) {
        let Some(host) = line.words.first() else {
            continue;
        };
        let hosts = host_pattern::expand(&host.text).map_or_else(|_| Vec::new(), |it| it.0);
        let Some(name) = hosts.iter().find(|it| names.contains(&it.as_str())) else {
            continue;
        };
        if *name != host.text {
            return Err(NotEditable::InRange(name.clone()));
        }
        splices.push(Splice {
            at: line.span.clone(),
            text: String::new(),
        });
    }
    Ok(splices)
}

fn is_everybody(group: &str) -> bool {
    matches!(group, "all" | "ungrouped")
}

/// Returns the sections that name hosts.
fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections = vec![Section {
        group: "ungrouped",
        header_end: 0,
        hosts: Vec::new(),
    }];
    let mut is_hosts = true;
    let mut offset = 0;
    for whole in text.split_inclusive('\n') {
        let span = offset..offset + whole.len();
        offset = span.end;
        let line = whole.trim();
        let indent = &whole[..whole.len() - whole.trim_start().len()];
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with('[') && !is_host_range(line) {
            let name = line[1..].split(']').next().unwrap_or_default();
            let (group, kind) = name.split_once(':').unwrap_or((name, "hosts"));
            is_hosts = kind == "hosts";
            if is_hosts {
                sections.push(Section {
                    group: canonical(group),
                    header_end: span.end,
                    hosts: Vec::new(),
                });
            }
            continue;
        }
        let Ok(mut found) = words::split(line) else {
            continue;
        };
        for word in &mut found.words {
            word.span.start += span.start + indent.len();
            word.span.end += span.start + indent.len();
        }
        if let Some(section) = sections.last_mut().filter(|_| is_hosts) {
            section.hosts.push(HostLine {
                span,
                indent,
                words: found.words,
            });
        }
    }
    if sections[0].hosts.is_empty() {
        sections.remove(0);
    }
    sections
}

/// Adds a line behind the last host of a section.
fn appended(text: &str, section: &Section<'_>, line: &str) -> Splice {
    let (at, indent) = match section.hosts.last() {
        Some(last) => (last.span.end, last.indent),
        None => (section.header_end, ""),
    };
    Splice::insert(at, line_at(text, at, &format!("{indent}{line}")))
}

fn new_section(text: &str, group: &str, line: &str) -> Splice {
    let end = end_of_line(text);
    let at = text.len();
    let lines = format!("{end}[{group}]{end}{line}");
    Splice::insert(at, line_at(text, at, &lines))
}

/// Makes a line of its own of a text that is inserted where a line begins, or where the last one isn't ended.
fn line_at(text: &str, at: usize, line: &str) -> String {
    let end = end_of_line(text);
    if at > 0 && !text[..at].ends_with('\n') {
        format!("{end}{line}")
    } else {
        format!("{line}{end}")
    }
}

fn whole_line(host: &NewHost) -> String {
    let mut line = host.name.clone();
    for (key, value) in &host.variables {
        line.push(' ');
        line.push_str(&assignment(key, value));
    }
    line
}

/// Writes `key=value`, with quotes where the value needs them.
fn assignment(key: &str, value: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.:/@%+,=~{}[]".contains(letter);
    if value.chars().all(is_plain) {
        return format!("{key}={value}");
    }
    if !value.contains('\'') {
        return format!("{key}='{value}'");
    }
    let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
    format!("{key}=\"{escaped}\"")
}
