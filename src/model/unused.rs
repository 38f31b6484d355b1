//! Reports variables that have no effect, and those that kinstall doesn't know.
//!
//! An unknown variable is a warning even where a known name is very near: Ansible lets inventories hold
//! variables of the user's own, for other playbooks or for use in templates, and real ones do (2 of 84
//! that were looked at have a typing error that does no harm). The suggestion stands in the message.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::kubespray;
use super::without_effect::{self, Topic, Verdict};
use crate::diagnostic::{Concern, Diagnostic, Diagnostics};
use crate::did_you_mean::closest;
use crate::inventory::{Host, Inventory, Variables, template};
use crate::yaml::{Entry, Node, Value};

/// Reports every variable of the cluster's hosts once, with all places that set it.
pub(super) fn report(inventory: &Inventory, diagnostics: &mut Diagnostics) {
    let entries = entries(inventory);
    let first_of_each: Variables = entries
        .iter()
        .rev()
        .map(|(_, entry)| (entry.key.clone(), (*entry).clone()))
        .collect();
    let referenced = references(&entries);
    let mut by_topic: IndexMap<&str, (&Topic, Vec<&Entry>)> = IndexMap::new();
    let mut unknown: Vec<&Entry> = Vec::new();
    for (host, entry) in entries {
        let name = entry.key.as_str();
        if kubespray::is_known(name) {
            continue;
        }
        let judge = |value: &Value| without_effect::judge(name, value, &first_of_each);
        let mut verdict = judge(&entry.value);
        if matches!(verdict, Verdict::Report(_))
            && let Ok(value) = template::resolve(&entry.value, host, inventory)
        {
            verdict = judge(&value);
        }
        match verdict {
            Verdict::Silent => {}
            Verdict::Unknown if referenced.contains(name) => {}
            Verdict::Report(topic) => {
                let (_, found) = by_topic.entry(topic.reason).or_insert((topic, Vec::new()));
                found.push(entry);
            }
            Verdict::Unknown => match closest(name, kubespray::known()) {
                Some(known) => diagnostics.push(misspelt(entry, known)),
                None => unknown.push(entry),
            },
        }
    }
    for (topic, entries) in by_topic.values() {
        let message = |names: &str, verb| format!("{names} {verb} no effect: {}", topic.reason);
        diagnostics.extend(about_all(entries, message).map(|it| it.about(topic.concern)));
    }
    let message = |names: &str, verb| match verb {
        "has" => format!("kinstall doesn't know the variable {names}; it has no effect"),
        _ => format!("kinstall doesn't know the variables {names}; they have no effect"),
    };
    diagnostics.extend(about_all(&unknown, message).map(|it| it.about(Concern::Unknown)));
}

/// Returns every place of a variable of the cluster's hosts, in inventory order, with the first of its hosts.
fn entries(inventory: &Inventory) -> Vec<(&Host, &Entry)> {
    let groups = ["kube_control_plane", "kube_node", "etcd", "bastion"];
    let mut entries: Vec<(&Host, &Entry)> = Vec::new();
    let mut seen = HashSet::new();
    for host in groups.iter().flat_map(|group| inventory.hosts_in(group)) {
        for entry in host.variables.values() {
            let place = &entry.key_location;
            if seen.insert((place.path(), place.span.start, &entry.key)) {
                entries.push((host, entry));
            }
        }
    }
    entries
}

/// Makes one message about all these variables, with the place of each; `message` gets the names and `has`
/// or `have`.
fn about_all(
    entries: &[&Entry],
    message: impl Fn(&str, &'static str) -> String,
) -> Option<Diagnostic> {
    let (first, rest) = entries.split_first()?;
    let mut others: Vec<&str> = rest.iter().map(|entry| entry.key.as_str()).collect();
    others.retain(|name| *name != first.key);
    others.sort_unstable();
    others.dedup();
    let text = match others.len() {
        0 => message(&format!("`{}`", first.key), "has"),
        1 => message(&format!("`{}` and `{}`", first.key, others[0]), "have"),
        count => message(&format!("`{}` and {count} more", first.key), "have"),
    };
    let warning = Diagnostic::warning(text).at(first.key_location.clone(), "no effect");
    let others = rest
        .iter()
        .map(|entry| (entry.key_location.clone(), format!("`{}`", entry.key)));
    Some(warning.also_at(others))
}

fn misspelt(entry: &Entry, known: &str) -> Diagnostic {
    Diagnostic::warning(format!("unknown variable `{}`", entry.key))
        .at(entry.key_location.clone(), "has no effect")
        .hint(format!("did you mean `{known}`?"))
}

/// Returns the words inside `{{ … }}` of all variables: helpers, whose effect is that of the others.
fn references<'a>(entries: &[(&Host, &'a Entry)]) -> HashSet<&'a str> {
    let mut words = HashSet::new();
    for (_, entry) in entries {
        collect_words(&entry.value, &mut words);
    }
    words
}

fn collect_words<'a>(value: &'a Value, words: &mut HashSet<&'a str>) {
    match &value.node {
        Node::Text(text) => {
            for part in text.split("{{").skip(1) {
                let expression = part.split("}}").next().unwrap_or_default();
                words.extend(
                    expression
                        .split(|character: char| !character.is_alphanumeric() && character != '_'),
                );
            }
        }
        Node::List(items) => items.iter().for_each(|item| collect_words(item, words)),
        Node::Map(entries) => entries
            .iter()
            .for_each(|entry| collect_words(&entry.value, words)),
        _ => {}
    }
}
