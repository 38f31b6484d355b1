//! kubespray's variables that kinstall has no use for, and why.
//!
//! A sample value or a switched-off option says nothing about what the user wants, so it makes no
//! noise. Any other value is a wish that isn't fulfilled: it is reported, one message for each topic.

mod table;

use table::{COMPUTED, PLUGINS, SAMPLE, TOOLING, TOPICS, Topic};

use crate::inventory::Variables;
use crate::model::read::boolean;
use crate::yaml::{Node, Value};

/// What is to be said about a variable.
pub(super) enum Verdict {
    /// Known, and nothing to say.
    Silent,
    /// A wish that isn't fulfilled.
    Report(&'static Topic),
    /// Not a variable of kubespray.
    Unknown,
}

/// Judges a variable that kinstall doesn't use.
pub(super) fn judge(name: &str, value: &Value, all: &Variables) -> Verdict {
    let is_match = |pattern: &&str| matches(pattern, name);
    if TOOLING.iter().any(is_match) {
        return Verdict::Silent;
    }
    let Some(topic) = TOPICS.iter().find(|topic| topic.names.iter().any(is_match)) else {
        return Verdict::Unknown;
    };
    let is_computed =
        COMPUTED.contains(&name) && value.text().is_some_and(|text| text.contains("{{"));
    let is_silent =
        is_off(value) || is_sample(name, value) || is_computed || is_detail_of_nothing(name, all);
    if is_silent {
        Verdict::Silent
    } else {
        Verdict::Report(topic)
    }
}

/// Returns all names without wildcards, for suggestions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let topics = TOPICS.iter().flat_map(|topic| topic.names);
    let samples = SAMPLE.iter().map(|(name, _)| name);
    TOOLING
        .iter()
        .chain(topics)
        .chain(samples)
        .copied()
        .filter(|name| !name.contains('*'))
}

fn is_off(value: &Value) -> bool {
    match &value.node {
        Node::Null => true,
        Node::List(items) => items.is_empty(),
        Node::Map(entries) => {
            let switch = entries.iter().find(|entry| entry.key == "enabled");
            entries.is_empty() || switch.is_some_and(|switch| boolean(&switch.value) == Some(false))
        }
        Node::Text(text) if text.trim().is_empty() => true,
        // A port or a count of 0 or 1 is a choice; only words are switches.
        Node::Number(_) => false,
        _ => boolean(value) == Some(false),
    }
}

fn is_sample(name: &str, value: &Value) -> bool {
    let text = match &value.node {
        Node::Bool(value) => value.to_string(),
        _ => value.text().unwrap_or_default().to_owned(),
    };
    SAMPLE
        .iter()
        .any(|(sample, values)| *sample == name && values.contains(&text.as_str()))
}

/// `registry_namespace` means nothing while `registry_enabled` is off, nor `cilium_mtu` without Cilium.
fn is_detail_of_nothing(name: &str, all: &Variables) -> bool {
    let plugin = all
        .get("kube_network_plugin")
        .and_then(|entry| entry.value.text());
    if let Some((_, owner)) = PLUGINS.iter().find(|(prefix, _)| name.starts_with(prefix)) {
        return *owner != plugin.unwrap_or("calico");
    }
    let mut prefix = name;
    while let Some((shorter, _)) = prefix.rsplit_once('_') {
        prefix = shorter;
        let switch = format!("{prefix}_enabled");
        if switch == name {
            continue;
        }
        if let Some(entry) = all.get(&switch) {
            return boolean(&entry.value) == Some(false);
        }
    }
    false
}

fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut remaining) = name.strip_prefix(head) else {
        return false;
    };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return remaining.ends_with(part);
        }
        match remaining.find(part) {
            Some(offset) => remaining = &remaining[offset + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, name, expected) in [
            ("calico_*", "calico_mtu", true),
            ("calico_*", "calicoctl_x", false),
            ("*_csi_*", "aws_ebs_csi_enabled", true),
            ("*_version", "calico_version", true),
            ("*_version", "calico_versions", false),
            ("ndots", "ndots", true),
            ("kube_*_reserved", "kube_cpu_reserved", true),
            ("no_proxy*", "no_proxy", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
