//! Add-ons whose definitions list their variables: `addons/NAME/addon.yml`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::names::is_subdomain;
use super::super::{Addons, DefinedAddon};
use super::{Placed, Reader};
use crate::addon::{self, Kind, Setting};

/// Reads all of them, by the names that templates know them by.
pub(super) fn addons(reader: &mut Reader<'_>) -> BTreeMap<String, DefinedAddon> {
    let mut addons = Addons::default().defined;
    for addon in addon::all() {
        let (Some(switch), Some(defined)) = (&addon.switch, addons.get_mut(&addon.key())) else {
            continue;
        };
        let enabled = reader.boolean(&switch.variable);
        defined.enabled = enabled.unwrap_or(false);
        defined.is_said = enabled.is_some();
        for (name, setting) in &addon.settings {
            if let Some(value) = read(reader, setting) {
                defined.settings.insert(name.clone(), value);
            }
        }
    }
    addons
}

/// Reads one setting; one that is wrong is an error.
fn read(reader: &mut Reader<'_>, setting: &Setting) -> Option<Value> {
    let Setting { variable, kind, .. } = setting;
    match kind {
        Kind::Boolean => reader.boolean(variable).map(Value::from),
        Kind::Folder => {
            let path = text(reader, variable, kind)?;
            Some(path.trim_end_matches('/').into())
        }
        Kind::Port => {
            let port: Option<u16> = text(reader, variable, kind)?.parse().ok();
            port.map(Value::from)
        }
        _ => text(reader, variable, kind).map(Value::from),
    }
}

fn text(reader: &mut Reader<'_>, variable: &str, kind: &Kind) -> Option<String> {
    let Placed { value, location } = reader.text(&[variable])?;
    // As kubespray's samples say that they say nothing.
    if value.is_empty() {
        return None;
    }
    if let Some(location) = location.filter(|_| !is_right(kind, &value)) {
        reader.error(
            &location,
            format!("`{variable}` can't be `{value}`"),
            "not usable",
            format!("write {}", what(kind)),
        );
        return None;
    }
    Some(value)
}

fn is_right(kind: &Kind, text: &str) -> bool {
    match kind {
        Kind::Boolean => true,
        Kind::Namespace => is_subdomain(text) && !text.contains('.'),
        Kind::StorageClass => is_subdomain(text),
        Kind::Folder => is_folder(text),
        Kind::Retention => is_count_of(text, &["d", "w", "y"]),
        Kind::Interval => is_count_of(text, &["s", "m"]) && !is_too_often(text),
        Kind::Quantity => is_count_of(text, &["Mi", "Gi", "Ti"]),
        Kind::Port => text.parse::<u16>().is_ok_and(|port| port > 0),
        Kind::OneOf(words) => words.iter().any(|word| word == text),
    }
}

fn what(kind: &Kind) -> String {
    match kind {
        Kind::Boolean => "true or false".to_owned(),
        Kind::Namespace => "the name of a namespace: lower-case letters, digits and `-`".to_owned(),
        Kind::StorageClass => {
            "the name of a StorageClass: lower-case letters, digits, `-` and `.`".to_owned()
        }
        Kind::Folder => "the path of a folder, such as `/opt/data`".to_owned(),
        Kind::Retention => "days, weeks or years: `30d`, `8w`, `1y`".to_owned(),
        Kind::Interval => "seconds, ten or more, or minutes: `15s`, `1m`".to_owned(),
        Kind::Quantity => "a size: `500Mi`, `5Gi`".to_owned(),
        Kind::Port => "a port: `5000`".to_owned(),
        Kind::OneOf(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            words.join(" or ")
        }
    }
}

/// A whole number above zero, with one of these units.
fn is_count_of(text: &str, units: &[&str]) -> bool {
    let number = units.iter().find_map(|unit| text.strip_suffix(unit));
    let number = number.filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
    number
        .and_then(|it| it.parse::<u32>().ok())
        .is_some_and(|it| it > 0)
}

/// One digit of seconds: metrics-server doesn't start with that.
fn is_too_often(text: &str) -> bool {
    let seconds = text.strip_suffix('s');
    seconds
        .and_then(|it| it.parse::<u32>().ok())
        .is_some_and(|it| it < 10)
}

/// Its path stands in files and commands; quotes and line breaks would change those.
fn is_folder(path: &str) -> bool {
    let mut parts = path.split('/').skip(1).filter(|part| !part.is_empty());
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "/-_.+@ ".contains(it);
    path.starts_with('/')
        && path.chars().all(is_plain)
        && parts.clone().count() > 0
        && parts.all(|part| part != "..")
}
