//! Methods of arrays.

use std::ops::Range;
use std::rc::Rc;

use super::given::Given;
use super::list_form::{combined, flatten, has_objects, rearranged, sorted};
use super::shared::Shared;
use super::value::Value;
use super::{Evaluator, Flow, MAXIMUM_ITEMS};

/// Puts a value at an index, if that is in reach.
pub(super) fn store(items: &mut Vec<Value>, index: i64, value: Value) {
    let Some(index) = position(items.len(), index).filter(|it| *it < MAXIMUM_ITEMS) else {
        return;
    };
    if index >= items.len() {
        items.resize(index + 1, Value::Nil);
    }
    items[index] = value;
}

/// Where an index lies; -1 is the last.
pub(super) fn position(length: usize, index: i64) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

impl Evaluator {
    pub(super) fn list_method(
        &mut self,
        list: &Rc<Shared<Vec<Value>>>,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        let own = Value::List(Rc::clone(list));
        let items = list.borrow().clone();
        if let Some(given) = given {
            return self.with_block(&own, items, name, arguments, given, span);
        }
        if let (
            "each" | "map" | "collect" | "to_a" | "entries" | "to_ary" | "lazy" | "force"
            | "to_set",
            [],
        ) = (name, arguments)
        {
            return Ok(Some(own));
        }
        let found = element(&items, name, arguments)
            .or_else(|| part(&items, name, arguments))
            .or_else(|| question(&items, name, arguments))
            .or_else(|| rearranged(&items, name, arguments))
            .or_else(|| combined(&items, name, arguments));
        match found {
            Some(value) => Ok(Some(value)),
            None => self.calculated(items, name, arguments, span),
        }
    }

    /// Methods that ask the elements.
    fn calculated(
        &mut self,
        items: Vec<Value>,
        name: &str,
        arguments: &[Value],
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        let mut items = items.into_iter();
        let (start, sign): (Value, Rc<str>) = match (name, arguments) {
            ("dig", [Value::Integer(index), rest @ ..]) => {
                let index = position(items.len(), *index);
                let item = Value::or_nil(index.and_then(|it| items.nth(it)));
                return Ok(Some(match item {
                    Value::Nil => item,
                    item => self.method(&item, "dig", rest.to_vec(), None, span)?,
                }));
            }
            ("fetch", [Value::Integer(index)]) => {
                let message = format!("index {index} outside of array bounds");
                return self.fail(span, "IndexError", &message).map(Some);
            }
            ("sum", []) => (Value::Integer(0), "+".into()),
            ("sum", [start]) => (start.clone(), "+".into()),
            ("reduce" | "inject", [Value::Symbol(sign)]) => {
                (Value::or_nil(items.next()), Rc::clone(sign))
            }
            ("reduce" | "inject", [start, Value::Symbol(sign)]) => (start.clone(), Rc::clone(sign)),
            _ => return Ok(None),
        };
        let mut sum = start;
        for item in items {
            sum = self.method(&sum, &sign, vec![item], None, span)?;
        }
        Ok(Some(sum))
    }
}

/// One element.
fn element(items: &[Value], name: &str, arguments: &[Value]) -> Option<Value> {
    let at = |index: i64| {
        position(items.len(), index)
            .and_then(|it| items.get(it))
            .cloned()
    };
    Some(match (name, arguments) {
        ("[]" | "at" | "dig" | "slice", [Value::Integer(index)]) => Value::or_nil(at(*index)),
        ("fetch", [Value::Integer(index)]) => at(*index)?,
        ("fetch", [Value::Integer(index), default]) => {
            at(*index).unwrap_or_else(|| default.clone())
        }
        ("first", []) => Value::or_nil(items.first().cloned()),
        ("last", []) => Value::or_nil(items.last().cloned()),
        ("min" | "max", []) if !has_objects(items) => {
            let items = match sorted(items) {
                Ok(items) => items,
                Err(why) => return Some(Value::Unknown(why)),
            };
            let found = if name == "min" {
                items.first()
            } else {
                items.last()
            };
            Value::or_nil(found.cloned())
        }
        ("values_at", indexes) => {
            let value = |it: &Value| match it {
                Value::Integer(index) => Some(Value::or_nil(at(*index))),
                _ => None,
            };
            Value::list(indexes.iter().map(value).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// Some of the elements.
pub(super) fn part(items: &[Value], name: &str, arguments: &[Value]) -> Option<Value> {
    let count = |number: &i64| usize::try_from(*number).ok();
    let from = |first: usize, count: usize| {
        Value::list(items.iter().skip(first).take(count).cloned().collect())
    };
    Some(match (name, arguments) {
        ("[]" | "slice", [Value::Range { first, last }]) => {
            let first = position(items.len(), *first).filter(|it| *it <= items.len());
            let end = position(items.len(), *last).map_or(0, |it| it + 1);
            match first {
                Some(first) => from(first, end.saturating_sub(first)),
                None => Value::Nil,
            }
        }
        ("[]" | "slice", [Value::Integer(first), Value::Integer(number)]) => {
            match position(items.len(), *first).filter(|it| *it <= items.len()) {
                Some(first) => from(first, count(number)?),
                None => Value::Nil,
            }
        }
        ("first" | "take", [Value::Integer(number)]) => from(0, count(number)?),
        ("last", [Value::Integer(number)]) => {
            let number = count(number)?.min(items.len());
            from(items.len() - number, number)
        }
        ("drop", [Value::Integer(number)]) => from(count(number)?, items.len()),
        ("compact", []) => {
            let kept = items
                .iter()
                .filter(|it| !matches!(it, Value::Nil | Value::Unset(_)));
            Value::list(kept.cloned().collect())
        }
        ("uniq", []) => {
            let mut kept: Vec<Value> = Vec::new();
            for item in items {
                if !kept.iter().any(|it| it.is_same(item)) {
                    kept.push(item.clone());
                }
            }
            Value::list(kept)
        }
        _ => return None,
    })
}

/// What is asked about all elements.
pub(super) fn question(items: &[Value], name: &str, arguments: &[Value]) -> Option<Value> {
    Some(match (name, arguments) {
        ("length" | "size" | "count", []) => Value::count(items.len()),
        ("empty?", []) => Value::Bool(items.is_empty()),
        ("any?" | "none?" | "all?", []) => {
            let is_true: Option<Vec<bool>> = items.iter().map(Value::is_true).collect();
            let is_true = is_true?;
            Value::Bool(match name {
                "any?" => is_true.contains(&true),
                "none?" => !is_true.contains(&true),
                _ => !is_true.contains(&false),
            })
        }
        ("include?" | "member?", [value]) => {
            let found = items.iter().any(|it| it.is_same(value));
            match items.iter().chain([value]).find_map(Value::why) {
                Some(why) if !found => Value::Unknown(Rc::clone(why)),
                _ => Value::Bool(found),
            }
        }
        ("index" | "find_index", [value]) => {
            let index = items.iter().position(|it| it.is_same(value));
            index.map_or(Value::Nil, Value::count)
        }
        ("count", [value]) => Value::count(items.iter().filter(|it| it.is_same(value)).count()),
        ("join", separator) => {
            let separator = separator
                .first()
                .and_then(Value::as_text)
                .unwrap_or_default();
            if let Some(why) = items.iter().find_map(Value::why) {
                return Some(Value::Unknown(Rc::clone(why)));
            }
            let flat = flatten(items.to_vec(), 8);
            let texts: Option<Vec<Rc<str>>> = flat.iter().map(Value::to_text).collect();
            Value::text(texts?.join(&*separator))
        }
        _ => return None,
    })
}
