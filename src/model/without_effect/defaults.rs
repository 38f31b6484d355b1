//! kubespray's own variables and the values that it gives them.
//!
//! A value that an inventory has from kubespray's samples, or that is kubespray's default, says nothing about
//! what the user wants. Any other is a wish: so is a `false` where kubespray says `true`.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::model::kubespray;
use crate::model::read::boolean;
use crate::yaml::{Node, Value};

static DEFAULTS: LazyLock<HashMap<&str, Vec<&str>>> = LazyLock::new(|| {
    include_str!("kubespray.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| match line.split_once(' ') {
            Some((name, values)) => (name, values.split(" | ").collect()),
            None => (line, Vec::new()),
        })
        .collect()
});

/// Stands for a value that kubespray computes from other variables.
const COMPUTED: &str = "~";

/// Tells whether kubespray has the variable.
pub(super) fn is_kubespray(name: &str) -> bool {
    DEFAULTS.contains_key(name)
}

/// Tells whether kubespray has variables about the part that the name begins with, as about `kubectl`: its lists of
/// downloads differ from version to version.
pub(super) fn is_of_a_part(name: &str) -> bool {
    let part = name.split_once('_').map_or(name, |(part, _)| part);
    let mut names = DEFAULTS.keys();
    names.any(|it| {
        it.strip_prefix(part)
            .is_some_and(|rest| rest.starts_with('_'))
    })
}

/// Tells whether a value is kubespray's own, or none at all.
pub(super) fn is_default(name: &str, value: &Value) -> bool {
    if is_empty(value) {
        return true;
    }
    let text = as_written(value);
    let values = DEFAULTS.get(name).map_or(&[][..], Vec::as_slice);
    if values.contains(&text.as_str()) {
        return true;
    }
    if text.contains("{{") || text.contains("{%") {
        return values.contains(&COMPUTED) && refers_to_kubespray(&text);
    }
    // Where nothing else is the default, off is.
    let is_other = values
        .iter()
        .any(|value| *value != COMPUTED && *value != "false");
    !is_other && is_off(value)
}

fn is_empty(value: &Value) -> bool {
    match &value.node {
        Node::Null => true,
        Node::List(items) => items.is_empty(),
        Node::Map(entries) => entries.is_empty(),
        Node::Text(text) => text.trim().is_empty(),
        Node::Bool(_) | Node::Number(_) => false,
    }
}

fn is_off(value: &Value) -> bool {
    match &value.node {
        Node::Map(entries) => entries
            .iter()
            .any(|entry| entry.key == "enabled" && boolean(&entry.value) == Some(false)),
        // A port or a count of 0 or 1 is a choice; only words are switches.
        Node::Number(_) => false,
        _ => boolean(value) == Some(false),
    }
}

/// Returns a value as the list of defaults writes it: words for truth values, JSON for lists.
fn as_written(value: &Value) -> String {
    match &value.node {
        Node::List(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| match &item.node {
                    Node::Text(text) => format!("\"{text}\""),
                    _ => as_written(item),
                })
                .collect();
            format!("[{}]", items.join(","))
        }
        Node::Number(text) => text.clone(),
        _ => match (boolean(value), value.text()) {
            (Some(truth), _) => truth.to_string(),
            (None, text) => text.unwrap_or_default().to_owned(),
        },
    }
}

/// Tells whether a computed value is made of kubespray's variables alone, none of the user's own.
fn refers_to_kubespray(text: &str) -> bool {
    text.split("{{").skip(1).all(|part| {
        let expression = part.split("}}").next().unwrap_or_default();
        let word = expression
            .trim_start_matches(|character: char| !character.is_ascii_alphabetic())
            .split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
            .next()
            .unwrap_or_default();
        is_kubespray(word) || kubespray::is_known(word) || is_fact(word)
    })
}

/// What Ansible itself knows.
fn is_fact(word: &str) -> bool {
    word.starts_with("ansible_")
        || ["inventory_hostname", "inventory_dir", "groups", "lookup"].contains(&word)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::SourceFile;

    fn value(text: &str) -> Value {
        let file = Arc::new(SourceFile {
            path: PathBuf::from("all.yml"),
            text: text.to_owned(),
        });
        crate::yaml::parse_value(&file).unwrap()
    }

    #[test]
    fn a_value_of_kubespray_is_no_wish_and_any_other_is() {
        for (name, text, expected) in [
            ("kube_api_anonymous_auth", "true", true),
            ("kube_api_anonymous_auth", "false", false),
            ("kube_api_anonymous_auth", "\"False\"", false),
            ("kube_api_anonymous_auth", "", true),
            ("kube_encrypt_secret_data", "false", true),
            ("kube_encrypt_secret_data", "no", true),
            ("kube_encrypt_secret_data", "true", false),
            ("kubelet_max_pods", "110", true),
            ("kubelet_max_pods", "250", false),
            ("authorization_modes", "['Node', 'RBAC']", true),
            ("authorization_modes", "[Node, RBAC, Webhook]", false),
            ("kube_cert_dir", "'{{ kube_config_dir }}/ssl'", true),
            (
                "kube_image_repo",
                "'{{ gcr_image_repo }}/google-containers'",
                true,
            ),
            (
                "kube_image_repo",
                "'{{ my_registry }}/google-containers'",
                false,
            ),
            ("kube_oidc_auth", "{enabled: false}", true),
            ("kube_read_only_port", "0", true),
            ("kube_read_only_port", "10255", false),
            ("calico_of_tomorrow", "false", true),
            ("calico_of_tomorrow", "true", false),
        ] {
            assert_eq!(is_default(name, &value(text)), expected, "{name}: {text}");
        }
    }

    #[test]
    fn every_name_stands_once_and_in_order() {
        let lines = include_str!("kubespray.txt").lines();
        let names: Vec<&str> = lines
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        assert!(names.is_sorted());
        assert_eq!(names.len(), DEFAULTS.len());
    }
}
