//! Reports variables that have no effect, and those that nobody knows.
//!
//! An unknown variable is a warning even where a known name is very near: Ansible lets inventories hold
//! variables of the user's own, for other playbooks or for use in templates, and real ones do (2 of 84
//! that were looked at have a typing error that does no harm). The suggestion stands in the message.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::kubespray;
use super::without_effect::{self, Verdict};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::did_you_mean::closest;
use crate::inventory::{Inventory, Variables};
use crate::yaml::{Entry, Node, Value};

/// Reports every variable of the cluster's hosts once.
pub(super) fn report(inventory: &Inventory, diagnostics: &mut Diagnostics) {
    let mut all = Variables::new();
    let groups = ["kube_control_plane", "kube_node", "etcd", "bastion"];
    for host in groups.iter().flat_map(|group| inventory.hosts_in(group)) {
        for (name, entry) in &host.variables {
            all.entry(name.clone()).or_insert_with(|| entry.clone());
        }
    }
    let referenced = references_of_known(&all);
    let mut by_topic: IndexMap<&str, Vec<&Entry>> = IndexMap::new();
    let mut unknown = Diagnostics::new();
    for (name, entry) in &all {
        if kubespray::is_known(name) || referenced.contains(name.as_str()) {
            continue;
        }
        match without_effect::judge(name, &entry.value, &all) {
            Verdict::Silent => {}
            Verdict::Report(topic) => by_topic.entry(topic.reason).or_default().push(entry),
            Verdict::Unknown => unknown.push(unknown_variable(entry)),
        }
    }
    diagnostics.extend(
        by_topic
            .into_iter()
            .map(|(reason, entries)| topic_warning(reason, &entries)),
    );
    diagnostics.extend(unknown);
}

fn topic_warning(reason: &str, entries: &[&Entry]) -> Diagnostic {
    let names: Vec<String> = entries
        .iter()
        .map(|entry| format!("`{}`", entry.key))
        .collect();
    let message = match &names[..] {
        [name] => format!("{name} has no effect: {reason}"),
        [name, rest @ ..] => format!("{name} and {} more have no effect: {reason}", rest.len()),
        [] => reason.to_owned(),
    };
    let mut warning = Diagnostic::warning(message);
    if let Some(first) = entries.first() {
        warning = warning.at(first.key_location.clone(), "no effect");
    }
    match &names[..] {
        [_, rest @ ..] if !rest.is_empty() => {
            warning.hint(format!("the others: {}", rest.join(", ")))
        }
        _ => warning,
    }
}

fn unknown_variable(entry: &Entry) -> Diagnostic {
    let known = kubespray::KNOWN.iter().map(|(name, ..)| *name);
    let warning = Diagnostic::warning(format!("unknown variable `{}`", entry.key))
        .at(entry.key_location.clone(), "has no effect");
    match closest(&entry.key, known.chain(without_effect::names())) {
        Some(name) => warning.hint(format!("did you mean `{name}`?")),
        None => warning.hint("neither kinstall nor kubespray uses it"),
    }
}

/// Returns the words inside `{{ … }}` of variables that kinstall uses: the user's own helpers.
fn references_of_known(all: &Variables) -> HashSet<&str> {
    let mut words = HashSet::new();
    for (name, entry) in all {
        if kubespray::is_known(name) {
            collect_words(&entry.value, &mut words);
        }
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
