//! Which values of an inventory must not be seen by others.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::{Inventory, Vault};
use crate::secret::Secret;
use crate::yaml::{Node, Value};

/// Parts of names of variables whose values are confidential.
const PARTS: [&str; 13] = [
    "pass",
    "secret",
    "token",
    "credential",
    "private_key",
    "encryption_key",
    "access_key",
    "api_key",
    "apikey",
    "auth_key",
    "auth_string",
    "htpasswd",
    "certificate_key",
];

/// Endings of names of variables that say where something is, or how long.
const HARMLESS: [&str; 6] = ["_file", "_path", "_dir", "_length", "_enabled", "_ttl"];

/// Tells by a variable's name whether its value is confidential.
pub fn is_confidential(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let is_harmless = HARMLESS.iter().any(|end| name.ends_with(end));
    let is_login = name == "auth" || name.ends_with("_auth");
    !is_harmless && (is_login || PARTS.iter().any(|part| name.contains(part)))
}

impl Inventory {
    /// Returns the texts that must not be seen: values of confidential names, and what is encrypted with
    /// ansible-vault, as far as there is a password.
    pub fn confidential_values(&self) -> Vec<Secret> {
        let mut found = Found {
            vault: &self.vault,
            values: Vec::new(),
        };
        let mut encrypted: HashMap<&Path, bool> = HashMap::new();
        let hosts = self.hosts.values().flat_map(|host| host.variables.values());
        let groups = self.groups.values();
        let groups = groups.flat_map(|group| group.variables.values());
        for entry in hosts.chain(groups) {
            let path = entry.key_location.path();
            let is_encrypted = *encrypted.entry(path).or_insert_with(|| {
                let text = fs::read_to_string(path).unwrap_or_default();
                Vault::is_encrypted(&text)
            });
            found.take(&entry.value, is_encrypted || is_confidential(&entry.key));
        }
        found.values
    }
}

struct Found<'a> {
    vault: &'a Vault,
    values: Vec<Secret>,
}

impl Found<'_> {
    fn take(&mut self, value: &Value, is_confidential: bool) {
        match &value.node {
            Node::Text(text) if Vault::is_encrypted(text) => {
                if let Ok(text) = self.vault.open(text) {
                    self.values.push(Secret::new(text.trim_end()));
                }
            }
            Node::Text(text) | Node::Number(text) if is_confidential => {
                self.values.push(Secret::new(text.as_str()));
            }
            Node::List(items) => {
                for item in items {
                    self.take(item, is_confidential);
                }
            }
            Node::Map(entries) => {
                for entry in entries {
                    let is_named_so = self::is_confidential(&entry.key);
                    self.take(&entry.value, is_confidential || is_named_so);
                }
            }
            _ => {}
        }
    }
}
