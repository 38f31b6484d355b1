//! Edits YAML inventories in block style; what stands in braces is left to the user.

use std::sync::Arc;

use super::{NewHost, NotEditable, Splice, end_of_line, meaning};
use crate::diagnostic::{Diagnostics, SourceFile};
use crate::inventory::group::canonical;
use crate::yaml::{self, Entry, Node, Value};

/// Spaces of a level where nothing says how many.
const STEP: usize = 2;

/// Adds a host: its variables where the others have theirs, its name to the groups.
pub(super) fn add(
    file: &Arc<SourceFile>,
    host: &NewHost,
    groups: &[&str],
) -> Result<Vec<Splice>, NotEditable> {
    let text = Text(&file.text);
    let root = read(file)?;
    let groups_there = groups_of(&root);
    let find = |name: &str| groups_there.iter().find(|it| canonical(&it.key) == name);
    let describes = |group: &Entry| {
        let hosts = group.value.get("hosts").and_then(Value::entries);
        hosts.is_some_and(|hosts| hosts.iter().any(|host| has_entries(&host.value)))
    };
    let all_describes = find("all").is_some_and(|all| describes(all));
    let describing = groups
        .iter()
        .find(|name| find(name).is_some_and(|it| describes(it)))
        .or(groups.first())
        .filter(|_| !all_describes);
    let mut splices = Vec::new();
    if all_describes && let Some(all) = find("all") {
        splices.push(text.host_added(all, host)?);
    }
    let name_only = NewHost {
        name: host.name.clone(),
        variables: Vec::new(),
    };
    for name in groups {
        let host = if describing == Some(name) {
            host
        } else {
            &name_only
        };
        splices.push(if let Some(group) = find(name) {
            text.host_added(group, host)?
        } else {
            let all = find("all").ok_or_else(|| NotEditable::NoPlace((*name).to_owned()))?;
            text.group_added(all, name, host)?
        });
    }
    Ok(splices)
}

/// Puts a host into the place of another wherever it is named.
pub(super) fn replace(
    file: &Arc<SourceFile>,
    old: &str,
    new: &NewHost,
) -> Result<Vec<Splice>, NotEditable> {
    let text = Text(&file.text);
    let root = read(file)?;
    let entries: Vec<&Entry> = mentions(&root, &[old]);
    if entries.is_empty() {
        return Err(NotEditable::InRange(old.to_owned()));
    }
    let mut splices = Vec::new();
    for entry in &entries {
        splices.push(Splice {
            at: entry.key_location.span.clone(),
            text: scalar(&new.name)?,
        });
    }
    let describing = entries.iter().find(|entry| has_entries(&entry.value));
    let describing = describing.unwrap_or(&entries[0]);
    let mut missing = Vec::new();
    for (key, value) in &new.variables {
        let assigned: Vec<&Value> = entries
            .iter()
            .filter_map(|entry| entry.value.get(key))
            .collect();
        if assigned.is_empty() {
            missing.push((key.clone(), value.clone()));
        }
        for place in assigned {
            let span = place.location.span.clone();
            let is_one_line = !file.text[span.clone()].contains('\n') && !span.is_empty();
            if !is_one_line {
                return Err(NotEditable::Value(key.clone()));
            }
            splices.push(Splice {
                at: span,
                text: scalar(value)?,
            });
        }
    }
    if !missing.is_empty() {
        splices.push(text.entries_added(describing, &|indent| lines(&missing, indent))?);
    }
    Ok(splices)
}

/// Takes hosts away wherever they are named.
pub(super) fn remove(file: &Arc<SourceFile>, names: &[&str]) -> Result<Vec<Splice>, NotEditable> {
    let text = Text(&file.text);
    let root = read(file)?;
    mentions(&root, names)
        .into_iter()
        .map(|host| {
            let key = host.key_location.span.start;
            let not_alone = || NotEditable::NotAlone(host.key.clone());
            let indent = text.indent(key).ok_or_else(not_alone)?;
            Ok(Splice {
                at: key - indent..text.end_of_block(key, indent),
                text: String::new(),
            })
        })
        .collect()
}

fn read(file: &Arc<SourceFile>) -> Result<Value, NotEditable> {
    yaml::parse_as_ansible(file, &mut Diagnostics::new()).map_err(|_| NotEditable::OtherMeaning)
}

/// Returns where hosts are named in groups.
fn mentions<'a>(root: &'a Value, names: &[&str]) -> Vec<&'a Entry> {
    let groups = groups_of(root).into_iter();
    let hosts = groups.filter_map(|group| group.value.get("hosts")?.entries());
    hosts
        .flatten()
        .filter(|host| names.contains(&host.key.as_str()))
        .collect()
}

/// Returns all groups, each before its children.
fn groups_of(root: &Value) -> Vec<&Entry> {
    let mut groups = Vec::new();
    for group in root.entries().unwrap_or_default() {
        groups.push(group);
        if let Some(children) = group.value.get("children") {
            groups.extend(groups_of(children));
        }
    }
    groups
}

fn has_entries(value: &Value) -> bool {
    value.entries().is_some_and(|entries| !entries.is_empty())
}

/// The lines that are edited.
struct Text<'a>(&'a str);

impl Text<'_> {
    /// Adds a host to the `hosts` of a group, which may not have any yet.
    fn host_added(&self, group: &Entry, host: &NewHost) -> Result<Splice, NotEditable> {
        let hosts = group.value.entries().unwrap_or_default();
        match hosts.iter().find(|it| it.key == "hosts") {
            Some(hosts) => self.entries_added(hosts, &|indent| host_lines(host, indent)),
            None => self.entries_added(group, &|indent| hosts_lines(host, indent)),
        }
    }

    /// Adds a group with one host to the children of another.
    fn group_added(&self, all: &Entry, name: &str, host: &NewHost) -> Result<Splice, NotEditable> {
        let group = |indent: usize| {
            let mut group = vec![format!("{}{name}:", spaces(indent))];
            group.extend(hosts_lines(host, indent + STEP)?);
            Ok(group)
        };
        let parts = all.value.entries().unwrap_or_default();
        match parts.iter().find(|it| it.key == "children") {
            Some(children) => self.entries_added(children, &group),
            None => self.entries_added(all, &|indent| {
                let mut lines = vec![format!("{}children:", spaces(indent))];
                lines.extend(group(indent + STEP)?);
                Ok(lines)
            }),
        }
    }

    /// Adds lines behind the last entry of a mapping, or as its first ones; they are made for its indentation.
    fn entries_added(
        &self,
        parent: &Entry,
        make: &dyn Fn(usize) -> Result<Vec<String>, NotEditable>,
    ) -> Result<Splice, NotEditable> {
        let no_place = || NotEditable::NoPlace(parent.key.clone());
        let parent_indent = self
            .indent(parent.key_location.span.start)
            .ok_or_else(no_place)?;
        let last = match &parent.value.node {
            Node::Null => None,
            Node::Map(entries) => Some(entries.last().ok_or_else(no_place)?),
            _ => return Err(no_place()),
        };
        let (indent, at) = if let Some(last) = last {
            let start = last.key_location.span.start;
            let indent = self.indent(start).ok_or_else(no_place)?;
            (indent, self.end_of_block(start, indent))
        } else {
            let end = self.end_of(parent.key_location.span.end);
            (parent_indent + STEP, end)
        };
        let end = end_of_line(self.0);
        let lines = make(indent)?.join(end);
        let is_new_line = at == 0 || self.0[..at].ends_with('\n');
        Ok(Splice::insert(
            at,
            if is_new_line {
                format!("{lines}{end}")
            } else {
                format!("{end}{lines}")
            },
        ))
    }

    /// Returns how many spaces stand before a key; nothing else may.
    fn indent(&self, key: usize) -> Option<usize> {
        let start = self.0[..key].rfind('\n').map_or(0, |it| it + 1);
        let before = &self.0[start..key];
        before.chars().all(|it| it == ' ').then_some(before.len())
    }

    /// Returns where the line ends, behind its end of line.
    fn end_of(&self, place: usize) -> usize {
        let rest = &self.0[place..];
        rest.find('\n').map_or(self.0.len(), |it| place + it + 1)
    }

    /// Returns where the lines end that belong to a key: those that are set in deeper.
    fn end_of_block(&self, key: usize, indent: usize) -> usize {
        let mut end = self.end_of(key);
        let mut next = end;
        while next < self.0.len() {
            let line_end = self.end_of(next);
            let line = &self.0[next..line_end];
            let content = line.trim_start_matches(' ');
            let is_deeper = line.len() - content.len() > indent;
            let is_empty = content.trim().is_empty();
            if !is_empty && !is_deeper {
                break;
            }
            // Comments and empty lines behind the block stay behind what is added.
            if !is_empty && !content.starts_with('#') {
                end = line_end;
            }
            next = line_end;
        }
        end
    }
}

fn hosts_lines(host: &NewHost, indent: usize) -> Result<Vec<String>, NotEditable> {
    let mut result = vec![format!("{}hosts:", spaces(indent))];
    result.extend(host_lines(host, indent + STEP)?);
    Ok(result)
}

fn host_lines(host: &NewHost, indent: usize) -> Result<Vec<String>, NotEditable> {
    let mut result = vec![format!("{}{}:", spaces(indent), scalar(&host.name)?)];
    result.extend(lines(&host.variables, indent + STEP)?);
    Ok(result)
}

fn lines(variables: &[(String, String)], indent: usize) -> Result<Vec<String>, NotEditable> {
    let indent = spaces(indent);
    let line = |(key, value): &(String, String)| Ok(format!("{indent}{key}: {}", scalar(value)?));
    variables.iter().map(line).collect()
}

fn spaces(count: usize) -> String {
    " ".repeat(count)
}

/// Writes a value so that it means what it would mean on a host line.
fn scalar(text: &str) -> Result<String, NotEditable> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
    let value = meaning::value(text);
    Ok(match &value.node {
        Node::Bool(flag) => flag.to_string(),
        Node::Number(number) if number.chars().all(is_plain) => number.clone(),
        Node::Text(text)
            if text.starts_with(|it: char| it.is_ascii_alphanumeric())
                && text.chars().all(is_plain)
                && !is_a_word_of_yaml(text) =>
        {
            text.clone()
        }
        Node::Text(text) => quoted(text),
        _ => return Err(NotEditable::Value(text.to_owned())),
    })
}

/// JSON's strings are YAML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Tells text that YAML would read as something else.
fn is_a_word_of_yaml(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    words.contains(&lower.as_str()) || text.parse::<f64>().is_ok() || text.starts_with("0x")
}
