//! `1..3`, `1.upto(3)` and `3.times`.

use std::ops::Range;

use super::call::Given;
use super::value::Value;
use super::{Evaluator, Flow, MAXIMUM_ITEMS};

/// Tells whether a loop over these numbers is followed.
pub(super) fn is_short(first: i64, last: i64) -> bool {
    let limit = i64::try_from(MAXIMUM_ITEMS).unwrap_or(i64::MAX);
    last.saturating_sub(first) < limit
}

/// Returns the numbers of a range that [`is_short`].
pub(super) fn items(first: i64, last: i64) -> impl Iterator<Item = Value> {
    (first..=last).map(Value::Integer)
}

impl Evaluator {
    pub(super) fn range(
        &mut self,
        span: &Range<usize>,
        first: &Value,
        last: &Value,
        exclusive: bool,
    ) -> Value {
        match (first, last) {
            (Value::Unknown(_), _) => first.clone(),
            (_, Value::Unknown(why) | Value::Unset(why)) => Value::Unknown(std::rc::Rc::clone(why)),
            (Value::Integer(first), Value::Integer(last)) => {
                let last = last.saturating_sub(i64::from(exclusive));
                if is_short(*first, last) {
                    let first = *first;
                    Value::Range { first, last }
                } else {
                    self.unknown(span, "the range is too long")
                }
            }
            (Value::Text(first), Value::Text(last)) => match (letter(first), letter(last)) {
                (Some(first), Some(last)) => {
                    let letters = (first..=last).filter(|it| !exclusive || *it != last);
                    Value::list(letters.map(|it| Value::text(it.to_string())).collect())
                }
                _ => self.unknown(span, "only ranges of numbers and letters are followed"),
            },
            _ => self.unknown(span, "only ranges of numbers and letters are followed"),
        }
    }

    pub(super) fn range_method(
        &mut self,
        first: i64,
        last: i64,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        let whole = || Value::Range { first, last };
        Ok(Some(match (name, arguments) {
            ("each", []) => {
                let stopped = self.each(items(first, last).collect(), given, span, |_, _| true)?;
                stopped.unwrap_or_else(whole)
            }
            ("step", [Value::Integer(step)]) if *step > 0 => {
                let step = usize::try_from(*step).unwrap_or(1);
                let found: Vec<Value> = items(first, last).step_by(step).collect();
                if given.is_none() {
                    return Ok(Some(Value::list(found)));
                }
                let stopped = self.each(found, given, span, |_, _| true)?;
                stopped.unwrap_or_else(whole)
            }
            ("include?" | "member?" | "cover?" | "===", [Value::Integer(number)]) => {
                Value::Bool((first..=last).contains(number))
            }
            ("include?" | "===" | "cover?", [_]) => Value::Bool(false),
            ("first" | "begin" | "min", []) => Value::Integer(first),
            ("last" | "end" | "max", []) => Value::Integer(last),
            ("size" | "count" | "length", []) if given.is_none() => {
                Value::Integer((last.saturating_sub(first).saturating_add(1)).max(0))
            }
            _ => {
                let numbers =
                    std::rc::Rc::new(std::cell::RefCell::new(items(first, last).collect()));
                return self.list_method(&numbers, name, arguments, given, span);
            }
        }))
    }
}

fn letter(text: &str) -> Option<char> {
    let mut characters = text.chars();
    let first = characters.next().filter(char::is_ascii_alphanumeric)?;
    characters.next().is_none().then_some(first)
}
