//! YAML inventories: groups with `hosts`, `children` and `vars`.

use std::sync::Arc;

use super::{Inventory, describe, error_at, host_pattern, set_all};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceFile};
use crate::did_you_mean::closest;
use crate::yaml::{self, Entry, Node, Value};

const GROUP_KEYS: [&str; 3] = ["hosts", "children", "vars"];

/// Reads the file of an inventory into it; goes on after errors.
pub(super) fn parse(
    inventory: &mut Inventory,
    file: &Arc<SourceFile>,
    diagnostics: &mut Diagnostics,
) {
    let root = match yaml::parse_as_ansible(file, diagnostics) {
        Ok(root) => root,
        Err(error) => return diagnostics.push(error),
    };
    for entry in entries(&root, "groups at the top", diagnostics) {
        group(inventory, &entry.key, entry, diagnostics);
    }
}

fn group(inventory: &mut Inventory, name: &str, entry: &Entry, diagnostics: &mut Diagnostics) {
    inventory.add_group(name, &entry.key_location).is_defined = true;
    for part in entries(&entry.value, "`hosts`, `children` or `vars`", diagnostics) {
        match part.key.as_str() {
            "hosts" => hosts(inventory, name, &part.value, diagnostics),
            "children" => {
                for child in entries(
                    &part.value,
                    "group names with a colon behind them",
                    diagnostics,
                ) {
                    group(inventory, &child.key, child, diagnostics);
                    inventory
                        .add_group(name, &entry.key_location)
                        .add_child(&child.key, child.key_location.clone());
                }
            }
            "vars" => {
                let variables = entries(&part.value, "variables", diagnostics);
                let group = inventory.add_group(name, &entry.key_location);
                set_all(&mut group.variables, variables);
            }
            key => diagnostics.push(unknown_key(name, key, part)),
        }
    }
}

fn hosts(inventory: &mut Inventory, group: &str, value: &Value, diagnostics: &mut Diagnostics) {
    if let Some(name) = value.text() {
        inventory.add_host(name, group, &value.location, &[]);
        return;
    }
    for entry in entries(value, "host names with a colon behind them", diagnostics) {
        let variables = entries(&entry.value, "variables", diagnostics);
        match host_pattern::expand(&entry.key) {
            Ok((names, port)) => {
                let port = port.map(|port| Entry {
                    key: "ansible_port".to_owned(),
                    key_location: entry.key_location.clone(),
                    value: Value {
                        node: Node::Number(port.to_owned()),
                        location: entry.key_location.clone(),
                    },
                });
                let variables: Vec<Entry> = port.into_iter().chain(variables.to_vec()).collect();
                for name in names {
                    inventory.add_host(&name, group, &entry.key_location, &variables);
                }
            }
            Err(reason) => diagnostics.push(error_at(
                &entry.key_location,
                format!("host range `{}` is wrong: {reason}", entry.key),
                "can't be expanded",
            )),
        }
    }
}

/// Ansible skips such keys with a warning; a near miss would lose hosts, so it is an error here.
fn unknown_key(group: &str, key: &str, entry: &Entry) -> Diagnostic {
    let message = format!("group `{group}` has the unknown key `{key}`");
    match closest(key, GROUP_KEYS) {
        Some(name) => error_at(&entry.key_location, message, "not known here")
            .hint(format!("did you mean `{name}`?")),
        None => Diagnostic::warning(message)
            .at(entry.key_location.clone(), "left out, as Ansible does")
            .hint("a group holds `hosts`, `children` and `vars`"),
    }
}

/// Returns the entries of a mapping; nothing at all is an empty mapping.
fn entries<'a>(value: &'a Value, expected: &str, diagnostics: &mut Diagnostics) -> &'a [Entry] {
    match &value.node {
        Node::Map(entries) => entries,
        Node::Null => &[],
        _ => {
            diagnostics.push(error_at(
                &value.location,
                format!("{} stands where a mapping should be", describe(value)),
                format!("expected {expected}"),
            ));
            &[]
        }
    }
}
