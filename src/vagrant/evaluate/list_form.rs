//! Arrays in another form: turned, sorted, cut, and put together with others.

use std::rc::Rc;

use super::shared::Shared;
use super::value::{Object, Value, Why};
use super::{Evaluator, MAXIMUM_ITEMS};

/// The same elements in another form.
pub(super) fn rearranged(items: &[Value], name: &str, arguments: &[Value]) -> Option<Value> {
    let list = |items: Vec<Value>| Some(Value::list(items));
    match (name, arguments) {
        ("reverse" | "reverse_each", []) => list(items.iter().rev().cloned().collect()),
        ("flatten", []) => list(flatten(items.to_vec(), 8)),
        ("flatten", [Value::Integer(depth)]) => list(flatten(
            items.to_vec(),
            usize::try_from(*depth).unwrap_or(8),
        )),
        // What such objects are ordered by isn't followed.
        ("sort", _) if has_objects(items) => None,
        ("sort", []) => Some(sorted(items).map_or_else(Value::Unknown, Value::list)),
        // Of a range of texts.
        ("step" | "%", [Value::Integer(step)]) if *step > 0 => {
            let step = usize::try_from(*step).ok()?;
            list(items.iter().step_by(step).cloned().collect())
        }
        ("rotate", []) => list(rotated(items, 1)),
        ("rotate", [Value::Integer(count)]) => list(rotated(items, *count)),
        ("to_h", []) => Some(pairs(items.to_vec())),
        ("each_with_index" | "with_index", []) => list(numbered(items.to_vec(), 0)),
        ("each_with_index" | "with_index", [Value::Integer(first)]) => {
            list(numbered(items.to_vec(), *first))
        }
        ("each_slice", [Value::Integer(size)]) if *size > 0 => list(slices(items, *size)),
        ("each_cons", [Value::Integer(size)]) if *size > 0 => {
            let size = usize::try_from(*size).ok()?;
            list(
                items
                    .windows(size)
                    .map(|it| Value::list(it.to_vec()))
                    .collect(),
            )
        }
        ("tally", []) => {
            let mut found = super::shared::Pairs::default();
            for item in items {
                let count = match found.get(item) {
                    Some(Value::Integer(count)) => count + 1,
                    _ => 1,
                };
                found.set(item.clone(), Value::Integer(count));
            }
            Some(Value::Map(Shared::new(found)))
        }
        _ => None,
    }
}

/// The elements with those of another list.
pub(super) fn combined(items: &[Value], name: &str, arguments: &[Value]) -> Option<Value> {
    let [other] = arguments else {
        return None;
    };
    if let ("*", Value::Integer(count)) = (name, other) {
        let count = usize::try_from(*count).ok()?;
        let is_short = items.len().saturating_mul(count) <= MAXIMUM_ITEMS;
        let repeated = || items.iter().cycle().take(items.len() * count).cloned();
        return is_short.then(|| Value::list(repeated().collect()));
    }
    if let ("*", Value::Text(_)) = (name, other) {
        return super::list::question(items, "join", arguments);
    }
    let others = Evaluator::elements(other)?;
    let has = |list: &[Value], item: &Value| list.iter().any(|it| it.is_same(item));
    let unknown = items.iter().chain(&others).find_map(Value::why);
    if let ("-" | "&" | "|" | "difference" | "intersection" | "union", Some(why)) = (name, unknown)
    {
        return Some(Value::Unknown(Rc::clone(why)));
    }
    let both = |others: Vec<Value>| [items.to_vec(), others].concat();
    let found = match name {
        "+" => both(others),
        "|" | "union" => return super::list::part(&both(others), "uniq", &[]),
        "-" | "difference" => items
            .iter()
            .filter(|it| !has(&others, it))
            .cloned()
            .collect(),
        "&" | "intersection" => items
            .iter()
            .filter(|it| has(&others, it))
            .cloned()
            .collect(),
        "zip" => {
            let pair = |(index, item): (usize, &Value)| {
                Value::list(vec![
                    item.clone(),
                    Value::or_nil(others.get(index).cloned()),
                ])
            };
            items.iter().enumerate().map(pair).collect()
        }
        "product" if items.len().saturating_mul(others.len()) <= MAXIMUM_ITEMS => {
            let pairs = |item: &Value| {
                let pair = |other: &Value| Value::list(vec![item.clone(), other.clone()]);
                others.iter().map(pair).collect::<Vec<_>>()
            };
            items.iter().flat_map(pairs).collect()
        }
        "<=>" => {
            return Some(Value::Integer(
                order(&Value::list(items.to_vec()), other) as i64
            ));
        }
        _ => return None,
    };
    (found.len() <= MAXIMUM_ITEMS).then(|| Value::list(found))
}

pub(super) fn numbered(items: Vec<Value>, first: i64) -> Vec<Value> {
    let pair = |(item, index): (Value, i64)| Value::list(vec![item, Value::Integer(index)]);
    items.into_iter().zip(first..).map(pair).collect()
}

pub(super) fn slices(items: &[Value], size: i64) -> Vec<Value> {
    let slices = items.chunks(usize::try_from(size).unwrap_or(1).max(1));
    slices.map(|it| Value::list(it.to_vec())).collect()
}

pub(super) fn pairs(items: Vec<Value>) -> Value {
    let pair = |item: Value| match item {
        Value::List(parts) => match &parts.borrow()[..] {
            [key, value] => Some((key.clone(), value.clone())),
            _ => None,
        },
        _ => None,
    };
    Value::map(items.into_iter().filter_map(pair).collect())
}

pub(super) fn flatten(items: Vec<Value>, depth: usize) -> Vec<Value> {
    let mut flat = Vec::new();
    for item in items {
        match item {
            Value::List(inner) if depth > 0 && flat.len() < MAXIMUM_ITEMS => {
                let inner = inner.borrow().clone();
                flat.extend(flatten(inner, depth - 1));
            }
            other => flat.push(other),
        }
    }
    flat
}

fn rotated(items: &[Value], count: i64) -> Vec<Value> {
    let mut items = items.to_vec();
    if let Ok(length) = i64::try_from(items.len())
        && length > 0
    {
        items.rotate_left(usize::try_from(count.rem_euclid(length)).unwrap_or(0));
    }
    items
}

pub(super) fn sorted(items: &[Value]) -> Result<Vec<Value>, Rc<Why>> {
    if let Some(why) = items.iter().find_map(Value::why_within) {
        return Err(why);
    }
    let mut items = items.to_vec();
    items.sort_by(order);
    Ok(items)
}

/// Tells whether there are objects of classes of the file.
pub(super) fn has_objects(items: &[Value]) -> bool {
    let is_object = |it: &Value| matches!(it, Value::Object(Object::Instance { .. }));
    items.iter().any(is_object)
}

/// `<=>` of numbers, texts and lists of them.
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
        (Value::Object(Object::Address(a)), Value::Object(Object::Address(b))) => a.cmp(b),
        _ => match (a.number(), b.number()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.to_text().cmp(&b.to_text()),
        },
    }
}
