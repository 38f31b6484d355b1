//! Methods that change a text, list or map for all who hold it.

use std::ops::Range;
use std::rc::Rc;

use super::changed::{change_list, change_map, change_text};
use super::given::Given;
use super::value::Value;
use super::{Evaluator, Flow};

/// Methods of Ruby that change what they are called on, besides those that end in `!`.
const CHANGES: [&str; 28] = [
    "<<",
    "[]=",
    "add",
    "append",
    "clear",
    "compare_by_identity",
    "concat",
    "default=",
    "delete",
    "delete_at",
    "delete_if",
    "fill",
    "force_encoding",
    "insert",
    "keep_if",
    "pop",
    "prepend",
    "push",
    "rehash",
    "replace",
    "setbyte",
    "shift",
    "store",
    "unshift",
    "update",
    "append_as_bytes",
    "bytesplice",
    "default_proc=",
];

/// These return the value itself; others that end in `!` return nil if nothing had to be changed.
const ALWAYS_ITSELF: [&str; 12] = [
    "collect!",
    "map!",
    "merge!",
    "reverse!",
    "rotate!",
    "shuffle!",
    "sort!",
    "sort_by!",
    "transform_keys!",
    "transform_values!",
    "deep_merge!",
    "replace!",
];

/// Tells whether a method changes what it is called on.
pub(super) fn is_change(name: &str) -> bool {
    CHANGES.contains(&name) || (name.ends_with('!') && name.len() > 1)
}

impl Evaluator {
    /// Calls a method if it is one that changes the value. A change that can't be followed makes it unknown.
    pub(super) fn change(
        &mut self,
        receiver: &Value,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        // `delete` of a text returns a new one.
        let changes = match receiver {
            Value::Text(_) => is_change(name) && name != "delete",
            Value::List(_) | Value::Map(_) => is_change(name),
            _ => false,
        };
        if !changes {
            return Ok(None);
        }
        let found = match receiver {
            Value::List(items) => {
                let is_stored = matches!(
                    name,
                    "<<" | "push" | "append" | "unshift" | "prepend" | "insert" | "fill"
                );
                match unknown_among(arguments).filter(|_| !is_stored) {
                    Some(unknown) => Some(unknown),
                    None => change_list(items, name, arguments),
                }
            }
            Value::Map(pairs) => match unknown_among(arguments.get(..1).unwrap_or_default()) {
                Some(unknown) => Some(unknown),
                None => change_map(pairs, name, arguments),
            },
            Value::Text(text) => match unknown_among(arguments) {
                Some(unknown) => Some(unknown),
                None => change_text(text, name, arguments),
            },
            _ => None,
        };
        let found = match found {
            Some(found) => found,
            None => self.replace(receiver, name, arguments, given, span)?,
        };
        if let Value::Unknown(why) = &found {
            receiver.lose(why);
        }
        Ok(Some(found))
    }

    /// `name!` puts what `name` returns in the place of the value; `delete_if` and its like do the same.
    fn replace(
        &mut self,
        receiver: &Value,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Value, Flow> {
        let plain = match name {
            "delete_if" => "reject",
            "keep_if" => "select",
            "update" => "merge",
            _ => name.strip_suffix('!').unwrap_or(""),
        };
        let new = match plain {
            // `slice!` returns what it takes away.
            "" | "slice" => return self.no_method(receiver, name, given, span),
            plain => self.method(receiver, plain, arguments.to_vec(), given, span)?,
        };
        let is_same = receiver.is_same(&new);
        match (receiver, &new) {
            (_, Value::Unknown(_)) => return Ok(new),
            (Value::Text(old), Value::Text(new)) => old.replace(new.text()),
            (Value::List(old), Value::List(new)) => old.replace(new.borrow().clone()),
            (Value::Map(old), Value::Map(new)) => old.replace(new.borrow().clone()),
            _ => return self.no_method(receiver, name, given, span),
        }
        let returns_nil = name.ends_with('!') && !ALWAYS_ITSELF.contains(&name);
        Ok(if is_same && returns_nil {
            Value::Nil
        } else {
            receiver.clone()
        })
    }
}

fn unknown_among(arguments: &[Value]) -> Option<Value> {
    let why = arguments.iter().find_map(Value::why)?;
    Some(Value::Unknown(Rc::clone(why)))
}
