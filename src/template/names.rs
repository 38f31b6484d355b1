//! Finds names that lead nowhere before Tera renders a text.
//!
//! Tera lets an undefined last field pass in conditions and comparisons: `{% if cluster.tpyo %}` would
//! silently be false. A name that begins with one that is there, and that is not asked about
//! (`is defined`) nor given a `default`, has to lead somewhere.

use std::collections::BTreeSet;
use std::ops::Range;

use tera::{Context, Value};

use crate::did_you_mean::closest;

/// Words of expressions that are not names of values; `defined` follows `is not`.
const WORDS: [&str; 15] = [
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "true",
    "false",
    "none",
    "True",
    "False",
    "None",
    "defined",
    "undefined",
];

/// A name that leads nowhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    pub span: Range<usize>,
    pub message: String,
    pub hint: String,
}

/// Looks at every tag of a template.
pub(super) fn check_template(text: &str, contexts: [&Context; 2]) -> Result<(), Unknown> {
    let tags = tags(text);
    let mut local = BTreeSet::new();
    for tag in &tags {
        local.extend(bound_names(&text[tag.clone()]));
    }
    for tag in tags {
        check(text, tag, contexts, |root| local.contains(root))?;
    }
    Ok(())
}

/// Looks at a bare expression; here every name has to come from a context.
pub(super) fn check_expression(text: &str, contexts: [&Context; 2]) -> Result<(), Unknown> {
    let whole = 0..text.len();
    for path in paths(text, whole.clone()) {
        let root = &text[path[0].clone()];
        let is_number = root.starts_with(|first: char| first.is_ascii_digit());
        let is_known = contexts.iter().any(|context| context.contains_key(root));
        let is_test = text[..path[0].start].trim_end().ends_with(" is");
        if !is_number && !is_known && !is_test && !WORDS.contains(&root) {
            return Err(Unknown {
                span: path[0].clone(),
                message: format!("variable `{root}` is not defined"),
                hint: "an expression begins with `cluster`, `host`, `versions`, `bundle` or `item`"
                    .to_owned(),
            });
        }
    }
    check(text, whole, contexts, |_| false)
}

fn check(
    text: &str,
    tag: Range<usize>,
    contexts: [&Context; 2],
    is_local: impl Fn(&str) -> bool,
) -> Result<(), Unknown> {
    for path in paths(text, tag) {
        let root = &text[path[0].clone()];
        let known = contexts.iter().find_map(|context| context.get(root));
        if let Some(value) = known.filter(|_| !is_local(root)) {
            follow(text, value, &path)?;
        }
    }
    Ok(())
}

/// Walks down from the root; ends where there is no map to look into.
fn follow(text: &str, root: &Value, path: &[Range<usize>]) -> Result<(), Unknown> {
    let mut value = root;
    for field in &path[1..] {
        let Some(map) = value.as_map() else {
            return Ok(());
        };
        let name = &text[field.clone()];
        let Some((_, next)) = map.iter().find(|(key, _)| key.as_str() == Some(name)) else {
            let keys: Vec<&str> = map.keys().filter_map(|key| key.as_str()).collect();
            return Err(Unknown {
                span: field.clone(),
                message: format!("field `{name}` is not defined"),
                hint: match closest(name, keys.iter().copied()) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("known here: {}", keys.join(", ")),
                },
            });
        };
        value = next;
    }
    Ok(())
}

/// Returns the insides of `{{ }}` and `{% %}`; comments are left out.
fn tags(text: &str) -> Vec<Range<usize>> {
    let mut tags = Vec::new();
    let mut position = 0;
    while let Some(open) = text[position..].find('{').map(|at| position + at) {
        let close = match text.as_bytes().get(open + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => {
                position = open + 1;
                continue;
            }
        };
        let Some(end) = text[open + 2..].find(close).map(|at| open + 2 + at) else {
            break;
        };
        if close != "#}" {
            tags.push(open + 2..end);
        }
        position = end + 2;
    }
    tags
}

/// Returns the names that `for` and `set` bind: they may hide those of the context.
fn bound_names(tag: &str) -> Vec<&str> {
    let tag = tag.trim_start_matches('-').trim_start();
    let names = if let Some(rest) = tag.strip_prefix("for ") {
        rest.split(" in ").next().unwrap_or_default()
    } else if let Some(rest) = tag
        .strip_prefix("set ")
        .or_else(|| tag.strip_prefix("set_global "))
    {
        rest.split('=').next().unwrap_or_default()
    } else {
        return Vec::new();
    };
    names.split(',').map(str::trim).collect()
}

/// Returns the dotted names of an expression that have to be there, segment by segment.
fn paths(text: &str, tag: Range<usize>) -> Vec<Vec<Range<usize>>> {
    let bytes = text.as_bytes();
    let mut paths = Vec::new();
    let mut position = tag.start;
    while position < tag.end {
        let byte = bytes[position];
        if byte == b'"' || byte == b'\'' || byte == b'`' {
            let closing = text[position + 1..tag.end].find(char::from(byte));
            position = closing.map_or(tag.end, |at| position + at + 2);
        } else if is_name_byte(byte) {
            let (path, end) = path_at(bytes, position, tag.end);
            let before = text[tag.start..position].trim_end();
            let after = text[end..tag.end].trim_start();
            let is_filter_or_field = before.ends_with(['|', '.']);
            let is_argument = after.starts_with('=') && !after.starts_with("==");
            if !is_filter_or_field && !is_argument && !after.starts_with('(') {
                paths.push(without_what_may_be_missing(path, after));
            }
            position = end;
        } else {
            position += 1;
        }
    }
    paths
}

/// Reads `a.b.c`; returns its segments and the end.
fn path_at(bytes: &[u8], start: usize, limit: usize) -> (Vec<Range<usize>>, usize) {
    let mut path = Vec::new();
    let mut position = start;
    loop {
        let from = position;
        while position < limit && is_name_byte(bytes[position]) {
            position += 1;
        }
        path.push(from..position);
        let goes_on =
            position + 1 < limit && bytes[position] == b'.' && is_name_byte(bytes[position + 1]);
        if !goes_on {
            return (path, position);
        }
        position += 1;
    }
}

/// Drops the last segment where the text asks whether it is there.
fn without_what_may_be_missing(mut path: Vec<Range<usize>>, after: &str) -> Vec<Range<usize>> {
    let has_default = after
        .strip_prefix('|')
        .is_some_and(|rest| rest.trim_start().starts_with("default"));
    let is_asked_about = after
        .strip_prefix("is ")
        .is_some_and(|rest| rest.contains("defined"));
    if path.len() > 1 && (has_default || is_asked_about || after.starts_with('?')) {
        path.pop();
    }
    path
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tera::Context;

    use super::{Unknown, check_expression, check_template};

    fn context() -> Context {
        let value = json!({ "cluster": { "name": "lab", "addons": { "metallb": null } } });
        Context::from_serialize(&value).unwrap()
    }

    fn unknown_in(result: Result<(), Unknown>, text: &str) -> Option<String> {
        result.err().map(|unknown| text[unknown.span].to_owned())
    }

    #[test]
    fn expressions() {
        let table = [
            ("cluster.name == 'cluster.x'", None),
            ("cluster.nmae == 1", Some("nmae")),
            ("not cluster.addons.metalbl", Some("metalbl")),
            ("cluster.addons.metallb.pools", None),
            ("cluster.extra is defined", None),
            ("cluster.extra is not defined", None),
            ("cluster.extra | default(value=cluster.name)", None),
            ("cluster.extra | default(value=cluster.nmae)", Some("nmae")),
            ("cluster.extra.more is defined", Some("extra")),
            ("range(end=3) | length > 2", None),
            (
                "cluster.name is starting_with('l') and not (1 in [1, 2])",
                None,
            ),
            ("clsuter.name", Some("clsuter")),
        ];
        for (text, expected) in table {
            let result = check_expression(text, [&context(), &Context::new()]);
            assert_eq!(unknown_in(result, text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn templates() {
        let table = [
            ("{% if cluster.nmae %}x{% endif %}", Some("nmae")),
            ("{# cluster.nmae #}", None),
            ("cluster.nmae { cluster.nmae }", None),
            ("{% for cluster in x %}{{ cluster.any }}{% endfor %}", None),
            ("{%- set cluster = 1 %}{{ cluster.any }}", None),
            ("{{ 'a' if cluster.nmae else 'b' }}", Some("nmae")),
            ("{{ unclosed", None),
        ];
        for (text, expected) in table {
            let result = check_template(text, [&context(), &Context::new()]);
            assert_eq!(unknown_in(result, text).as_deref(), expected, "{text}");
        }
    }
}
