//! What an inventory says, without the places where it says it.

use std::collections::BTreeMap;

use super::NewHost;
use crate::diagnostic::Location;
use crate::inventory::{Inventory, Variables, literal};
use crate::yaml::{Node, Value};

/// Hosts, groups and their variables; two texts with equal meaning are the same inventory.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Meaning {
    hosts: BTreeMap<String, BTreeMap<String, Plain>>,
    /// Names of the hosts in their order, which decides who is the first control plane.
    groups: BTreeMap<String, GroupMeaning>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct GroupMeaning {
    hosts: Vec<String>,
    children: Vec<String>,
    variables: BTreeMap<String, Plain>,
}

/// A value without its place.
#[derive(Clone, Debug, PartialEq)]
enum Plain {
    Null,
    Bool(bool),
    Text(String),
    List(Vec<Plain>),
    Map(BTreeMap<String, Plain>),
}

impl Meaning {
    pub(super) fn of(inventory: &Inventory) -> Self {
        let hosts = inventory.hosts.iter();
        let groups = inventory.groups.iter().map(|(name, group)| {
            let meaning = GroupMeaning {
                hosts: group.hosts.iter().map(|it| it.name.clone()).collect(),
                children: group.children.iter().map(|it| it.name.clone()).collect(),
                variables: plain_all(&group.variables),
            };
            (name.clone(), meaning)
        });
        let mut meaning = Self {
            hosts: hosts
                .map(|(name, host)| (name.clone(), plain_all(&host.variables)))
                .collect(),
            groups: groups.collect(),
        };
        meaning.settle();
        meaning
    }

    /// Adds a host to the end of groups.
    pub(super) fn with_host(mut self, host: &NewHost, groups: &[&str]) -> Self {
        let variables = given(&host.variables);
        self.hosts.insert(host.name.clone(), variables);
        for group in groups {
            let group = self.groups.entry((*group).to_owned()).or_default();
            group.hosts.push(host.name.clone());
        }
        self.settle();
        self
    }

    /// Puts a host into the place of another.
    pub(super) fn with_replaced(mut self, old: &str, new: &NewHost) -> Self {
        let mut variables = self.hosts.remove(old).unwrap_or_default();
        variables.extend(given(&new.variables));
        self.hosts.insert(new.name.clone(), variables);
        for group in self.groups.values_mut() {
            for host in group.hosts.iter_mut().filter(|it| *it == old) {
                host.clone_from(&new.name);
            }
        }
        self.settle();
        self
    }

    /// Takes hosts out of all groups.
    pub(super) fn without_hosts(mut self, names: &[&str]) -> Self {
        self.hosts.retain(|name, _| !names.contains(&name.as_str()));
        for group in self.groups.values_mut() {
            group.hosts.retain(|name| !names.contains(&name.as_str()));
        }
        self.settle();
        self
    }

    /// Every host and group is in `all`, whether it is written there or not, and no host is in `ungrouped` that is
    /// elsewhere.
    fn settle(&mut self) {
        for name in ["all", "ungrouped"] {
            if let Some(group) = self.groups.get_mut(name) {
                group.hosts.clear();
                group.children.clear();
                if *group == GroupMeaning::default() {
                    self.groups.remove(name);
                }
            }
        }
    }
}

fn given(variables: &[(String, String)]) -> BTreeMap<String, Plain> {
    let variables = variables.iter();
    variables
        .map(|(key, text)| (key.clone(), plain(&value(text))))
        .collect()
}

/// Returns what a value means on a host line, and so wherever it is written.
pub(super) fn value(text: &str) -> Value {
    let nowhere = Location {
        file: std::sync::Arc::new(crate::diagnostic::SourceFile {
            path: std::path::PathBuf::new(),
            text: String::new(),
        }),
        span: 0..0,
    };
    literal::value(text, nowhere)
}

fn plain_all(variables: &Variables) -> BTreeMap<String, Plain> {
    let variables = variables.iter();
    variables
        .map(|(key, entry)| (key.clone(), plain(&entry.value)))
        .collect()
}

fn plain(value: &Value) -> Plain {
    match &value.node {
        Node::Null => Plain::Null,
        Node::Bool(flag) => Plain::Bool(*flag),
        Node::Number(text) | Node::Text(text) => Plain::Text(text.clone()),
        Node::List(items) => Plain::List(items.iter().map(plain).collect()),
        Node::Map(entries) => {
            let entries = entries.iter();
            Plain::Map(
                entries
                    .map(|entry| (entry.key.clone(), plain(&entry.value)))
                    .collect(),
            )
        }
    }
}
