//! Methods of arrays that are given a block.

use std::ops::Range;

use super::call::Given;
use super::list::{flatten, length, numbered, order, pairs};
use super::value::Value;
use super::{Evaluator, Flow};

impl Evaluator {
    pub(super) fn with_block(
        &mut self,
        own: Value,
        items: Vec<Value>,
        name: &str,
        arguments: &[Value],
        given: &Given,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        let given = Some(given);
        let mut found = Vec::new();
        let is_true = |value: &Value| value.is_true().unwrap_or(false);
        let result = match (name, arguments) {
            ("each" | "each_entry", []) => {
                return Ok(Some(
                    self.each(items, given, span, |_, _| true)?.unwrap_or(own),
                ));
            }
            ("reverse_each", []) => {
                let items = items.into_iter().rev().collect();
                return Ok(Some(
                    self.each(items, given, span, |_, _| true)?.unwrap_or(own),
                ));
            }
            ("each_with_index" | "with_index" | "each_index", offset) => {
                let first = match offset.first() {
                    Some(Value::Integer(first)) => *first,
                    _ => 0,
                };
                let mut results = Vec::new();
                for pair in numbered(items, first) {
                    let Value::List(parts) = &pair else { continue };
                    let parts = parts.borrow().clone();
                    let parts = if name == "each_index" {
                        &parts[1..]
                    } else {
                        &parts[..]
                    };
                    match self.give(given, parts, span) {
                        Ok(value) => results.push(value),
                        Err(Flow::Break(value)) => return Ok(Some(value)),
                        Err(flow) => return Err(flow),
                    }
                }
                // `map.with_index` is the only use of what the block returns.
                let is_map = name == "with_index";
                return Ok(Some(if is_map { Value::list(results) } else { own }));
            }
            ("each_slice", [Value::Integer(size)]) if *size > 0 => {
                let size = usize::try_from(*size).unwrap_or(1);
                let slices = items.chunks(size).map(|it| Value::list(it.to_vec()));
                let slices = slices.collect();
                self.each(slices, given, span, |_, _| true)?
            }
            ("map" | "collect", []) => {
                let stopped = self.each(items, given, span, |_, value| {
                    found.push(value);
                    true
                })?;
                stopped.or(Some(Value::list(found)))
            }
            ("flat_map", []) => {
                let stopped = self.each(items, given, span, |_, value| {
                    found.push(value);
                    true
                })?;
                stopped.or(Some(Value::list(flatten(found, 1))))
            }
            ("select" | "filter" | "reject" | "partition", []) => {
                let mut others = Vec::new();
                let mut unknown = None;
                self.each(items, given, span, |item, value| {
                    unknown = unknown.take().or(value.why().cloned());
                    let place = if is_true(&value) {
                        &mut found
                    } else {
                        &mut others
                    };
                    place.push(item);
                    true
                })?;
                Some(match (unknown, name) {
                    (Some(why), _) => Value::Unknown(why),
                    (None, "reject") => Value::list(others),
                    (None, "partition") => {
                        Value::list(vec![Value::list(found), Value::list(others)])
                    }
                    _ => Value::list(found),
                })
            }
            ("find" | "detect" | "find_index" | "index", []) => {
                let mut index = 0;
                let mut hit = None;
                self.each(items, given, span, |item, value| {
                    if is_true(&value) {
                        hit = Some((index, item));
                        return false;
                    }
                    index += 1;
                    true
                })?;
                Some(match (hit, name.ends_with("index")) {
                    (None, _) => Value::Nil,
                    (Some((index, _)), true) => Value::Integer(index),
                    (Some((_, item)), false) => item,
                })
            }
            ("any?" | "all?" | "none?" | "count", []) => {
                let total = items.len();
                let mut count = 0;
                self.each(items, given, span, |_, value| {
                    count += usize::from(is_true(&value));
                    true
                })?;
                Some(match name {
                    "any?" => Value::Bool(count > 0),
                    "all?" => Value::Bool(count == total),
                    "none?" => Value::Bool(count == 0),
                    _ => Value::Integer(length(count)),
                })
            }
            ("sort_by" | "min_by" | "max_by" | "group_by" | "sum" | "to_h", []) => {
                let mut keyed = Vec::new();
                self.each(items, given, span, |item, value| {
                    keyed.push((value, item));
                    true
                })?;
                return self.keyed(keyed, name, span).map(Some);
            }
            ("each_with_object", [memo]) => {
                for item in items {
                    self.give(given, &[item, memo.clone()], span)?;
                }
                Some(memo.clone())
            }
            ("reduce" | "inject", start) => {
                let mut items = items.into_iter();
                let mut sum = match start.first() {
                    Some(start) => start.clone(),
                    None => items.next().unwrap_or(Value::Nil),
                };
                for item in items {
                    sum = self.give(given, &[sum, item], span)?;
                }
                Some(sum)
            }
            _ => None,
        };
        Ok(result)
    }

    fn keyed(
        &mut self,
        mut keyed: Vec<(Value, Value)>,
        name: &str,
        span: &Range<usize>,
    ) -> Result<Value, Flow> {
        Ok(match name {
            "sum" => {
                let mut sum = Value::Integer(0);
                for (value, _) in keyed {
                    sum = self.method(&sum, "+", vec![value], None, span)?;
                }
                sum
            }
            "to_h" => pairs(keyed.into_iter().map(|it| it.0).collect()),
            "group_by" => {
                let mut groups: Vec<(Value, Value)> = Vec::new();
                for (key, item) in keyed {
                    match groups.iter().find(|(other, _)| other.is_same(&key)) {
                        Some((_, Value::List(items))) => items.borrow_mut().push(item),
                        _ => groups.push((key, Value::list(vec![item]))),
                    }
                }
                Value::map(groups)
            }
            _ => {
                keyed.sort_by(|a, b| order(&a.0, &b.0));
                let mut items = keyed.into_iter().map(|it| it.1);
                match name {
                    "min_by" => items.next().unwrap_or(Value::Nil),
                    "max_by" => items.last().unwrap_or(Value::Nil),
                    _ => Value::list(items.collect()),
                }
            }
        })
    }
}
