//! Reads variables as the types that the model needs, and collects what is wrong with them.

mod addons;
mod cluster;
mod connection;
mod defined;
mod endpoint;
mod home;
mod host;
mod machine;
mod machines;
mod network;
mod proxy;
mod registries;
mod shared_folder;
mod ssh_arguments;

pub(super) use cluster::cluster;
pub use home::expand_home;
pub(super) use network::{PlacedNetwork, common_network};
pub use ssh_arguments::jump_hosts;

use std::str::FromStr;

use super::kubespray::is_known;
use crate::diagnostic::{Diagnostic, Diagnostics, Kind, Location, Severity};
use crate::inventory::{Host, Inventory, template};
use crate::secret::Secret;
use crate::yaml::{Node, Value};

/// A value and the place that set it; no place for defaults.
#[derive(Clone, Debug, Default)]
pub(super) struct Placed<T> {
    pub value: T,
    pub location: Option<Location>,
}

/// Looks variables up on the hosts that they may be set for.
pub(super) struct Reader<'a> {
    inventory: &'a Inventory,
    hosts: Vec<&'a Host>,
    pub diagnostics: &'a mut Diagnostics,
}

impl<'a> Reader<'a> {
    /// Reads variables of one host.
    pub(super) fn of_host(
        inventory: &'a Inventory,
        host: &'a Host,
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        Self {
            inventory,
            hosts: vec![host],
            diagnostics,
        }
    }

    /// Reads variables of the cluster: the first host that has one decides, the others must agree.
    pub(super) fn of_cluster(
        inventory: &'a Inventory,
        hosts: Vec<&'a Host>,
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        Self {
            inventory,
            hosts,
            diagnostics,
        }
    }

    /// Returns a variable with its references resolved; a variable without a value is not set.
    pub(super) fn value(&mut self, name: &str) -> Option<Value> {
        debug_assert!(is_known(name), "`{name}` is missing in KNOWN");
        let set = self.hosts.iter().filter_map(|host| {
            let value = &host.variables.get(name)?.value;
            (value.node != Node::Null).then_some((*host, value))
        });
        let mut values: Vec<(&Host, Value)> = Vec::new();
        for (host, value) in set {
            match template::resolve(value, host, self.inventory) {
                Ok(value) => values.push((host, value)),
                Err(error) => {
                    self.diagnostics
                        .push(error.hint(format!("kinstall needs `{name}`")));
                    return None;
                }
            }
        }
        let mut values = values.into_iter();
        let (first_host, first) = values.next()?;
        if let Some((other_host, other)) = values.find(|(_, other)| !is_same(&first, other)) {
            self.error(
                &other.location,
                format!(
                    "`{name}` differs between `{}` and `{}`",
                    other_host.name, first_host.name
                ),
                "the other value",
                "one cluster has one value: set it once, for the group `all`",
            );
        }
        let is_empty = matches!(&first.node, Node::Text(text) if text.is_empty());
        (!is_empty).then_some(first)
    }

    /// Returns the first of several names that is set.
    pub(super) fn first(&mut self, names: &[&str]) -> Option<Value> {
        names.iter().find_map(|name| self.value(name))
    }

    pub(super) fn text(&mut self, names: &[&str]) -> Option<Placed<String>> {
        let value = self.first(names)?;
        let Some(text) = value.text() else {
            self.wrong_kind(names[0], &value, "text");
            return None;
        };
        Some(Placed {
            value: text.to_owned(),
            location: Some(value.location.clone()),
        })
    }

    /// Reads a variable of another tool that means the same as kinstall's `own`. What is wrong with it here
    /// may be right for the other tool, so it is no error.
    pub(super) fn foreign<T>(
        &mut self,
        own: &str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let before = self.diagnostics.len();
        let value = read(self);
        let effect = match value {
            Some(_) => "all machines get the first value",
            None => "it has no effect in this form",
        };
        for problem in &mut self.diagnostics[before..] {
            problem.severity = Severity::Warning;
            problem.hints = vec![format!("kinstall reads it as `{own}`; {effect}")];
        }
        value
    }

    /// Returns a password; whatever is wrong with it, its text is in no message.
    pub(super) fn secret(&mut self, names: &[&str]) -> Option<Secret> {
        let text = self.text(names)?;
        Some(Secret::new(text.value))
    }

    pub(super) fn boolean(&mut self, name: &str) -> Option<bool> {
        let value = self.value(name)?;
        let found = boolean(&value);
        if found.is_none() {
            self.wrong_kind(name, &value, "true or false");
        }
        found
    }

    /// Reads a value with its type's own parser; `expected` says in words what it should be.
    pub(super) fn parsed<T: FromStr>(
        &mut self,
        names: &[&str],
        expected: &str,
    ) -> Option<Placed<T>> {
        let value = self.first(names)?;
        let parsed = self.parse_value(names[0], &value, expected)?;
        Some(Placed {
            value: parsed,
            location: Some(value.location),
        })
    }

    pub(super) fn parse_value<T: FromStr>(
        &mut self,
        name: &str,
        value: &Value,
        expected: &str,
    ) -> Option<T> {
        let parsed = value.text().and_then(|text| text.trim().parse().ok());
        if parsed.is_none() {
            self.wrong_kind(name, value, expected);
        }
        parsed
    }

    /// Returns the elements of a list; a single text is a list of one.
    pub(super) fn list(&mut self, name: &str) -> Vec<Value> {
        match self.value(name) {
            None => Vec::new(),
            Some(Value {
                node: Node::List(items),
                ..
            }) => items,
            Some(value) if value.text().is_some() => vec![value],
            Some(value) => {
                self.wrong_kind(name, &value, "a list");
                Vec::new()
            }
        }
    }

    pub(super) fn wrong_kind(&mut self, name: &str, value: &Value, expected: &str) {
        let found = match value.text() {
            Some(text) => format!("`{text}`"),
            None => value.kind().to_owned(),
        };
        self.diagnostics.push(
            Diagnostic::error(
                Kind::Inventory,
                format!("`{name}` must be {expected}, not {found}"),
            )
            .at(value.location.clone(), format!("expected {expected}")),
        );
    }

    pub(super) fn error(
        &mut self,
        at: &Location,
        message: impl Into<String>,
        label: &str,
        hint: impl Into<String>,
    ) {
        self.diagnostics.push(
            Diagnostic::error(Kind::Inventory, message)
                .at(at.clone(), label)
                .hint(hint),
        );
    }

    pub(super) fn warning(
        &mut self,
        at: &Location,
        message: impl Into<String>,
        label: &str,
        hint: impl Into<String>,
    ) {
        self.diagnostics.push(
            Diagnostic::warning(message)
                .at(at.clone(), label)
                .hint(hint),
        );
    }
}

/// Reads what Ansible takes as a truth value.
pub(super) fn boolean(value: &Value) -> Option<bool> {
    match &value.node {
        Node::Bool(value) => Some(*value),
        Node::Text(text) | Node::Number(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" | "t" | "1" => Some(true),
            "false" | "no" | "off" | "n" | "f" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Compares values without their places.
fn is_same(left: &Value, right: &Value) -> bool {
    match (&left.node, &right.node) {
        (Node::List(left), Node::List(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| is_same(left, right))
        }
        (Node::Map(left), Node::Map(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| {
                    left.key == right.key && is_same(&left.value, &right.value)
                })
        }
        (left, right) => left == right,
    }
}
