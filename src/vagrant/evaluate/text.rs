//! Methods of texts and symbols.

use std::ops::Range;

use regex_lite::Regex;

use super::call::Given;
use super::value::Value;
use super::{Evaluator, Flow, MAXIMUM_LENGTH, format, pattern};

impl Evaluator {
    pub(super) fn text_method(
        &mut self,
        text: &str,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        if let ("gsub" | "sub", [pattern], Some(_)) = (name, arguments, given) {
            return Ok(Some(self.unknown(
                span,
                &format!(
                    "`{name}` {pattern_word} with a block is not followed",
                    pattern_word = pattern.as_text().unwrap_or("")
                ),
            )));
        }
        if let ("each_line" | "lines", []) = (name, arguments) {
            let lines = text.split_inclusive('\n').map(Value::text).collect();
            return match given {
                None => Ok(Some(Value::list(lines))),
                Some(_) => self.each(lines, given, span, |_, _| true),
            };
        }
        Ok(match arguments {
            [] => without_arguments(text, name),
            [argument] => Self::with_argument(text, name, argument),
            _ => match (name, arguments) {
                ("gsub" | "sub", [from, Value::Text(to)]) => {
                    let from = pattern::regex(from);
                    let limit = usize::from(name == "sub");
                    from.map(|it| Value::text(it.replacen(text, limit, replacement(to))))
                }
                ("tr", [Value::Text(from), Value::Text(to)]) => {
                    let mut to = to.chars();
                    match (from.chars().count(), to.next(), to.next()) {
                        (1, Some(to), None) => {
                            Some(Value::text(text.replace(from, &to.to_string())))
                        }
                        (1, None, _) => Some(Value::text(text.replace(from, ""))),
                        _ => None,
                    }
                }
                ("rjust" | "ljust", [Value::Integer(width), Value::Text(fill)]) => {
                    pad(text, *width, fill, name == "rjust")
                }
                ("[]" | "slice", [Value::Integer(first), Value::Integer(count)]) => {
                    let (first, count) = (usize::try_from(*first), usize::try_from(*count));
                    match (first, count) {
                        (Ok(first), Ok(count)) => {
                            Some(Value::Text(text.chars().skip(first).take(count).collect()))
                        }
                        _ => None,
                    }
                }
                ("split", [Value::Text(separator), Value::Integer(limit)]) if *limit > 0 => {
                    let limit = usize::try_from(*limit).unwrap_or(1);
                    Some(Value::list(
                        text.splitn(limit, separator).map(Value::text).collect(),
                    ))
                }
                ("start_with?" | "end_with?", options) => {
                    let any = options
                        .iter()
                        .filter_map(Value::as_text)
                        .any(|it| match name {
                            "start_with?" => text.starts_with(it),
                            _ => text.ends_with(it),
                        });
                    Some(Value::Bool(any))
                }
                _ => None,
            },
        })
    }

    fn with_argument(text: &str, name: &str, argument: &Value) -> Option<Value> {
        Some(match (name, argument) {
            ("+", Value::Text(more)) if text.len() + more.len() < MAXIMUM_LENGTH => {
                Value::text(format!("{text}{more}"))
            }
            ("*", Value::Integer(count)) => {
                let count = usize::try_from(*count).ok()?;
                if text.len().checked_mul(count)? > MAXIMUM_LENGTH {
                    return None;
                }
                Value::text(text.repeat(count))
            }
            ("%", value) => format::text(text, value)?,
            ("include?", Value::Text(part)) => Value::Bool(text.contains(part.as_str())),
            ("start_with?", Value::Text(part)) => Value::Bool(text.starts_with(part.as_str())),
            ("end_with?", Value::Text(part)) => Value::Bool(text.ends_with(part.as_str())),
            ("delete_prefix", Value::Text(part)) => {
                Value::text(text.strip_prefix(part.as_str()).unwrap_or(text))
            }
            ("delete_suffix" | "chomp", Value::Text(part)) => {
                Value::text(text.strip_suffix(part.as_str()).unwrap_or(text))
            }
            ("delete", Value::Text(part)) => {
                Value::Text(text.chars().filter(|it| !part.contains(*it)).collect())
            }
            ("split", Value::Text(separator)) if separator != " " => {
                let mut parts: Vec<&str> = text.split(separator.as_str()).collect();
                while parts.last().is_some_and(|it| it.is_empty()) {
                    parts.pop();
                }
                Value::list(parts.into_iter().map(Value::text).collect())
            }
            ("split", Value::Text(_)) => {
                Value::list(text.split_whitespace().map(Value::text).collect())
            }
            ("split", Value::Regex(_)) => {
                let regex = pattern::regex(argument)?;
                Value::list(regex.split(text).map(Value::text).collect())
            }
            ("rjust" | "ljust", Value::Integer(width)) => pad(text, *width, " ", name == "rjust")?,
            ("[]" | "slice", Value::Integer(index)) => {
                let length = i64::try_from(text.chars().count()).ok()?;
                let index = if *index < 0 { length + index } else { *index };
                let character = usize::try_from(index)
                    .ok()
                    .and_then(|it| text.chars().nth(it));
                character.map_or(Value::Nil, |it| Value::text(it.to_string()))
            }
            ("[]" | "slice", Value::Range { first, last }) => {
                let length = i64::try_from(text.chars().count()).ok()?;
                let end = if *last < 0 { length + last } else { *last };
                let first =
                    usize::try_from(if *first < 0 { length + first } else { *first }).ok()?;
                let count = usize::try_from(end + 1).ok()?.saturating_sub(first);
                Value::Text(text.chars().skip(first).take(count).collect())
            }
            ("[]", Value::Text(part)) if text.contains(part.as_str()) => argument.clone(),
            ("[]", Value::Text(_)) => Value::Nil,
            ("[]", Value::Regex(_)) => {
                let found = pattern::regex(argument)?.find(text);
                found.map_or(Value::Nil, |it| Value::text(it.as_str()))
            }
            ("=~" | "match" | "match?" | "!~", Value::Regex(_) | Value::Text(_)) => {
                pattern::find(text, argument, name)?
            }
            ("<=>", Value::Text(other)) => Value::Integer(text.cmp(other.as_str()) as i64),
            ("<", Value::Text(other)) => Value::Bool(text < other.as_str()),
            (">", Value::Text(other)) => Value::Bool(text > other.as_str()),
            ("index", Value::Text(part)) => match text.find(part.as_str()) {
                Some(index) => Value::Integer(i64::try_from(index).ok()?),
                None => Value::Nil,
            },
            ("to_i", Value::Integer(16)) => Value::Integer(i64::from_str_radix(text, 16).ok()?),
            ("casecmp?", Value::Text(other)) => Value::Bool(text.eq_ignore_ascii_case(other)),
            ("encode" | "force_encoding", _) => Value::text(text),
            _ => return None,
        })
    }
}

fn without_arguments(text: &str, name: &str) -> Option<Value> {
    Some(match name {
        "to_s" | "to_str" | "+@" | "-@" | "b" | "scrub" => Value::text(text),
        "to_sym" | "intern" => Value::Symbol(text.to_owned()),
        "to_i" => Value::Integer(leading_integer(text)),
        "to_f" => {
            let number = text.trim().parse::<f64>();
            Value::Float(number.unwrap_or(0.0))
        }
        "length" | "size" => Value::Integer(i64::try_from(text.chars().count()).ok()?),
        "upcase" => Value::text(text.to_uppercase()),
        "downcase" => Value::text(text.to_lowercase()),
        "capitalize" => {
            let mut characters = text.chars();
            let first = characters.next().map(|it| it.to_uppercase().to_string());
            let rest = characters.as_str().to_lowercase();
            Value::text(first.unwrap_or_default() + &rest)
        }
        "strip" => Value::text(text.trim()),
        "lstrip" => Value::text(text.trim_start()),
        "rstrip" | "chomp" => Value::text(text.trim_end()),
        "chop" => {
            let mut characters = text.chars();
            characters.next_back();
            Value::text(characters.as_str())
        }
        "reverse" => Value::Text(text.chars().rev().collect()),
        "empty?" => Value::Bool(text.is_empty()),
        "chars" => Value::list(text.chars().map(|it| Value::text(it.to_string())).collect()),
        "split" => Value::list(text.split_whitespace().map(Value::text).collect()),
        "ord" => Value::Integer(i64::from(u32::from(text.chars().next()?))),
        "succ" | "next" => successor(text)?,
        _ => return None,
    })
}

/// As `to_i` has it: what follows the digits doesn't count, and nothing is 0.
fn leading_integer(text: &str) -> i64 {
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let digits: String = digits
        .chars()
        .filter(|it| *it != '_')
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse::<i64>().map_or(0, |it| it * sign)
}

/// The next of numbered names: "node9" and "node10".
fn successor(text: &str) -> Option<Value> {
    let digits = text.len() - text.trim_end_matches(|it: char| it.is_ascii_digit()).len();
    if digits == 0 {
        let last = text
            .chars()
            .next_back()
            .filter(|it| matches!(it, 'a'..='y' | 'A'..='Y'))?;
        let next = char::from(u8::try_from(last).ok()? + 1);
        return Some(Value::text(format!("{}{next}", &text[..text.len() - 1])));
    }
    let (name, number) = text.split_at(text.len() - digits);
    let number: u64 = number.parse::<u64>().ok()?.checked_add(1)?;
    Some(Value::text(format!("{name}{number:0digits$}")))
}

fn pad(text: &str, width: i64, fill: &str, left: bool) -> Option<Value> {
    let width = usize::try_from(width)
        .ok()
        .filter(|it| *it < MAXIMUM_LENGTH)?;
    let missing = width.saturating_sub(text.chars().count());
    let fill: String = fill.chars().cycle().take(missing).collect();
    Some(Value::text(if left {
        fill + text
    } else {
        text.to_owned() + &fill
    }))
}

/// Ruby writes groups as `\1`, the library as `$1`.
fn replacement(text: &str) -> String {
    let escaped = text.replace('$', "$$");
    match Regex::new(r"\\(\d)") {
        Ok(group) => group.replace_all(&escaped, "$${$1}").into_owned(),
        Err(_) => escaped,
    }
}
