//! Methods of hashes.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use super::call::Given;
use super::value::Value;
use super::{Evaluator, Flow};

/// Sets a key, which keeps its place.
pub(super) fn insert(pairs: &mut Vec<(Value, Value)>, key: Value, value: Value) {
    match pairs.iter_mut().find(|(other, _)| other.is_same(&key)) {
        Some(pair) => pair.1 = value,
        None => pairs.push((key, value)),
    }
}

impl Evaluator {
    pub(super) fn map_method(
        &mut self,
        map: &Rc<RefCell<Vec<(Value, Value)>>>,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        let own = Value::Map(Rc::clone(map));
        if let Some(unknown) = arguments.first().filter(|it| it.why().is_some()) {
            return Ok(Some(unknown.clone()));
        }
        Ok(Some(match (name, arguments) {
            ("[]" | "dig", [key]) => own.get(key).unwrap_or(Value::Nil),
            ("dig", [key, rest @ ..]) => match own.get(key) {
                None | Some(Value::Nil) => Value::Nil,
                Some(inner) => self.method(&inner, "dig", rest.to_vec(), None, span)?,
            },
            ("fetch", [key, default @ ..]) => match (own.get(key), default.first()) {
                (Some(value), _) => value,
                (None, Some(default)) => default.clone(),
                (None, None) if given.is_some() => {
                    self.give(given, std::slice::from_ref(key), span)?
                }
                (None, None) => return Ok(None),
            },
            ("key?" | "has_key?" | "include?" | "member?", [key]) => {
                Value::Bool(own.get(key).is_some())
            }
            ("value?" | "has_value?", [value]) => {
                Value::Bool(map.borrow().iter().any(|(_, it)| it.is_same(value)))
            }
            ("keys", []) => Value::list(map.borrow().iter().map(|it| it.0.clone()).collect()),
            ("values", []) => Value::list(map.borrow().iter().map(|it| it.1.clone()).collect()),
            ("length" | "size", []) => {
                Value::Integer(i64::try_from(map.borrow().len()).unwrap_or(i64::MAX))
            }
            ("empty?", []) => Value::Bool(map.borrow().is_empty()),
            ("merge" | "update" | "merge!", others) => {
                let mut merged = map.borrow().clone();
                for other in others {
                    match other {
                        Value::Map(pairs) => {
                            for (key, value) in pairs.borrow().iter() {
                                insert(&mut merged, key.clone(), value.clone());
                            }
                        }
                        Value::Unknown(_) => return Ok(Some(other.clone())),
                        _ => return Ok(None),
                    }
                }
                if name == "merge" {
                    return Ok(Some(Value::map(merged)));
                }
                *map.borrow_mut() = merged;
                own
            }
            ("store", [key, value]) => {
                insert(&mut map.borrow_mut(), key.clone(), value.clone());
                value.clone()
            }
            ("delete", [key]) => {
                let old = own.get(key).unwrap_or(Value::Nil);
                map.borrow_mut().retain(|(other, _)| !other.is_same(key));
                old
            }
            ("to_h", []) if given.is_none() => own,
            ("each_key" | "each_value", []) => {
                let half = |it: &(Value, Value)| match name {
                    "each_key" => it.0.clone(),
                    _ => it.1.clone(),
                };
                let items = map.borrow().iter().map(half).collect();
                let stopped = self.each(items, given, span, |_, _| true)?;
                stopped.unwrap_or(own)
            }
            ("transform_values", []) => {
                let pairs = map.borrow().clone();
                let mut changed = Vec::new();
                for (key, value) in pairs {
                    changed.push((key, self.give(given, &[value], span)?));
                }
                Value::map(changed)
            }
            ("transform_keys" | "symbolize_keys", []) => {
                let pairs = map.borrow().clone();
                let mut changed = Vec::new();
                for (key, value) in pairs {
                    let key = match (given, key.as_text()) {
                        (Some(_), _) => self.give(given, &[key], span)?,
                        (None, Some(text)) => Value::Symbol(text.to_owned()),
                        (None, None) => key,
                    };
                    changed.push((key, value));
                }
                Value::map(changed)
            }
            ("select" | "filter" | "reject", []) if given.is_some() => {
                let pairs = map.borrow().clone();
                let mut kept = Vec::new();
                for (key, value) in pairs {
                    let keeps = self.give(given, &[key.clone(), value.clone()], span)?;
                    match keeps.is_true() {
                        None => return Ok(Some(keeps)),
                        Some(is_true) if is_true == (name == "reject") => {}
                        Some(_) => kept.push((key, value)),
                    }
                }
                Value::map(kept)
            }
            _ => {
                // In the rest a map is the list of its pairs.
                let name = if name == "each_pair" { "each" } else { name };
                let items = Self::elements(&own).unwrap_or_default();
                let list = Rc::new(RefCell::new(items));
                return self.list_method(&list, name, arguments, given, span);
            }
        }))
    }
}
