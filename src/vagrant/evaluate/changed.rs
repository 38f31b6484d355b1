//! What each change does to a list, map or text.

use std::rc::Rc;

use super::shared::{Pairs, Shared};
use super::value::Value;
use super::{Evaluator, MAXIMUM_ITEMS, MAXIMUM_LENGTH, list};

/// `None` for what isn't a change of its own.
pub(super) fn change_list(
    list: &Rc<Shared<Vec<Value>>>,
    name: &str,
    arguments: &[Value],
) -> Option<Value> {
    let own = Value::List(Rc::clone(list));
    if let "<<" | "push" | "append" = name {
        let mut items = list.borrow_mut();
        let is_short = items.len() + arguments.len() <= MAXIMUM_ITEMS;
        return is_short.then(|| {
            items.extend_from_slice(arguments);
            own
        });
    }
    // A copy: what is compared may be the list itself.
    let mut items = list.borrow().clone();
    let (items_before, count) = (items.len(), |count: &i64| usize::try_from(*count).ok());
    let result = match (name, arguments) {
        ("unshift" | "prepend", more) => {
            items.splice(0..0, more.iter().cloned());
            own
        }
        ("concat", lists) => {
            for list in lists {
                items.extend(Evaluator::elements(list)?);
            }
            own
        }
        ("insert", [Value::Integer(index), more @ ..]) => {
            let index = match index {
                0.. => usize::try_from(*index)
                    .ok()
                    .filter(|it| *it <= items.len())?,
                // -1 is behind the last.
                _ => (items.len() + 1).checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
            };
            items.splice(index..index, more.iter().cloned());
            own
        }
        ("replace", [Value::List(other)]) => {
            items.clone_from(&other.borrow());
            own
        }
        ("clear", []) => {
            items.clear();
            own
        }
        ("fill", [value]) => {
            items.fill(value.clone());
            own
        }
        ("pop", []) => Value::or_nil(items.pop()),
        ("shift", []) if items.is_empty() => Value::Nil,
        ("shift", []) => items.remove(0),
        ("shift", [Value::Integer(number)]) => {
            let number = count(number)?.min(items.len());
            Value::list(items.drain(..number).collect())
        }
        ("pop", [Value::Integer(number)]) => {
            let first = items.len().saturating_sub(count(number)?);
            Value::list(items.drain(first..).collect())
        }
        ("delete", [value]) => {
            items.retain(|it| !it.is_same(value));
            if items.len() == items_before {
                Value::Nil
            } else {
                value.clone()
            }
        }
        ("delete_at" | "slice!", [Value::Integer(index)]) => {
            match list::position(items.len(), *index).filter(|it| *it < items_before) {
                Some(index) => items.remove(index),
                None => Value::Nil,
            }
        }
        _ => return None,
    };
    if items.len() > MAXIMUM_ITEMS {
        return None;
    }
    list.replace(items);
    Some(result)
}

pub(super) fn change_map(
    map: &Rc<Shared<Pairs>>,
    name: &str,
    arguments: &[Value],
) -> Option<Value> {
    let own = Value::Map(Rc::clone(map));
    Some(match (name, arguments) {
        ("store" | "[]=", [key, value]) => {
            map.set(key.clone(), value.clone());
            value.clone()
        }
        ("delete", [key]) => {
            let old = Value::or_nil(own.get(key));
            let mut pairs = map.borrow().clone();
            pairs.retain(|(other, _)| !other.is_same(key));
            map.replace(pairs);
            old
        }
        ("clear", []) => {
            map.borrow_mut().clear();
            own
        }
        ("replace", [Value::Map(other)]) => {
            let pairs = other.borrow().clone();
            map.replace(pairs);
            own
        }
        ("shift", []) => {
            let is_empty = map.borrow().is_empty();
            if is_empty {
                Value::Nil
            } else {
                let (key, value) = map.borrow_mut().remove(0);
                Value::list(vec![key, value])
            }
        }
        ("default=", [value]) => {
            map.borrow_mut().default = Some(value.clone());
            value.clone()
        }
        _ => return None,
    })
}

pub(super) fn change_text(
    text: &Rc<Shared<Rc<str>>>,
    name: &str,
    arguments: &[Value],
) -> Option<Value> {
    let old = text.text();
    let parts: Option<Vec<Rc<str>>> = arguments.iter().map(Value::as_text).collect();
    let new = match (name, arguments, parts.as_deref()) {
        ("<<" | "concat", [Value::Integer(code)], _) => {
            let character = char::from_u32(u32::try_from(*code).ok()?)?;
            format!("{old}{character}")
        }
        ("<<" | "concat", _, Some(parts)) => format!("{old}{}", parts.concat()),
        ("prepend", _, Some(parts)) => format!("{}{old}", parts.concat()),
        ("replace", _, Some([new])) => new.to_string(),
        ("clear", [], _) => String::new(),
        ("force_encoding", [_], _) => old.to_string(),
        ("insert", [Value::Integer(index), part], _) => {
            let length = old.chars().count();
            let index = match index {
                0.. => usize::try_from(*index).ok().filter(|it| *it <= length)?,
                _ => (length + 1).checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
            };
            let (before, after): (Vec<_>, Vec<_>) =
                old.chars().enumerate().partition(|(at, _)| *at < index);
            let join =
                |part: Vec<(usize, char)>| part.into_iter().map(|it| it.1).collect::<String>();
            format!("{}{}{}", join(before), part.as_text()?, join(after))
        }
        _ => return None,
    };
    if new.len() > MAXIMUM_LENGTH {
        return None;
    }
    text.replace(new.into());
    Some(Value::Text(Rc::clone(text)))
}
