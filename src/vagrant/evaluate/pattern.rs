//! Regular expressions, and what they find.

use std::ops::Range;
use std::rc::Rc;

use regex_lite::{Captures, Regex};

use super::given::Given;
use super::split::split;
use super::value::{Match, Value};
use super::{Evaluator, Flow};

/// Makes a pattern of a regular expression, or of a text that stands for itself.
pub(super) fn regex(value: &Value) -> Option<Regex> {
    match value {
        // `^` and `$` are those of a line in Ruby.
        Value::Regex(text) => {
            let text = text.replace("\\/", "/").replace("\\A", "(?-m:^)");
            let text = text
                .replace("\\z", "(?-m:$)")
                .replace("\\Z", "(?-m:$)")
                .replace("\\h", "[0-9a-fA-F]");
            Regex::new(&format!("(?m){text}")).ok()
        }
        Value::Text(text) => Regex::new(&regex_lite::escape(&text.text())).ok(),
        _ => None,
    }
}

fn matched(regex: &Regex, text: &str, found: &Captures<'_>) -> Rc<Match> {
    let groups = found.iter().map(|it| it.map(|it| it.as_str().to_owned()));
    let whole = found.get(0).map_or(0..0, |it| it.range());
    Rc::new(Match {
        groups: groups.collect(),
        names: regex
            .capture_names()
            .map(|it| it.map(str::to_owned))
            .collect(),
        before: text[..whole.start].to_owned(),
        after: text[whole.end..].to_owned(),
    })
}

impl Evaluator {
    /// `$1`, of the last match.
    pub(super) fn group(&self, group: usize) -> Value {
        match &self.last_match {
            Err(why) => Value::Unknown(Rc::clone(why)),
            Ok(None) => Value::Nil,
            Ok(Some(found)) => text_or_nil(found.groups.get(group).cloned().flatten()),
        }
    }

    pub(super) fn named_group(&self, name: &str) -> Value {
        match &self.last_match {
            Err(why) => Value::Unknown(Rc::clone(why)),
            Ok(None) => Value::Nil,
            Ok(Some(found)) => text_or_nil(found.named(name)),
        }
    }

    /// Methods of texts that search; those with a regular expression leave what they found to `$1`.
    pub(super) fn search(
        &mut self,
        text: &str,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        if let ("split", _) | ("partition" | "rpartition", [_]) = (name, arguments) {
            return Ok(split(text, name, arguments));
        }
        let is_search = matches!(
            name,
            "=~" | "!~"
                | "match"
                | "match?"
                | "==="
                | "[]"
                | "slice"
                | "scan"
                | "sub"
                | "gsub"
                | "index"
                | "start_with?"
        );
        let Some(pattern @ (Value::Regex(_) | Value::Text(_))) =
            arguments.first().filter(|_| is_search)
        else {
            return Ok(None);
        };
        let is_text = matches!(pattern, Value::Text(_));
        if is_text && matches!(name, "[]" | "slice" | "===" | "index" | "start_with?") {
            return Ok(None);
        }
        let Some(regex) = regex(pattern) else {
            let unknown = self.unknown(span, "this regular expression is not followed");
            if let Value::Unknown(why) = &unknown {
                self.last_match = Err(Rc::clone(why));
            }
            return Ok(Some(unknown));
        };
        if matches!(name, "scan" | "sub" | "gsub") {
            return self.all(text, &regex, name, &arguments[1..], given, span);
        }
        let found = regex.captures(text);
        if name == "match?" {
            return Ok(Some(Value::Bool(found.is_some())));
        }
        let found = found.map(|it| matched(&regex, text, &it));
        self.last_match = Ok(found.clone());
        let Some(found) = found else {
            return Ok(Some(match name {
                "!~" => Value::Bool(true),
                "===" | "start_with?" => Value::Bool(false),
                _ => Value::Nil,
            }));
        };
        Ok(Some(match (name, &arguments[1..]) {
            ("!~", _) => Value::Bool(false),
            ("===", _) => Value::Bool(true),
            ("start_with?", _) => Value::Bool(found.before.is_empty()),
            ("=~" | "index", _) => Value::count(found.before.chars().count()),
            ("[]" | "slice", []) => self.group(0),
            ("[]" | "slice", [Value::Integer(group)]) => {
                self.group(usize::try_from(*group).unwrap_or(usize::MAX))
            }
            ("[]" | "slice", [name]) => self.named_group(&name.as_text().unwrap_or_default()),
            _ => Value::Match(found),
        }))
    }

    /// `scan`, `sub` and `gsub`.
    fn all(
        &mut self,
        text: &str,
        regex: &Regex,
        name: &str,
        replacement: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        let limit = if name == "sub" { 1 } else { usize::MAX };
        let mut found_all = Vec::new();
        let mut new = String::new();
        let mut end = 0;
        for captures in regex.captures_iter(text).take(limit) {
            let found = matched(regex, text, &captures);
            self.last_match = Ok(Some(Rc::clone(&found)));
            let whole = found.groups.first().cloned().flatten().unwrap_or_default();
            if name == "scan" {
                let groups = found.groups.iter().skip(1).cloned().map(text_or_nil);
                let item = match found.groups.len() {
                    1 => Value::text(whole),
                    _ => Value::list(groups.collect()),
                };
                found_all.push(item);
                continue;
            }
            let value = match (replacement, given) {
                ([Value::Map(map)], _) => {
                    Value::or_nil(map.borrow().get(&Value::text(whole.as_str())).cloned())
                }
                ([to], _) => match to.as_text() {
                    Some(to) => Value::text(filled(&to, &found)),
                    None => return Ok(None),
                },
                ([], Some(_)) => self.give(given, &[Value::text(whole.as_str())], span)?,
                _ => return Ok(None),
            };
            let Value::Text(value) = self.text_of(&value, span)? else {
                return Ok(Some(value));
            };
            new.push_str(&text[end..found.before.len()]);
            new.push_str(&value.text());
            end = found.before.len() + whole.len();
            if new.len() > super::MAXIMUM_LENGTH {
                return Ok(None);
            }
        }
        if name == "scan" {
            if given.is_none() {
                return Ok(Some(Value::list(found_all)));
            }
            self.results(found_all, given, span)?;
            return Ok(Some(Value::text(text)));
        }
        new.push_str(&text[end..]);
        Ok(Some(Value::text(new)))
    }

    fn regex_method(
        &mut self,
        regex: &Value,
        name: &str,
        arguments: &[Value],
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        let ("=~" | "match" | "match?" | "===", [text]) = (name, arguments) else {
            return Ok(None);
        };
        if let Some(text) = text.as_text() {
            return self.search(&text, name, std::slice::from_ref(regex), None, span);
        }
        self.last_match = Ok(None);
        Ok(Some(match name {
            "=~" | "match" => Value::Nil,
            _ => Value::Bool(false),
        }))
    }

    pub(super) fn pattern_method(
        &mut self,
        receiver: &Value,
        name: &str,
        arguments: &[Value],
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        let Value::Match(found) = receiver else {
            return self.regex_method(receiver, name, arguments, span);
        };
        let groups = || found.groups.iter().cloned().map(text_or_nil);
        Ok(Some(match (name, arguments) {
            ("captures", []) => Value::list(groups().skip(1).collect()),
            ("to_a", []) => Value::list(groups().collect()),
            ("to_s", []) => Value::or_nil(groups().next()),
            ("pre_match", []) => Value::text(found.before.as_str()),
            ("post_match", []) => Value::text(found.after.as_str()),
            ("[]", [Value::Integer(index)]) => {
                Value::or_nil(usize::try_from(*index).ok().and_then(|it| groups().nth(it)))
            }
            ("[]", [name]) => text_or_nil(found.named(&name.as_text().unwrap_or_default())),
            ("named_captures", []) => {
                let names = found.names.iter().zip(groups());
                let pair = |(name, group): (&Option<String>, Value)| {
                    Some((Value::text(name.as_deref()?), group))
                };
                Value::map(names.filter_map(pair).collect())
            }
            _ => return Ok(None),
        }))
    }
}

impl Match {
    fn named(&self, name: &str) -> Option<String> {
        let index = self
            .names
            .iter()
            .position(|it| it.as_deref() == Some(name))?;
        self.groups.get(index).cloned().flatten()
    }
}

fn text_or_nil(text: Option<String>) -> Value {
    text.map_or(Value::Nil, Value::text)
}

/// Puts what groups found into a replacement: `\1`, `\0`.
fn filled(replacement: &str, found: &Match) -> String {
    let mut parts = replacement.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut is_escaped = false;
    for part in parts {
        let group = part.chars().next().and_then(|it| it.to_digit(10));
        if let (false, Some(group)) = (is_escaped, group) {
            let group = found.groups.get(group as usize).cloned().flatten();
            text.push_str(&group.unwrap_or_default());
            text.push_str(&part[1..]);
        } else {
            text.push('\\');
            text.push_str(part);
        }
        is_escaped = part.is_empty() && !is_escaped;
    }
    text
}
