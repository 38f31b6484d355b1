//! Methods of texts and symbols.

use std::ops::Range;
use std::rc::Rc;

use super::characters::{characters, pad, successor, translated, without};
use super::given::Given;
use super::value::Value;
use super::{Evaluator, Flow, MAXIMUM_LENGTH, format, number};

impl Evaluator {
    pub(super) fn text_method(
        &mut self,
        receiver: &Value,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        let text = receiver.as_text().unwrap_or_default();
        let text = &*text;
        if let Value::Symbol(symbol) = receiver
            && let ("to_proc" | "to_sym", []) = (name, arguments)
        {
            return Ok(Some(Value::Symbol(Rc::clone(symbol))));
        }
        if let Some(value) = self.search(text, name, arguments, given, span)? {
            return Ok(Some(value));
        }
        if let Some(items) = parts_of(text, name, arguments) {
            if given.is_none() {
                return Ok(Some(Value::list(items)));
            }
            self.results(items, given, span)?;
            return Ok(Some(receiver.clone()));
        }
        if name == "%"
            && let [value] = arguments
        {
            return Ok(format::text(text, value));
        }
        if let ("upto", [Value::Text(last)]) = (name, arguments)
            && let Value::List(items) =
                self.range(span, receiver, &Value::Text(Rc::clone(last)), false)
        {
            let items = items.borrow().clone();
            self.results(items, given, span)?;
            return Ok(Some(receiver.clone()));
        }
        Ok(match arguments {
            [] => converted(text, name)
                .or_else(|| changed(text, name))
                .or_else(|| question(text, name)),
            _ => with_number(text, name, arguments)
                .or_else(|| with_range(text, name, arguments))
                .or_else(|| with_texts(text, name, arguments)),
        })
    }
}

fn converted(text: &str, name: &str) -> Option<Value> {
    Some(match name {
        "to_s" | "to_str" | "+@" | "-@" | "b" | "scrub" | "encode" | "unicode_normalize" => {
            Value::text(text)
        }
        "to_sym" | "intern" => Value::symbol(text),
        "to_i" => Value::Integer(number::leading_integer(text)),
        "to_f" => Value::Float(number::leading_float(text)),
        "hex" => {
            Value::Integer(i64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap_or(0))
        }
        "ord" => Value::Integer(i64::from(u32::from(text.chars().next()?))),
        _ => return None,
    })
}

fn changed(text: &str, name: &str) -> Option<Value> {
    Some(Value::text(match name {
        "upcase" => text.to_uppercase(),
        "downcase" => text.to_lowercase(),
        "swapcase" => {
            let swap = |it: char| {
                if it.is_uppercase() {
                    it.to_ascii_lowercase()
                } else {
                    it.to_ascii_uppercase()
                }
            };
            text.chars().map(swap).collect()
        }
        "capitalize" => {
            let mut characters = text.chars();
            let first = characters.next().map(|it| it.to_uppercase().to_string());
            first.unwrap_or_default() + &characters.as_str().to_lowercase()
        }
        "strip" => text
            .trim_matches(|it: char| it.is_whitespace() || it == '\0')
            .to_owned(),
        "lstrip" => text.trim_start().to_owned(),
        "rstrip" => text.trim_end().to_owned(),
        "chomp" => {
            let line = text.strip_suffix('\n').unwrap_or(text);
            line.strip_suffix('\r').unwrap_or(line).to_owned()
        }
        "chop" => {
            let mut characters = text.chars();
            characters.next_back();
            characters.as_str().to_owned()
        }
        "reverse" => text.chars().rev().collect(),
        "squeeze" => {
            let mut squeezed = String::new();
            for character in text.chars() {
                if !squeezed.ends_with(character) {
                    squeezed.push(character);
                }
            }
            squeezed
        }
        "succ" | "next" => successor(text)?,
        _ => return None,
    }))
}

fn question(text: &str, name: &str) -> Option<Value> {
    Some(match name {
        "length" | "size" => Value::count(text.chars().count()),
        "bytesize" => Value::count(text.len()),
        "empty?" => Value::Bool(text.is_empty()),
        "ascii_only?" => Value::Bool(text.is_ascii()),
        _ => return None,
    })
}

/// Takes a text apart.
fn parts_of(text: &str, name: &str, arguments: &[Value]) -> Option<Vec<Value>> {
    Some(match (name, arguments) {
        ("chars" | "each_char", []) => text.chars().map(|it| Value::text(it.to_string())).collect(),
        ("bytes" | "each_byte", []) => text.bytes().map(|it| Value::Integer(it.into())).collect(),
        ("lines" | "each_line", []) => text.split_inclusive('\n').map(Value::text).collect(),
        _ => return None,
    })
}

fn with_number(text: &str, name: &str, arguments: &[Value]) -> Option<Value> {
    let [Value::Integer(number), rest @ ..] = arguments else {
        return None;
    };
    let length = text.chars().count();
    Some(match (name, rest) {
        ("*", []) => {
            let count = usize::try_from(*number).ok()?;
            let is_short = text.len().checked_mul(count)? <= MAXIMUM_LENGTH;
            Value::text(is_short.then(|| text.repeat(count))?)
        }
        ("rjust" | "ljust" | "center", []) => pad(text, *number, " ", name)?,
        ("rjust" | "ljust" | "center", [Value::Text(fill)]) => {
            pad(text, *number, &fill.text(), name)?
        }
        ("[]" | "slice" | "[]?", []) => {
            let at = super::list::position(length, *number);
            let character = at.and_then(|it| text.chars().nth(it));
            character.map_or(Value::Nil, |it| Value::text(it.to_string()))
        }
        ("[]" | "slice", [Value::Integer(count)]) => {
            match super::list::position(length, *number).filter(|it| *it <= length) {
                Some(first) => Value::text(characters(text, first, usize::try_from(*count).ok()?)),
                None => Value::Nil,
            }
        }
        ("to_i", []) => {
            let radix = u32::try_from(*number)
                .ok()
                .filter(|it| (2..=36).contains(it))?;
            let prefix = match radix {
                2 => "0b",
                8 => "0o",
                16 => "0x",
                _ => "",
            };
            let digits = text.trim_start().to_lowercase();
            let digits = digits.strip_prefix(prefix).unwrap_or(&digits);
            let digits: String = digits.chars().take_while(|it| it.is_digit(radix)).collect();
            Value::Integer(i64::from_str_radix(&digits, radix).unwrap_or(0))
        }
        _ => return None,
    })
}

fn with_range(text: &str, name: &str, arguments: &[Value]) -> Option<Value> {
    let ("[]" | "slice", [Value::Range { first, last }]) = (name, arguments) else {
        return None;
    };
    let length = text.chars().count();
    let Some(first) = super::list::position(length, *first).filter(|it| *it <= length) else {
        return Some(Value::Nil);
    };
    let end = super::list::position(length, *last).map_or(0, |it| it + 1);
    Some(Value::text(characters(
        text,
        first,
        end.saturating_sub(first),
    )))
}

fn with_texts(text: &str, name: &str, arguments: &[Value]) -> Option<Value> {
    let parts: Vec<Rc<str>> = arguments
        .iter()
        .map(Value::as_text)
        .collect::<Option<_>>()?;
    let parts: Vec<&str> = parts.iter().map(|it| &**it).collect();
    Some(match (name, &parts[..]) {
        ("+", [more]) if text.len() + more.len() < MAXIMUM_LENGTH => {
            Value::text(format!("{text}{more}"))
        }
        ("include?", [part]) => Value::Bool(text.contains(part)),
        ("start_with?", parts) => Value::Bool(parts.iter().any(|it| text.starts_with(it))),
        ("end_with?", parts) => Value::Bool(parts.iter().any(|it| text.ends_with(it))),
        ("delete_prefix", [part]) => Value::text(text.strip_prefix(part).unwrap_or(text)),
        ("delete_suffix" | "chomp", [part]) => Value::text(text.strip_suffix(part).unwrap_or(text)),
        ("delete", [set]) => Value::text(without(text, set)?),
        ("count", [set]) => {
            Value::count(text.chars().count() - without(text, set)?.chars().count())
        }
        ("tr", [from, to]) => Value::text(translated(text, from, to)?),
        ("[]" | "slice", [part]) if text.contains(part) => Value::text(*part),
        ("[]" | "slice", [_]) => Value::Nil,
        ("index", [part]) => text
            .find(part)
            .map_or(Value::Nil, |it| Value::count(text[..it].chars().count())),
        ("rindex", [part]) => text
            .rfind(part)
            .map_or(Value::Nil, |it| Value::count(text[..it].chars().count())),
        ("<=>", [other]) => Value::Integer(text.cmp(other) as i64),
        ("<", [other]) => Value::Bool(text < *other),
        (">", [other]) => Value::Bool(text > *other),
        ("<=", [other]) => Value::Bool(text <= *other),
        (">=", [other]) => Value::Bool(text >= *other),
        ("casecmp?", [other]) => Value::Bool(text.to_lowercase() == other.to_lowercase()),
        ("casecmp", [other]) => {
            Value::Integer(text.to_ascii_lowercase().cmp(&other.to_ascii_lowercase()) as i64)
        }
        ("encode" | "unicode_normalize", _) => Value::text(text),
        _ => return None,
    })
}
