//! References to other variables: `{{ ansible_host }}`, `{{ name | default('x') }}`.
//!
//! Real inventories hold much more Jinja than this, nearly all of it in variables that kinstall doesn't
//! use. So templates are resolved only when a variable is asked for, and only references; the rest is
//! an error that names the expression. What is encrypted is opened here, for the same reason.

use super::expression::{self, Expression};
use super::variables::NAME_PASSWORD_FILE;
use super::{Host, Inventory, Vault, error_at};
use crate::diagnostic::Diagnostic;
use crate::yaml::{Node, Value};

/// How many references may follow each other before it must be a circle.
const MAXIMUM_DEPTH: usize = 20;

/// Returns the value with all references replaced by what they stand for on this host.
pub fn resolve(value: &Value, host: &Host, inventory: &Inventory) -> Result<Value, Diagnostic> {
    Resolver {
        inventory,
        host,
        value,
        depth: 0,
    }
    .resolve()
}

/// Resolves one value on one host.
struct Resolver<'a> {
    inventory: &'a Inventory,
    host: &'a Host,
    value: &'a Value,
    depth: usize,
}

impl Resolver<'_> {
    fn resolve(&self) -> Result<Value, Diagnostic> {
        if self.depth > MAXIMUM_DEPTH {
            return Err(error_at(
                &self.value.location,
                "variables refer to each other in a circle",
                "part of the circle",
            ));
        }
        let node = match &self.value.node {
            Node::Text(text) if Vault::is_encrypted(text) => {
                let decrypted = self.decrypted(text)?;
                self.with(&decrypted).resolve()?.node
            }
            Node::Text(text) if text.contains("{{") || text.contains("{%") => self.text(text)?,
            Node::List(items) => Node::List(
                items
                    .iter()
                    .map(|item| self.with(item).resolve())
                    .collect::<Result<_, _>>()?,
            ),
            Node::Map(entries) => {
                let mut entries = entries.clone();
                for entry in &mut entries {
                    entry.value = self.with(&entry.value).resolve()?;
                }
                Node::Map(entries)
            }
            other => other.clone(),
        };
        Ok(Value {
            node,
            location: self.value.location.clone(),
        })
    }

    fn with<'a>(&'a self, value: &'a Value) -> Resolver<'a> {
        Resolver { value, ..*self }
    }

    fn decrypted(&self, text: &str) -> Result<Value, Diagnostic> {
        let opened = self.inventory.vault.open(text).map_err(|error| {
            error_at(
                &self.value.location,
                format!("a value is encrypted with ansible-vault: {error}"),
                "encrypted",
            )
            .hint(NAME_PASSWORD_FILE)
        })?;
        Ok(Value {
            node: Node::Text(opened),
            location: self.value.location.clone(),
        })
    }

    /// A text that is one expression keeps the type of what it refers to.
    fn text(&self, text: &str) -> Result<Node, Diagnostic> {
        let mut result = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            let Some(length) = rest[start..].find("}}") else {
                return Err(self.unsupported(rest));
            };
            let expression = rest[start + 2..start + length].trim();
            let node = self.expression(expression)?;
            if start == 0 && rest.len() == text.len() && length + 2 == rest.len() {
                return Ok(node);
            }
            result.push_str(&rest[..start]);
            match node {
                Node::Text(text) | Node::Number(text) => result.push_str(&text),
                Node::Bool(value) => result.push_str(if value { "True" } else { "False" }),
                _ => return Err(self.unsupported(expression)),
            }
            rest = &rest[start + length + 2..];
        }
        if text.contains("{%") {
            return Err(self.unsupported(text.trim()));
        }
        result.push_str(rest);
        Ok(Node::Text(result))
    }

    fn expression(&self, text: &str) -> Result<Node, Diagnostic> {
        let parsed = expression::parse(text).ok_or_else(|| self.unsupported(text))?;
        match self.evaluate(&parsed, text)? {
            Some(node) => Ok(node),
            None => Err(self.not_set(text.split('|').next().unwrap_or(text).trim())),
        }
    }

    /// Returns what an expression stands for; `None` if it is not defined.
    fn evaluate(&self, expression: &Expression, whole: &str) -> Result<Option<Node>, Diagnostic> {
        Ok(match expression {
            Expression::Text(text) => Some(Node::Text(text.clone())),
            Expression::Number(text) => Some(Node::Number(text.clone())),
            Expression::Bool(value) => Some(Node::Bool(*value)),
            Expression::Name(name) => self.variable(name, self.host)?,
            Expression::Item { of, key } => self.item(of, key, whole)?,
            Expression::Call {
                function,
                arguments,
            } => self.call(function, arguments, whole)?,
        })
    }

    fn item(
        &self,
        of: &Expression,
        key: &Expression,
        whole: &str,
    ) -> Result<Option<Node>, Diagnostic> {
        let key = self.evaluate(key, whole)?;
        let Some(Node::Text(key) | Node::Number(key)) = key else {
            return Ok(None);
        };
        if matches!(of, Expression::Name(name) if name == "groups") {
            let hosts = self.inventory.hosts_in(&key).into_iter();
            let names = hosts.map(|host| Node::Text(host.name.clone()));
            return Ok(Some(Node::List(
                names.map(|node| self.here(node)).collect(),
            )));
        }
        if let Expression::Item { of, key: host } = of
            && matches!(&**of, Expression::Name(name) if name == "hostvars")
        {
            let Some(Node::Text(host)) = self.evaluate(host, whole)? else {
                return Ok(None);
            };
            let host = self.inventory.hosts.get(&host);
            return host.map_or(Ok(None), |host| self.variable(&key, host));
        }
        Ok(match self.evaluate(of, whole)? {
            Some(Node::Map(entries)) => {
                let found = entries.into_iter().find(|entry| entry.key == key);
                found.map(|entry| entry.value.node)
            }
            Some(Node::List(mut items)) => {
                let index = key.parse::<usize>().ok();
                let index = index.filter(|index| *index < items.len());
                index.map(|index| items.swap_remove(index).node)
            }
            _ => None,
        })
    }

    fn call(
        &self,
        function: &str,
        arguments: &[Expression],
        whole: &str,
    ) -> Result<Option<Node>, Diagnostic> {
        match (function, arguments) {
            ("default" | "d", [input, fallback]) => match self.evaluate(input, whole)? {
                Some(node) => Ok(Some(node)),
                None => self.evaluate(fallback, whole),
            },
            ("default" | "d", [input, fallback, Expression::Bool(true)]) => {
                match self.evaluate(input, whole)? {
                    Some(node) if !is_false(&node) => Ok(Some(node)),
                    _ => self.evaluate(fallback, whole),
                }
            }
            ("int" | "string" | "trim", [input]) => self.evaluate(input, whole),
            ("first" | "last", [input]) => Ok(match self.evaluate(input, whole)? {
                Some(Node::List(mut items)) if function == "last" => items.pop().map(|it| it.node),
                Some(Node::List(items)) => items.into_iter().next().map(|it| it.node),
                _ => None,
            }),
            ("lookup", [Expression::Text(kind), Expression::Text(name)])
                if matches!(kind.as_str(), "env" | "ansible.builtin.env") =>
            {
                // As in Ansible, a variable that isn't there is empty.
                Ok(Some(Node::Text(std::env::var(name).unwrap_or_default())))
            }
            _ => Err(self.unsupported(whole)),
        }
    }

    /// Returns a variable as it is on a host.
    fn variable(&self, name: &str, host: &Host) -> Result<Option<Node>, Diagnostic> {
        let Some(entry) = host.variables.get(name) else {
            return Ok(magic(name, host, self.inventory));
        };
        let resolver = Resolver {
            inventory: self.inventory,
            host,
            value: &entry.value,
            depth: self.depth + 1,
        };
        resolver.resolve().map(|value| Some(value.node))
    }

    fn here(&self, node: Node) -> Value {
        Value {
            node,
            location: self.value.location.clone(),
        }
    }

    fn not_set(&self, path: &str) -> Diagnostic {
        let error = error_at(
            &self.value.location,
            format!("`{path}` is not set for host `{}`", self.host.name),
            format!("refers to `{path}`"),
        )
        .hint(format!("set `{path}`, or write the value itself here"));
        match self.inventory.encrypted_files.first() {
            Some(file) => error.hint(format!(
                "if it is set in {}, which is encrypted: {NAME_PASSWORD_FILE}",
                file.display()
            )),
            None => error,
        }
    }

    fn unsupported(&self, expression: &str) -> Diagnostic {
        error_at(
            &self.value.location,
            format!("kinstall can't evaluate the expression `{expression}`"),
            "needed here",
        )
        .hint(
            "write the value itself; kinstall resolves `{{ name }}`, `{{ hostvars['host']['name'] }}`, \
             `{{ lookup('env', 'NAME') }}` and `{{ … | default('x') }}`",
        )
    }
}

/// Returns what Ansible itself sets.
fn magic(name: &str, host: &Host, inventory: &Inventory) -> Option<Node> {
    let text = match name {
        "inventory_hostname" => host.name.clone(),
        "inventory_hostname_short" => host.name.split('.').next()?.to_owned(),
        "inventory_dir" => {
            let folder = std::path::absolute(inventory.folder()).ok()?;
            folder.display().to_string()
        }
        "inventory_file" => {
            let file = std::path::absolute(host.location.path()).ok()?;
            file.display().to_string()
        }
        _ => return None,
    };
    Some(Node::Text(text))
}

/// Tells what Python takes for false.
fn is_false(node: &Node) -> bool {
    match node {
        Node::Null | Node::Bool(false) => true,
        Node::Bool(true) => false,
        Node::Number(text) => text.parse() == Ok(0.0),
        Node::Text(text) => text.is_empty(),
        Node::List(items) => items.is_empty(),
        Node::Map(entries) => entries.is_empty(),
    }
}
