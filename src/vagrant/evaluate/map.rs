//! Methods of hashes.

use std::ops::Range;
use std::rc::Rc;

use super::given::Given;
use super::shared::{Pairs, Shared};
use super::value::Value;
use super::{Evaluated, Evaluator, Flow};

impl Evaluator {
    pub(super) fn map_method(
        &mut self,
        map: &Rc<Shared<Pairs>>,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        if let Some(why) = arguments.first().and_then(Value::why) {
            return Ok(Some(Value::Unknown(Rc::clone(why))));
        }
        if let Some(value) = question(map, name, arguments) {
            return Ok(Some(value));
        }
        Ok(Some(match (name, arguments) {
            ("[]", [key]) => self.entry(map, key, span)?,
            ("dig", [key, rest @ ..]) => match (self.entry(map, key, span)?, rest) {
                (value, []) | (value @ Value::Nil, _) => value,
                (inner, rest) => self.method(&inner, "dig", rest.to_vec(), None, span)?,
            },
            ("fetch", [key, default @ ..]) => {
                let value = map.borrow().get(key).cloned();
                match (value, default) {
                    (Some(value), _) => value,
                    (None, [default]) => default.clone(),
                    (None, _) if given.is_some() => {
                        self.give(given, std::slice::from_ref(key), span)?
                    }
                    (None, _) => {
                        let reason = format!("key not found: {}", key.inspect());
                        self.fail(span, "KeyError", &reason)?
                    }
                }
            }
            ("merge", others) => return self.merged(map, others, given, span),
            ("values_at" | "fetch_values", keys) => {
                let values: Result<_, Flow> =
                    keys.iter().map(|key| self.entry(map, key, span)).collect();
                Value::list(values?)
            }
            ("slice" | "except", keys) => {
                let is_named = |key: &Value| keys.iter().any(|it| it.is_same(key));
                let mut pairs = map.borrow().clone();
                pairs.retain(|(key, _)| is_named(key) == (name == "slice"));
                Value::Map(Shared::new(pairs))
            }
            ("each_key" | "each_value", []) if given.is_some() => {
                let half = question(map, if name == "each_key" { "keys" } else { "values" }, &[]);
                let items = half.as_ref().and_then(Self::elements).unwrap_or_default();
                self.results(items, given, span)?;
                Value::Map(Rc::clone(map))
            }
            ("transform_values" | "transform_keys", []) if given.is_some() => {
                let pairs = map.borrow().clone();
                let mut changed = Pairs::default();
                for (key, value) in pairs.iter().cloned() {
                    match name {
                        "transform_values" => changed.set(key, self.give(given, &[value], span)?),
                        _ => changed.set(self.give(given, &[key], span)?, value),
                    }
                }
                Value::Map(Shared::new(changed))
            }
            ("select" | "filter" | "reject", []) if given.is_some() => {
                let mut kept = Pairs::default();
                let pairs = map.borrow().clone();
                for (key, value) in pairs.iter().cloned() {
                    let keeps = self.give(given, &[key.clone(), value.clone()], span)?;
                    match keeps.is_true() {
                        None => return Ok(Some(keeps)),
                        Some(is_true) if is_true == (name == "reject") => {}
                        Some(_) => kept.set(key, value),
                    }
                }
                Value::Map(Shared::new(kept))
            }
            _ => {
                // In the rest a map is the list of its pairs.
                let name = if name == "each_pair" { "each" } else { name };
                let own = Value::Map(Rc::clone(map));
                let items = Shared::new(Self::elements(&own).unwrap_or_default());
                let found = self.list_method(&items, name, arguments, given, span)?;
                // `each` returns the map itself.
                let is_own = matches!(&found, Some(Value::List(list)) if Rc::ptr_eq(list, &items));
                return Ok(if is_own && given.is_some() {
                    Some(own)
                } else {
                    found
                });
            }
        }))
    }

    /// Looks a key up; a missing one has what `Hash.new` was given.
    fn entry(&mut self, map: &Rc<Shared<Pairs>>, key: &Value, span: &Range<usize>) -> Evaluated {
        let (value, default) = {
            let pairs = map.borrow();
            (pairs.get(key).cloned(), pairs.default.clone())
        };
        match (value, default) {
            (Some(value), _) => Ok(value),
            (None, Some(Value::Closure(closure))) => {
                self.step(span)?;
                self.run(&closure, &[Value::Map(Rc::clone(map)), key.clone()])
            }
            (None, default) => Ok(Value::or_nil(default)),
        }
    }

    /// `merge`: where both have a key, a block decides.
    fn merged(
        &mut self,
        map: &Rc<Shared<Pairs>>,
        others: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        let mut merged = map.borrow().clone();
        for other in others {
            if let Some(why) = other.why() {
                return Ok(Some(Value::Unknown(Rc::clone(why))));
            }
            let Value::Map(pairs) = other else {
                return Ok(None);
            };
            let pairs = pairs.borrow().clone();
            for (key, value) in pairs.iter().cloned() {
                let old = merged.get(&key).cloned();
                let value = match (old, given) {
                    (Some(old), Some(_)) => self.give(given, &[key.clone(), old, value], span)?,
                    _ => value,
                };
                merged.set(key, value);
            }
        }
        Ok(Some(Value::Map(Shared::new(merged))))
    }
}

/// What needs nothing but the pairs.
fn question(map: &Rc<Shared<Pairs>>, name: &str, arguments: &[Value]) -> Option<Value> {
    let pairs = map.borrow();
    let with_keys = |change: fn(&str) -> Value| {
        let pair = |(key, value): &(Value, Value)| {
            let key = key.as_text().map_or_else(|| key.clone(), |it| change(&it));
            (key, value.clone())
        };
        Value::map(pairs.iter().map(pair).collect())
    };
    Some(match (name, arguments) {
        ("key?" | "has_key?" | "include?" | "member?", [key]) => {
            Value::Bool(pairs.get(key).is_some())
        }
        ("value?" | "has_value?", [value]) => {
            Value::Bool(pairs.iter().any(|it| it.1.is_same(value)))
        }
        ("key", [value]) => Value::or_nil(
            pairs
                .iter()
                .find(|it| it.1.is_same(value))
                .map(|it| it.0.clone()),
        ),
        ("keys", []) => Value::list(pairs.iter().map(|it| it.0.clone()).collect()),
        ("values", []) => Value::list(pairs.iter().map(|it| it.1.clone()).collect()),
        ("length" | "size", []) => Value::count(pairs.len()),
        ("empty?", []) => Value::Bool(pairs.is_empty()),
        ("invert", []) => Value::map(
            pairs
                .iter()
                .map(|it| (it.1.clone(), it.0.clone()))
                .collect(),
        ),
        ("compact", []) => {
            let kept = pairs.iter().filter(|it| !matches!(it.1, Value::Nil));
            Value::map(kept.cloned().collect())
        }
        ("symbolize_keys", []) => with_keys(|key| Value::symbol(key)),
        ("stringify_keys", []) => with_keys(|key| Value::text(key)),
        _ => return None,
    })
}
