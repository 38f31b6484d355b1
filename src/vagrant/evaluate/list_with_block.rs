//! Methods of arrays that are given a block.

use std::ops::Range;
use std::rc::Rc;

use super::given::Given;
use super::list_form::{flatten, has_objects, order, pairs, slices};
use super::shared::Pairs;
use super::value::Value;
use super::{Evaluator, Flow};

impl Evaluator {
    pub(super) fn with_block(
        &mut self,
        own: &Value,
        items: Vec<Value>,
        name: &str,
        arguments: &[Value],
        given: &Given,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        let found = match name {
            "each_with_index" | "with_index" => {
                let first = match arguments {
                    [Value::Integer(first)] => *first,
                    _ => 0,
                };
                let results = self.numbered_results(items, first, given, span)?;
                // `map.with_index` is the only use of what the block returns.
                Some(if name == "with_index" {
                    Value::list(results)
                } else {
                    own.clone()
                })
            }
            "each" | "each_entry" | "reverse_each" | "each_index" | "each_slice" | "each_cons" => {
                let Some(items) = in_turn(items, name, arguments) else {
                    return Ok(None);
                };
                self.results(items, Some(given), span)?;
                Some(own.clone())
            }
            "each_with_object" | "map" | "collect" | "flat_map" | "collect_concat"
            | "filter_map" => self.mapped(items, name, arguments, given, span)?,
            "reduce" | "inject" => self.reduced(items, arguments, given, span)?,
            "sort" | "min" | "max" if arguments.is_empty() => {
                Some(self.compared(items, name, given, span)?)
            }
            _ if arguments.is_empty() => {
                let keyed = self.results(items.clone(), Some(given), span)?;
                let unknown = keyed.iter().find_map(Value::why).map(Rc::clone);
                let keyed: Vec<(Value, Value)> = keyed.into_iter().zip(items).collect();
                match (
                    chosen(&keyed, name).or_else(|| by_key(&keyed, name)),
                    unknown,
                ) {
                    (Some(_), Some(why)) => Some(Value::Unknown(why)),
                    (Some(value), None) => Some(value),
                    (None, _) => self.collected(keyed, name, span)?,
                }
            }
            _ => None,
        };
        Ok(found)
    }

    fn numbered_results(
        &mut self,
        items: Vec<Value>,
        first: i64,
        given: &Given,
        span: &Range<usize>,
    ) -> Result<Vec<Value>, Flow> {
        let run = |(item, index)| self.give(Some(given), &[item, Value::Integer(index)], span);
        items.into_iter().zip(first..).map(run).collect()
    }

    /// Methods that return what the block returned.
    fn mapped(
        &mut self,
        items: Vec<Value>,
        name: &str,
        arguments: &[Value],
        given: &Given,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        Ok(Some(match (name, arguments) {
            ("each_with_object", [memo]) => {
                for item in items {
                    self.give(Some(given), &[item, memo.clone()], span)?;
                }
                memo.clone()
            }
            ("map" | "collect", []) => Value::list(self.results(items, Some(given), span)?),
            ("flat_map" | "collect_concat", []) => {
                Value::list(flatten(self.results(items, Some(given), span)?, 1))
            }
            ("filter_map", []) => {
                let mut found = self.results(items, Some(given), span)?;
                found.retain(|it| it.is_true() != Some(false));
                Value::list(found)
            }
            _ => return Ok(None),
        }))
    }

    fn reduced(
        &mut self,
        items: Vec<Value>,
        start: &[Value],
        given: &Given,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        let mut items = items.into_iter();
        let mut sum = match start {
            [] => Value::or_nil(items.next()),
            [start] => start.clone(),
            _ => return Ok(None),
        };
        for item in items {
            sum = self.give(Some(given), &[sum, item], span)?;
        }
        Ok(Some(sum))
    }

    /// `sort { |a, b| … }`: puts each in its place among those before it, as the block compares them.
    fn compared(
        &mut self,
        items: Vec<Value>,
        name: &str,
        given: &Given,
        span: &Range<usize>,
    ) -> Result<Value, Flow> {
        let mut sorted: Vec<Value> = Vec::new();
        for item in items {
            let mut index = sorted.len();
            while index > 0 {
                let pair = [sorted[index - 1].clone(), item.clone()];
                match self.give(Some(given), &pair, span)? {
                    Value::Integer(..=0) => break,
                    Value::Integer(_) => index -= 1,
                    Value::Unknown(why) => return Ok(Value::Unknown(why)),
                    _ => return Ok(self.unknown(span, "the block compares nothing")),
                }
            }
            sorted.insert(index, item);
        }
        Ok(match name {
            "min" => Value::or_nil(sorted.into_iter().next()),
            "max" => Value::or_nil(sorted.pop()),
            _ => Value::list(sorted),
        })
    }

    /// Methods that put together what the block returned.
    fn collected(
        &mut self,
        keyed: Vec<(Value, Value)>,
        name: &str,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        Ok(Some(match name {
            "sum" => {
                let mut sum = Value::Integer(0);
                for (value, _) in keyed {
                    sum = self.method(&sum, "+", vec![value], None, span)?;
                }
                sum
            }
            "to_h" => pairs(keyed.into_iter().map(|it| it.0).collect()),
            "to_set" => Value::list(keyed.into_iter().map(|it| it.0).collect()),
            _ => return Ok(None),
        }))
    }
}

/// What a block is given one after the other.
fn in_turn(items: Vec<Value>, name: &str, arguments: &[Value]) -> Option<Vec<Value>> {
    Some(match (name, arguments) {
        ("each" | "each_entry", []) => items,
        ("reverse_each", []) => items.into_iter().rev().collect(),
        ("each_index", []) => (0..items.len()).map(Value::count).collect(),
        ("each_slice", [Value::Integer(size)]) => slices(&items, *size),
        ("each_cons", [Value::Integer(size)]) => {
            let windows = items.windows(usize::try_from(*size).ok().filter(|it| *it > 0)?);
            windows.map(|it| Value::list(it.to_vec())).collect()
        }
        _ => return None,
    })
}

/// Methods that choose by whether the block returned something true.
fn chosen(keyed: &[(Value, Value)], name: &str) -> Option<Value> {
    let is_true = |it: &&(Value, Value)| it.0.is_true() == Some(true);
    let those = |wanted: bool| {
        let items = keyed.iter().filter(|it| is_true(it) == wanted);
        Value::list(items.map(|it| it.1.clone()).collect())
    };
    let count = || keyed.iter().filter(is_true).count();
    Some(match name {
        "select" | "filter" | "find_all" => those(true),
        "reject" => those(false),
        "partition" => Value::list(vec![those(true), those(false)]),
        "find" | "detect" => Value::or_nil(keyed.iter().find(is_true).map(|it| it.1.clone())),
        "find_index" | "index" => {
            let index = keyed.iter().position(|it| is_true(&it));
            index.map_or(Value::Nil, Value::count)
        }
        "any?" => Value::Bool(count() > 0),
        "all?" => Value::Bool(count() == keyed.len()),
        "none?" => Value::Bool(count() == 0),
        "one?" => Value::Bool(count() == 1),
        "count" => Value::count(count()),
        "take_while" | "drop_while" => {
            let end = keyed
                .iter()
                .position(|it| !is_true(&it))
                .unwrap_or(keyed.len());
            let range = if name == "take_while" {
                0..end
            } else {
                end..keyed.len()
            };
            Value::list(keyed[range].iter().map(|it| it.1.clone()).collect())
        }
        _ => return None,
    })
}

/// Methods that order or group by what the block returned.
fn by_key(keyed: &[(Value, Value)], name: &str) -> Option<Value> {
    if name == "group_by" {
        let mut groups = Pairs::default();
        for (key, item) in keyed {
            match groups.get(key) {
                Some(Value::List(items)) => items.borrow_mut().push(item.clone()),
                _ => groups.set(key.clone(), Value::list(vec![item.clone()])),
            }
        }
        return Some(Value::Map(super::shared::Shared::new(groups)));
    }
    if name == "uniq" {
        let mut kept = Pairs::default();
        for (key, item) in keyed {
            if kept.get(key).is_none() {
                kept.set(key.clone(), item.clone());
            }
        }
        return Some(Value::list(kept.iter().map(|it| it.1.clone()).collect()));
    }
    if keyed
        .iter()
        .any(|it| has_objects(std::slice::from_ref(&it.0)))
    {
        return None;
    }
    let mut keyed = keyed.to_vec();
    keyed.sort_by(|a, b| order(&a.0, &b.0));
    let mut items = keyed.into_iter().map(|it| it.1);
    Some(match name {
        "sort_by" => Value::list(items.collect()),
        "min_by" => Value::or_nil(items.next()),
        "max_by" => Value::or_nil(items.last()),
        _ => return None,
    })
}
