//! Methods of arrays.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use super::call::Given;
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
fn position(length: usize, index: i64) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

impl Evaluator {
    pub(super) fn list_method(
        &mut self,
        list: &Rc<RefCell<Vec<Value>>>,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        let own = || Value::List(Rc::clone(list));
        let adds = matches!(
            name,
            "push" | "append" | "<<" | "concat" | "unshift" | "prepend"
        );
        if adds {
            let is_full = list.borrow().len() >= MAXIMUM_ITEMS;
            let more = match arguments {
                [Value::List(more)] if name == "concat" => more.borrow().clone(),
                _ if name == "concat" => return Ok(None),
                values => values.to_vec(),
            };
            let mut items = list.borrow_mut();
            match name {
                _ if is_full => return Ok(None),
                "unshift" | "prepend" => drop(items.splice(0..0, more)),
                _ => items.extend(more),
            }
            drop(items);
            return Ok(Some(own()));
        }
        let items = list.borrow().clone();
        if let Some(given) = given {
            return self.with_block(own(), items, name, arguments, given, span);
        }
        Ok(Some(match (name, arguments) {
            ("pop", []) => list.borrow_mut().pop().unwrap_or(Value::Nil),
            ("shift", []) if !items.is_empty() => list.borrow_mut().remove(0),
            ("[]" | "at" | "dig", [Value::Integer(index)]) => {
                let index = position(items.len(), *index);
                let item = index.and_then(|it| items.get(it));
                item.cloned().unwrap_or(Value::Nil)
            }
            ("dig", [Value::Integer(index), rest @ ..]) => {
                let index = position(items.len(), *index);
                let item = index.and_then(|it| items.get(it)).cloned();
                self.method(
                    &item.unwrap_or(Value::Nil),
                    "dig",
                    rest.to_vec(),
                    None,
                    span,
                )?
            }
            ("[]" | "slice", [Value::Range { first, last }]) => {
                let end = position(items.len(), *last).map_or(0, |it| it + 1);
                let start = position(items.len(), *first).unwrap_or(0);
                let end = end.min(items.len());
                Value::list(items.get(start..end).unwrap_or_default().to_vec())
            }
            ("[]" | "slice", [Value::Integer(first), Value::Integer(count)]) => {
                let start = position(items.len(), *first).unwrap_or(0);
                let count = usize::try_from(*count).unwrap_or(0);
                Value::list(items.into_iter().skip(start).take(count).collect())
            }
            ("fetch", [Value::Integer(index), default @ ..]) => {
                let index = position(items.len(), *index);
                let item = index.and_then(|it| items.get(it)).or(default.first());
                item.cloned().unwrap_or(Value::Nil)
            }
            ("first", []) => items.first().cloned().unwrap_or(Value::Nil),
            ("last", []) => items.last().cloned().unwrap_or(Value::Nil),
            ("first" | "take", [Value::Integer(count)]) => {
                let count = usize::try_from(*count).unwrap_or(0);
                Value::list(items.into_iter().take(count).collect())
            }
            ("last", [Value::Integer(count)]) => {
                let count = usize::try_from(*count).unwrap_or(0);
                let skipped = items.len().saturating_sub(count);
                Value::list(items.into_iter().skip(skipped).collect())
            }
            ("drop", [Value::Integer(count)]) => {
                let count = usize::try_from(*count).unwrap_or(0);
                Value::list(items.into_iter().skip(count).collect())
            }
            ("length" | "size" | "count", []) => Value::Integer(length(items.len())),
            ("empty?" | "none?", []) => Value::Bool(items.is_empty()),
            ("any?", []) => Value::Bool(!items.is_empty()),
            ("include?" | "member?", [value]) => {
                let found = items.iter().any(|it| it.is_same(value));
                match items.iter().chain([value]).find_map(Value::why) {
                    Some(why) if !found => Value::Unknown(Rc::clone(why)),
                    _ => Value::Bool(found),
                }
            }
            ("index" | "find_index", [value]) => {
                let index = items.iter().position(|it| it.is_same(value));
                index.map_or(Value::Nil, |it| Value::Integer(length(it)))
            }
            ("join", separator) => {
                let separator = separator.first().and_then(Value::as_text).unwrap_or("");
                if let Some(why) = items.iter().find_map(Value::why) {
                    return Ok(Some(Value::Unknown(Rc::clone(why))));
                }
                let texts: Option<Vec<String>> = items.iter().map(Value::to_text).collect();
                return Ok(texts.map(|texts| Value::Text(texts.join(separator))));
            }
            ("reverse", []) => Value::list(items.into_iter().rev().collect()),
            ("compact", []) => {
                let kept = items.into_iter().filter(|it| !matches!(it, Value::Nil));
                Value::list(kept.collect())
            }
            ("flatten", []) => Value::list(flatten(items, 8)),
            ("uniq", []) => {
                let mut kept: Vec<Value> = Vec::new();
                for item in items {
                    if !kept.iter().any(|it| it.is_same(&item)) {
                        kept.push(item);
                    }
                }
                Value::list(kept)
            }
            ("sort" | "min" | "max", []) => {
                let mut items = items;
                if let Some(why) = items.iter().find_map(Value::why) {
                    return Ok(Some(Value::Unknown(Rc::clone(why))));
                }
                items.sort_by(order);
                match name {
                    "sort" => Value::list(items),
                    "min" => items.into_iter().next().unwrap_or(Value::Nil),
                    _ => items.pop().unwrap_or(Value::Nil),
                }
            }
            ("sum", []) => {
                let mut sum = Value::Integer(0);
                for item in items {
                    sum = self.method(&sum, "+", vec![item], None, span)?;
                }
                sum
            }
            ("reduce" | "inject", [Value::Symbol(sign)]) => {
                let sign = sign.clone();
                let mut items = items.into_iter();
                let mut sum = items.next().unwrap_or(Value::Nil);
                for item in items {
                    sum = self.method(&sum, &sign, vec![item], None, span)?;
                }
                sum
            }
            ("+" | "|", [Value::List(more)]) if items.len() < MAXIMUM_ITEMS => {
                Value::list([items, more.borrow().clone()].concat())
            }
            ("-", [Value::List(less)]) => {
                let less = less.borrow();
                let kept = items
                    .into_iter()
                    .filter(|it| !less.iter().any(|other| other.is_same(it)));
                Value::list(kept.collect())
            }
            ("*", [Value::Integer(count)]) => {
                let count = usize::try_from(*count).unwrap_or(0);
                if items.len().saturating_mul(count) > MAXIMUM_ITEMS {
                    return Ok(None);
                }
                Value::list(std::iter::repeat_n(items, count).flatten().collect())
            }
            ("zip", [Value::List(others)]) => {
                let others = others.borrow();
                let pair = |(index, item): (usize, Value)| {
                    let other = others.get(index).cloned().unwrap_or(Value::Nil);
                    Value::list(vec![item, other])
                };
                Value::list(items.into_iter().enumerate().map(pair).collect())
            }
            ("each_with_index" | "with_index" | "each", []) => match name {
                "each" => own(),
                _ => Value::list(numbered(items, 0)),
            },
            ("each_slice", [Value::Integer(size)]) if *size > 0 => {
                let size = usize::try_from(*size).unwrap_or(1);
                let slices = items.chunks(size).map(|it| Value::list(it.to_vec()));
                Value::list(slices.collect())
            }
            ("map" | "collect" | "to_a" | "entries" | "to_ary" | "lazy", []) => own(),
            ("to_h", []) => pairs(items),
            ("delete", [value]) => {
                list.borrow_mut().retain(|it| !it.is_same(value));
                value.clone()
            }
            ("values_at", indexes) => {
                let mut found = Vec::new();
                for index in indexes {
                    if let Value::Integer(index) = index {
                        let item = position(items.len(), *index).and_then(|it| items.get(it));
                        found.push(item.cloned().unwrap_or(Value::Nil));
                    }
                }
                Value::list(found)
            }
            _ => return Ok(None),
        }))
    }
}

pub(super) fn numbered(items: Vec<Value>, first: i64) -> Vec<Value> {
    let pair = |(item, index): (Value, i64)| Value::list(vec![item, Value::Integer(index)]);
    items.into_iter().zip(first..).map(pair).collect()
}

pub(super) fn pairs(items: Vec<Value>) -> Value {
    let mut found = Vec::new();
    for item in items {
        if let Value::List(parts) = item
            && let [key, value] = &parts.borrow()[..]
        {
            super::map::insert(&mut found, key.clone(), value.clone());
        }
    }
    Value::map(found)
}

pub(super) fn flatten(items: Vec<Value>, depth: usize) -> Vec<Value> {
    let mut flat = Vec::new();
    for item in items {
        match item {
            Value::List(inner) if depth > 0 => {
                let inner = inner.borrow().clone();
                flat.extend(flatten(inner, depth - 1));
            }
            other => flat.push(other),
        }
    }
    flat
}

pub(super) fn order(a: &Value, b: &Value) -> std::cmp::Ordering {
    match (a, b) {
        (Value::List(a), Value::List(b)) => {
            let (a, b) = (a.borrow(), b.borrow());
            let parts = a.iter().zip(b.iter()).map(|(a, b)| match (a, b) {
                (Value::List(_), _) => std::cmp::Ordering::Equal,
                _ => order(a, b),
            });
            parts
                .fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
                .then(a.len().cmp(&b.len()))
        }
        _ => match (a.number(), b.number()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.to_text().cmp(&b.to_text()),
        },
    }
}

pub(super) fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
