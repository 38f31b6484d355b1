//! References to other variables: `{{ ansible_host }}`, `{{ name | default('x') }}`.
//!
//! Real inventories hold much more Jinja than this, nearly all of it in variables that kinstall doesn't
//! use. So templates are resolved only when a variable is asked for, and only references; the rest is
//! an error that names the expression.

use super::{Host, error_at};
use crate::diagnostic::Diagnostic;
use crate::yaml::{Node, Value};

/// How many references may follow each other before it must be a circle.
const MAXIMUM_DEPTH: usize = 20;

/// Returns the value with all references replaced by what they stand for on this host.
pub fn resolve(value: &Value, host: &Host) -> Result<Value, Diagnostic> {
    resolve_value(value, host, 0)
}

fn resolve_value(value: &Value, host: &Host, depth: usize) -> Result<Value, Diagnostic> {
    if depth > MAXIMUM_DEPTH {
        return Err(error_at(
            &value.location,
            "variables refer to each other in a circle",
            "part of the circle",
        ));
    }
    let node = match &value.node {
        Node::Text(text) if text.contains("{{") || text.contains("{%") => {
            resolve_text(text, value, host, depth)?
        }
        Node::List(items) => Node::List(
            items
                .iter()
                .map(|item| resolve_value(item, host, depth))
                .collect::<Result<_, _>>()?,
        ),
        Node::Map(entries) => {
            let mut entries = entries.clone();
            for entry in &mut entries {
                entry.value = resolve_value(&entry.value, host, depth)?;
            }
            Node::Map(entries)
        }
        other => other.clone(),
    };
    Ok(Value {
        node,
        location: value.location.clone(),
    })
}

/// A text that is one reference keeps the type of what it refers to.
fn resolve_text(text: &str, value: &Value, host: &Host, depth: usize) -> Result<Node, Diagnostic> {
    let mut result = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start..].find("}}") else {
            return Err(unsupported(rest, value));
        };
        let expression = rest[start + 2..start + length].trim();
        let node = reference(expression, value, host, depth)?;
        if start == 0 && rest.len() == text.len() && length + 2 == rest.len() {
            return Ok(node);
        }
        result.push_str(&rest[..start]);
        match node {
            Node::Text(text) | Node::Number(text) => result.push_str(&text),
            Node::Bool(value) => result.push_str(if value { "True" } else { "False" }),
            _ => return Err(unsupported(expression, value)),
        }
        rest = &rest[start + length + 2..];
    }
    if rest.contains("{%") || text.contains("{%") {
        return Err(unsupported(text.trim(), value));
    }
    result.push_str(rest);
    Ok(Node::Text(result))
}

/// Resolves `name`, `name.key` and `name | default(other)`.
fn reference(
    expression: &str,
    value: &Value,
    host: &Host,
    depth: usize,
) -> Result<Node, Diagnostic> {
    if let Some(text) = literal(expression) {
        return Ok(Node::Text(text.to_owned()));
    }
    let (path, fallback) = match expression.split_once('|') {
        None => (expression, None),
        Some((path, filter)) => {
            let inner = filter
                .trim()
                .strip_prefix("default")
                .and_then(|rest| rest.trim().strip_prefix('(')?.strip_suffix(')'))
                .ok_or_else(|| unsupported(expression, value))?;
            let argument = inner.trim().trim_end_matches("true").trim_end();
            (path.trim(), Some(argument.trim_end_matches(',').trim_end()))
        }
    };
    let mut keys = path.split('.');
    let name = keys.next().unwrap_or_default();
    if path.is_empty()
        || !path
            .chars()
            .all(|character| character.is_alphanumeric() || "_.".contains(character))
    {
        return Err(unsupported(expression, value));
    }
    let mut found = match host.variables.get(name) {
        Some(entry) => Some(resolve_value(&entry.value, host, depth + 1)?),
        None => magic(name, host).map(|text| Value {
            node: Node::Text(text),
            location: value.location.clone(),
        }),
    };
    for key in keys {
        found = found.and_then(|value| value.get(key).cloned());
    }
    match (found, fallback) {
        (Some(found), _) => Ok(found.node),
        (None, Some(fallback)) => {
            if depth > MAXIMUM_DEPTH {
                return Err(unsupported(expression, value));
            }
            if fallback.bytes().all(|byte| byte.is_ascii_digit()) && !fallback.is_empty() {
                return Ok(Node::Number(fallback.to_owned()));
            }
            reference(fallback, value, host, depth + 1)
        }
        (None, None) => Err(error_at(
            &value.location,
            format!("`{path}` is not set for host `{}`", host.name),
            format!("refers to `{path}`"),
        )
        .hint(format!("set `{path}`, or write the value itself here"))),
    }
}

/// Returns what Ansible itself sets.
fn magic(name: &str, host: &Host) -> Option<String> {
    match name {
        "inventory_hostname" => Some(host.name.clone()),
        "inventory_hostname_short" => host.name.split('.').next().map(str::to_owned),
        "inventory_dir" => {
            let file = std::path::absolute(host.location.path()).ok()?;
            Some(file.parent()?.display().to_string())
        }
        _ => None,
    }
}

fn literal(expression: &str) -> Option<&str> {
    ['\'', '"'].into_iter().find_map(|quote| {
        let inner = expression.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inner.contains(quote)).then_some(inner)
    })
}

fn unsupported(expression: &str, value: &Value) -> Diagnostic {
    error_at(
        &value.location,
        format!("kinstall can't evaluate the expression `{expression}`"),
        "needed here",
    )
    .hint("write the value itself; kinstall resolves only `{{ name }}` and `{{ name | default('x') }}`")
}
