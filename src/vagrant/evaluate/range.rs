//! `1..3`, `1.upto(3)` and `3.times`.

use std::ops::Range;

use super::given::Given;
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
            // Without an end it takes the rest of a list or text.
            (Value::Integer(first), Value::Nil) => Value::Range {
                first: *first,
                last: i64::MAX,
            },
            (Value::Integer(first), Value::Integer(last)) => {
                let last = last.saturating_sub(i64::from(exclusive));
                if is_short(*first, last) {
                    let first = *first;
                    Value::Range { first, last }
                } else {
                    self.unknown(span, "the range is too long")
                }
            }
            (Value::Text(first), Value::Text(last)) => {
                match texts(&first.text(), &last.text(), exclusive) {
                    Some(items) => Value::list(items),
                    None => self.unknown(span, "the range is too long"),
                }
            }
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
        if !is_short(first, last) {
            return Ok(match (name, arguments) {
                ("first" | "begin" | "min", []) => Some(Value::Integer(first)),
                ("first" | "take", [Value::Integer(count)]) if is_short(0, *count) => {
                    let end = first.saturating_add(*count).saturating_sub(1);
                    Some(Value::list(items(first, end).collect()))
                }
                ("include?" | "member?" | "cover?" | "===", [Value::Integer(number)]) => {
                    Some(Value::Bool((first..=last).contains(number)))
                }
                _ => None,
            });
        }
        Ok(Some(match (name, arguments) {
            ("each", []) => {
                self.results(items(first, last).collect(), given, span)?;
                whole()
            }
            ("step" | "%", [Value::Integer(step)]) if *step > 0 => {
                let step = usize::try_from(*step).unwrap_or(1);
                let found: Vec<Value> = items(first, last).step_by(step).collect();
                if given.is_none() {
                    return Ok(Some(Value::list(found)));
                }
                self.results(found, given, span)?;
                whole()
            }
            ("include?" | "member?" | "cover?" | "===", [Value::Integer(number)]) => {
                Value::Bool((first..=last).contains(number))
            }
            ("include?" | "===" | "cover?", [_]) => Value::Bool(false),
            ("first" | "begin", []) => Value::Integer(first),
            ("last" | "end", []) => Value::Integer(last),
            ("size" | "count" | "length", []) if given.is_none() => {
                Value::Integer((last.saturating_sub(first).saturating_add(1)).max(0))
            }
            _ => {
                let numbers = super::shared::Shared::new(items(first, last).collect());
                return self.list_method(&numbers, name, arguments, given, span);
            }
        }))
    }
}

/// `"a".."e"`, `"01".."12"`: the successors of the first, until the last or one that is longer.
fn texts(first: &str, last: &str, exclusive: bool) -> Option<Vec<Value>> {
    let mut items = Vec::new();
    let mut text = first.to_owned();
    while text.chars().count() <= last.chars().count() && items.len() < MAXIMUM_ITEMS {
        let is_last = text == last;
        if !(is_last && exclusive) {
            items.push(Value::text(text.as_str()));
        }
        if is_last {
            return Some(items);
        }
        text = super::characters::successor(&text)?;
    }
    (items.len() < MAXIMUM_ITEMS).then_some(items)
}
