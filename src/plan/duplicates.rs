//! Two steps of one host must not contradict each other.

use std::collections::BTreeMap;

use super::stages::Placed;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, Location};
use crate::playbook::ExpandedStep;
use crate::resource::Resource;

/// Reports steps of a host that share an id or own the same thing.
pub(super) fn find_duplicates<'a>(
    placed: impl Iterator<Item = &'a Placed<'a>>,
    errors: &mut Diagnostics,
) {
    let mut by_host: BTreeMap<&str, Vec<&ExpandedStep>> = BTreeMap::new();
    for it in placed {
        by_host
            .entry(&it.place.on.name)
            .or_default()
            .extend(&it.steps);
    }
    for steps in by_host.values() {
        of_host(steps, errors);
    }
}

fn of_host(steps: &[&ExpandedStep], errors: &mut Diagnostics) {
    let mut ids: BTreeMap<&str, &Location> = BTreeMap::new();
    let mut keys: BTreeMap<String, &ExpandedStep> = BTreeMap::new();
    for expanded in steps.iter().copied() {
        let id = expanded.step.id.as_str();
        if let Some(first) = ids.insert(id, &expanded.origin) {
            let message = format!("two steps of one host are called `{id}`");
            errors.push(second_of(message, expanded, first));
            continue;
        }
        // Waiting twice for the same thing is no contradiction.
        if matches!(expanded.step.resource, Resource::Wait(_)) {
            continue;
        }
        let key = expanded.step.resource.key();
        if let Some(first) = keys.get(&key) {
            let message = format!("steps `{}` and `{id}` both own {key}", first.step.id);
            errors.push(second_of(message, expanded, &first.origin));
        } else {
            keys.insert(key, expanded);
        }
    }
}

fn second_of(message: String, second: &ExpandedStep, first: &Location) -> Diagnostic {
    let first = format!("the first one: {}:{}", first.path().display(), first.line());
    Diagnostic::error(Kind::Inventory, message)
        .at(second.origin.clone(), "second one")
        .hint(first)
}
