//! `split` and `partition`.

use regex_lite::Regex;

use super::value::Value;

/// `split`: what is empty at the end doesn't count, unless a negative limit says so.
pub(super) fn split(text: &str, name: &str, arguments: &[Value]) -> Option<Value> {
    let (separator, limit) = match arguments {
        [] | [Value::Nil] => (None, 0),
        [separator] => (Some(separator), 0),
        [separator, Value::Integer(limit)] => (Some(separator), *limit),
        _ => return None,
    };
    let is_space =
        |it: &&Value| it.as_text().as_deref() == Some(" ") && !matches!(it, Value::Regex(_));
    if name != "split" {
        let separator = separator?.as_text()?;
        let found = if name == "partition" {
            text.split_once(&*separator)
        } else {
            text.rsplit_once(&*separator)
        };
        let parts = match (found, name) {
            (Some((before, after)), _) => [before, &separator, after],
            (None, "partition") => [text, "", ""],
            (None, _) => ["", "", text],
        };
        return Some(Value::list(parts.into_iter().map(Value::text).collect()));
    }
    let most = usize::try_from(limit)
        .ok()
        .filter(|it| *it > 0)
        .unwrap_or(usize::MAX);
    let mut parts: Vec<&str> = match separator.filter(|it| !is_space(it)) {
        None if most == usize::MAX => text.split_whitespace().collect(),
        None => {
            let regex = Regex::new(r"\s+").ok()?;
            regex.splitn(text.trim_start(), most).collect()
        }
        Some(separator) if separator.as_text().as_deref() == Some("") => {
            return (most == usize::MAX).then(|| {
                Value::list(text.chars().map(|it| Value::text(it.to_string())).collect())
            });
        }
        Some(separator) => {
            let regex = super::pattern::regex(separator)?;
            if regex.captures_len() > 1 || regex.is_match("") {
                return None;
            }
            regex.splitn(text, most).collect()
        }
    };
    if limit == 0 {
        while parts.last().is_some_and(|it| it.is_empty()) {
            parts.pop();
        }
    }
    Some(Value::list(parts.into_iter().map(Value::text).collect()))
}
