//! Method calls: what is asked, and with which block.

use std::ops::Range;
use std::rc::Rc;

use super::given::Given;
use super::scope::Scope;
use super::value::{Object, Value};
use super::{Evaluated, Evaluator, Flow};
use crate::vagrant::ruby::syntax::Call;

impl Evaluator {
    pub(super) fn call(
        &mut self,
        call: &Call,
        span: &Range<usize>,
        scope: &Rc<Scope>,
    ) -> Evaluated {
        let receiver = match &call.receiver {
            Some(node) => Some(self.evaluate(node, scope)?),
            None => None,
        };
        if call.safe && matches!(receiver, Some(Value::Nil)) {
            return Ok(Value::Nil);
        }
        let arguments = self.values(&call.arguments, scope)?;
        let given = match (&call.block, &call.block_argument) {
            (Some(block), _) => Some(Given::Block(self.closure(block, false, scope))),
            (None, Some(argument)) => match self.evaluate(argument, scope)? {
                Value::Closure(closure) => Some(Given::Block(closure)),
                Value::Symbol(name) => Some(Given::Method(name)),
                _ => None,
            },
            (None, None) => None,
        };
        let given = given.as_ref();
        let result = match receiver {
            Some(receiver) => self.method(&receiver, &call.name, arguments, given, span),
            None => self.function(&call.name, &arguments, given, span, scope),
        };
        match result {
            Err(Flow::Break(value)) if call.block.is_some() => Ok(value),
            other => other,
        }
    }

    /// Calls a method of a value.
    pub(super) fn method(
        &mut self,
        receiver: &Value,
        name: &str,
        arguments: Vec<Value>,
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Evaluated {
        if let Some(why) = receiver.why() {
            let unknown = Value::Unknown(Rc::clone(why));
            self.lost_block(given, &unknown, span);
            return Ok(unknown);
        }
        if let (Some(_), "tap" | "then" | "yield_self") = (given, name) {
            let value = self.give(given, std::slice::from_ref(receiver), span)?;
            return Ok(if name == "tap" {
                receiver.clone()
            } else {
                value
            });
        }
        if let Some(value) = self.common(receiver, name, &arguments, span)? {
            return Ok(value);
        }
        if let Some(value) = self.change(receiver, name, &arguments, given, span)? {
            return Ok(value);
        }
        let keeps_unknown = matches!(
            receiver,
            Value::List(_) | Value::Map(_) | Value::Object(_) | Value::Closure(_)
        );
        if !keeps_unknown && let Some(why) = arguments.iter().find_map(Value::why) {
            return Ok(Value::Unknown(Rc::clone(why)));
        }
        let found = match receiver {
            Value::List(items) => self.list_method(items, name, &arguments, given, span)?,
            Value::Map(pairs) => self.map_method(pairs, name, &arguments, given, span)?,
            Value::Range { first, last } => {
                self.range_method(*first, *last, name, &arguments, given, span)?
            }
            Value::Integer(_) | Value::Float(_) => {
                self.number_method(receiver, name, &arguments, given, span)?
            }
            Value::Text(_) | Value::Symbol(_) => {
                self.text_method(receiver, name, &arguments, given, span)?
            }
            Value::Regex(_) | Value::Match(_) => {
                self.pattern_method(receiver, name, &arguments, span)?
            }
            Value::Closure(closure) if matches!(name, "call" | "()" | "[]" | "yield" | "===") => {
                Some(self.run(closure, &arguments)?)
            }
            Value::Object(object) => {
                return self.object_method(object, name, arguments, given, span);
            }
            _ => None,
        };
        match found {
            Some(value) => Ok(value),
            None => self.no_method(receiver, name, given, span),
        }
    }

    /// The value of a method that isn't followed.
    pub(super) fn no_method(
        &mut self,
        receiver: &Value,
        name: &str,
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Evaluated {
        if let Value::Unset(why) = receiver {
            return Ok(Value::Unknown(Rc::clone(why)));
        }
        if let Value::Nil = receiver {
            let unknown =
                self.fail(span, "NoMethodError", &format!("`{name}` of nothing (nil)"))?;
            self.lost_block(given, &unknown, span);
            return Ok(unknown);
        }
        let unknown = self.unknown(span, &format!("`{name}` is not followed"));
        self.lost_block(given, &unknown, span);
        if super::change::is_change(name)
            && let Some(why) = unknown.why()
        {
            receiver.lose(why);
        }
        self.not_followed = Some((self.place(span), receiver.clone()));
        Ok(unknown)
    }

    /// Methods that everything has.
    fn common(
        &mut self,
        receiver: &Value,
        name: &str,
        arguments: &[Value],
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        Ok(match (name, arguments) {
            ("==" | "!=" | "eql?", [other]) if !self.compares_itself(receiver) => {
                self.note_unset(receiver, None);
                self.note_unset(other, None);
                // What isn't set is nothing, which equals no other value.
                let mut set = [receiver, other]
                    .into_iter()
                    .filter(|it| !matches!(it, Value::Unset(_)));
                Some(match set.find_map(Value::why_within) {
                    Some(why) => Value::Unknown(why),
                    None => Value::Bool(receiver.is_same(other) != (name == "!=")),
                })
            }
            ("===", [other])
                if !matches!(
                    receiver,
                    Value::Range { .. } | Value::Regex(_) | Value::Closure(_)
                ) =>
            {
                match (receiver, other.why()) {
                    (_, Some(why)) => Some(Value::Unknown(Rc::clone(why))),
                    (Value::Object(Object::Constant(class)), _) => {
                        Some(Value::Bool(super::object::is_a(other, class)))
                    }
                    _ => Some(Value::Bool(receiver.is_same(other))),
                }
            }
            ("nil?", []) => {
                self.note_unset(receiver, None);
                Some(Value::Bool(matches!(
                    receiver,
                    Value::Nil | Value::Unset(_)
                )))
            }
            ("is_a?" | "kind_of?" | "instance_of?", [Value::Object(Object::Constant(class))]) => {
                Some(Value::Bool(super::object::is_a(receiver, class)))
            }
            ("freeze" | "itself" | "to_proc", []) => Some(receiver.clone()),
            ("dup" | "clone" | "deep_dup", ..) => Some(copy(receiver)),
            ("send" | "public_send" | "__send__", [method, rest @ ..]) => match method.as_text() {
                Some(method) => Some(self.method(receiver, &method, rest.to_vec(), None, span)?),
                None => None,
            },
            ("to_s", []) if matches!(receiver, Value::List(_) | Value::Map(_)) => {
                receiver.to_text().map(Value::text)
            }
            ("equal?", [other]) => Some(Value::Bool(is_identical(receiver, other))),
            ("inspect", []) => receiver.to_text().map(|_| Value::text(receiver.inspect())),
            (_, arguments) => match receiver {
                Value::Nil | Value::Unset(_) => self.nothing(receiver, name, arguments),
                Value::Bool(value) => boolean(*value, name, arguments),
                _ => None,
            },
        })
    }

    /// Methods of nil, and of variables that aren't set.
    fn nothing(&mut self, receiver: &Value, name: &str, arguments: &[Value]) -> Option<Value> {
        let value = match (name, arguments) {
            ("to_s", []) => Value::text(""),
            ("to_i", []) => Value::Integer(0),
            ("to_f", []) => Value::Float(0.0),
            ("to_a", []) => Value::list(Vec::new()),
            ("to_h", []) => Value::map(Vec::new()),
            ("blank?" | "!", []) => Value::Bool(true),
            ("present?", []) | ("&", [_]) => Value::Bool(false),
            _ => return None,
        };
        self.note_unset(receiver, None);
        Some(value)
    }
}

/// Tells whether two variables hold the same thing, not only things that are equal.
fn is_identical(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => Rc::ptr_eq(a, b),
        (Value::List(a), Value::List(b)) => Rc::ptr_eq(a, b),
        (Value::Map(a), Value::Map(b)) => Rc::ptr_eq(a, b),
        _ => a.is_same(b),
    }
}

/// `dup`: parts are shared, the whole isn't.
fn copy(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::text(text.text()),
        Value::List(items) => Value::list(items.borrow().clone()),
        Value::Map(pairs) => Value::Map(super::shared::Shared::new(pairs.borrow().clone())),
        Value::Object(Object::Instance { class, fields }) => Value::Object(Object::Instance {
            class: class.clone(),
            fields: super::shared::Shared::new(fields.borrow().clone()),
        }),
        other => other.clone(),
    }
}

fn boolean(value: bool, name: &str, arguments: &[Value]) -> Option<Value> {
    Some(match (name, arguments) {
        ("to_s", []) => Value::text(value.to_string()),
        ("!", []) => Value::Bool(!value),
        ("&", [other]) => Value::Bool(value && other.is_true()?),
        ("|", [other]) => Value::Bool(value || other.is_true()?),
        ("^", [other]) => Value::Bool(value != other.is_true()?),
        _ => return None,
    })
}
