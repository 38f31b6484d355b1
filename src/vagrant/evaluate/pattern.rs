//! Regular expressions.

use std::rc::Rc;

use regex_lite::Regex;

use super::Evaluator;
use super::value::Value;

/// Makes a pattern of a regular expression, or of a text that stands for itself.
pub(super) fn regex(value: &Value) -> Option<Regex> {
    match value {
        // `^` and `$` are those of a line in Ruby.
        Value::Regex(text) => {
            let text = text.replace("\\/", "/").replace("\\A", "(?-m:^)");
            let text = text.replace("\\z", "(?-m:$)").replace("\\Z", "(?-m:$)");
            Regex::new(&format!("(?m){text}")).ok()
        }
        Value::Text(text) => Regex::new(&regex_lite::escape(text)).ok(),
        _ => None,
    }
}

/// `=~` and its like.
pub(super) fn find(text: &str, pattern: &Value, name: &str) -> Option<Value> {
    let regex = regex(pattern)?;
    let found = regex.captures(text);
    Some(match (name, found) {
        ("match?" | "===", found) => Value::Bool(found.is_some()),
        ("!~", found) => Value::Bool(found.is_none()),
        (_, None) => Value::Nil,
        ("=~", Some(found)) => {
            let start = found.get(0)?.start();
            Value::Integer(i64::try_from(start).ok()?)
        }
        (_, Some(found)) => {
            let groups = found.iter().map(|it| it.map(|it| it.as_str().to_owned()));
            Value::Match(Rc::new(groups.collect()))
        }
    })
}

impl Evaluator {
    pub(super) fn pattern_method(
        receiver: &Value,
        name: &str,
        arguments: &[Value],
    ) -> Option<Value> {
        let group = |it: &Option<String>| match it {
            Some(text) => Value::text(text.clone()),
            None => Value::Nil,
        };
        match (receiver, name, arguments) {
            (Value::Match(groups), "captures", []) => {
                Some(Value::list(groups.iter().skip(1).map(group).collect()))
            }
            (Value::Match(groups), "to_a", []) => {
                Some(Value::list(groups.iter().map(group).collect()))
            }
            (Value::Match(groups), "[]", [Value::Integer(index)]) => {
                let index = usize::try_from(*index).ok()?;
                Some(groups.get(index).map_or(Value::Nil, group))
            }
            (Value::Regex(_), "=~" | "match" | "match?" | "===", [text]) => match text.as_text() {
                Some(text) => find(text, receiver, name),
                None => Some(Value::Bool(false)),
            },
            _ => None,
        }
    }
}
