//! Method calls: who is asked, and with which block.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::assignment::join;
use super::scope::{Closure, Scope};
use super::value::{Object, Value};
use super::{Evaluated, Evaluator, Flow, range};
use crate::vagrant::ruby::syntax::{Call, Kind, Node};

/// A block that a method was given.
pub enum Given {
    Block(Rc<Closure>),
    /// `&:name`
    Method(String),
}

impl Evaluator {
    pub(super) fn call(
        &mut self,
        call: &Call,
        span: &Range<usize>,
        scope: &Rc<Scope>,
    ) -> Evaluated {
        let receiver = match &call.receiver {
            Some(node) => Some((node, self.evaluate(node, scope)?)),
            None => None,
        };
        if call.safe && matches!(receiver, Some((_, Value::Nil))) {
            return Ok(Value::Nil);
        }
        let arguments = self.values(&call.arguments, scope)?;
        let given = match (&call.block, &call.block_argument) {
            (Some(block), _) => match self.closure(block, scope) {
                Value::Closure(closure) => Some(Given::Block(closure)),
                _ => None,
            },
            (None, Some(argument)) => match self.evaluate(argument, scope)? {
                Value::Closure(closure) => Some(Given::Block(closure)),
                Value::Symbol(name) => Some(Given::Method(name)),
                _ => None,
            },
            (None, None) => None,
        };
        let Some((node, receiver)) = receiver else {
            return match scope.get(&call.name) {
                Some(Value::Closure(closure)) => self.run(&closure, &arguments),
                _ => self.function(&call.name, &arguments, given.as_ref(), span),
            };
        };
        let name = call.name.as_str();
        // Texts are not shared here, so that `text << "more"` is an assignment.
        if matches!(receiver, Value::Text(_)) && matches!(name, "<<" | "concat") {
            let value = self.method(&receiver, "+", arguments, None, span)?;
            return Ok(self.write_back(node, value, scope));
        }
        if let (Value::Text(_) | Value::List(_), Some(plain)) = (&receiver, name.strip_suffix('!'))
        {
            let value = self.method(&receiver, plain, arguments, given.as_ref(), span)?;
            return Ok(self.write_back(node, value, scope));
        }
        self.method(&receiver, name, arguments, given.as_ref(), span)
    }

    /// `name.upcase!` changes the variable.
    fn write_back(&mut self, node: &Node, value: Value, scope: &Rc<Scope>) -> Value {
        match (&node.kind, &value) {
            (Kind::Name(name), _) => scope.set(name, value.clone()),
            (Kind::Variable(name), _) => {
                self.globals.insert(name.clone(), value.clone());
            }
            _ => {}
        }
        value
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
        if let Value::Unknown(_) = receiver {
            self.lost_block(given, receiver, span);
            return Ok(receiver.clone());
        }
        if let Some(value) = self.common(receiver, name, &arguments, span) {
            return Ok(value);
        }
        let keeps_unknown = matches!(
            receiver,
            Value::List(_) | Value::Map(_) | Value::Object(_) | Value::Closure(_)
        );
        if !keeps_unknown && let Some(unknown) = arguments.iter().find(|it| it.why().is_some()) {
            return Ok(unknown.clone());
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
            Value::Text(text) | Value::Symbol(text) => {
                self.text_method(text, name, &arguments, given, span)?
            }
            Value::Regex(_) | Value::Match(_) => Self::pattern_method(receiver, name, &arguments),
            Value::Closure(closure) if matches!(name, "call" | "()" | "[]" | "yield") => {
                let closure = Rc::clone(closure);
                Some(self.run(&closure, &arguments)?)
            }
            Value::Object(object) => {
                return self.object_method(object, name, arguments, given, span);
            }
            _ => None,
        };
        Ok(match found {
            Some(value) => value,
            None => self.no_method(receiver, name, given, span),
        })
    }

    fn no_method(
        &mut self,
        receiver: &Value,
        name: &str,
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Value {
        if let Value::Unset(why) = receiver {
            return Value::Unknown(Rc::clone(why));
        }
        let reason = match receiver {
            Value::Nil => format!("`{name}` of nothing (nil)"),
            _ => format!("`{name}` is not followed"),
        };
        let unknown = self.unknown(span, &reason);
        self.lost_block(given, &unknown, span);
        unknown
    }

    /// Methods that everything has.
    fn common(
        &mut self,
        receiver: &Value,
        name: &str,
        arguments: &[Value],
        span: &Range<usize>,
    ) -> Option<Value> {
        match (name, arguments) {
            ("==" | "!=" | "eql?" | "equal?", [other]) => {
                self.note_unset(receiver, None);
                self.note_unset(other, None);
                match other {
                    Value::Unknown(_) => Some(other.clone()),
                    _ => Some(Value::Bool(receiver.is_same(other) != (name == "!="))),
                }
            }
            ("===", [other]) if !matches!(receiver, Value::Range { .. } | Value::Regex(_)) => {
                match (receiver, other) {
                    (Value::Object(Object::Constant(class)), _) => {
                        Some(Value::Bool(is_a(other, class)))
                    }
                    (_, Value::Unknown(_)) => Some(other.clone()),
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
                Some(Value::Bool(is_a(receiver, class)))
            }
            ("freeze" | "dup" | "clone" | "itself" | "to_proc", []) => match receiver {
                Value::List(items) if name != "freeze" => Some(Value::list(items.borrow().clone())),
                Value::Map(pairs) if name != "freeze" => Some(Value::map(pairs.borrow().clone())),
                _ => Some(receiver.clone()),
            },
            ("to_s" | "to_i" | "to_a" | "empty?" | "strip", [])
                if matches!(receiver, Value::Unset(_) | Value::Nil) =>
            {
                self.note_unset(receiver, None);
                match name {
                    "to_s" | "strip" => Some(Value::text("")),
                    "to_i" => Some(Value::Integer(0)),
                    "to_a" => Some(Value::list(Vec::new())),
                    _ => Some(Value::Bool(true)),
                }
            }
            ("downcase" | "upcase", []) if matches!(receiver, Value::Unset(_)) => {
                Some(receiver.clone())
            }
            ("inspect", []) => receiver.to_text().map(|_| Value::Text(receiver.inspect())),
            ("class" | "respond_to?" | "instance_variable_get" | "send" | "hash", _) => {
                Some(self.unknown(span, &format!("`{name}` is not followed")))
            }
            _ => None,
        }
    }

    fn object_method(
        &mut self,
        object: &Object,
        name: &str,
        arguments: Vec<Value>,
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Evaluated {
        match object {
            Object::Constant(constant) => {
                let constant = constant.clone();
                self.constant_method(&constant, name, &arguments, given, span)
            }
            Object::Configuration { machine, path } => {
                let (machine, path) = (*machine, path.clone());
                self.configure(machine, &path, name, arguments, given, span)
            }
            Object::Provider { machine, path } => {
                let (machine, path) = (*machine, join(path, name));
                if arguments.is_empty() && given.is_none() {
                    if let Some(value) = self.lab.provider_value(machine, &path) {
                        return Ok(value);
                    }
                    return Ok(Value::Object(Object::Provider { machine, path }));
                }
                if name != "[]" {
                    let place = self.place(span);
                    self.lab.call_provider(machine, path, arguments, place);
                }
                Ok(Value::Nil)
            }
            Object::Provisioner => {
                if let ([value], true) = (&arguments[..], name.ends_with('=')) {
                    self.lab.set_provisioner(name.to_owned(), value.clone());
                }
                Ok(Value::Nil)
            }
        }
    }

    /// Runs a block; `next` ends it with a value.
    pub(super) fn run(&mut self, closure: &Closure, arguments: &[Value]) -> Evaluated {
        let scope = Scope::inside(&closure.scope);
        let parameters = &closure.block.parameters;
        if parameters.is_empty()
            && let Some(first) = arguments.first()
        {
            scope.declare("it", first.clone());
            scope.declare("_1", first.clone());
        }
        self.step(&closure.block.span)?;
        let outer = std::mem::replace(&mut self.file, Arc::clone(&closure.file));
        let bound = match arguments {
            // One list for several parameters is taken apart.
            [Value::List(items)] if parameters.len() > 1 => {
                let items = items.borrow().clone();
                self.bind(parameters, &items, &scope)
            }
            _ => self.bind(parameters, arguments, &scope),
        };
        let result = bound.and_then(|()| self.sequence(&closure.block.body, &scope));
        self.file = outer;
        match result {
            Err(Flow::Next(value)) => Ok(value),
            other => other,
        }
    }

    /// Runs what a method was given; without anything, nothing happens.
    pub(super) fn give(
        &mut self,
        given: Option<&Given>,
        arguments: &[Value],
        span: &Range<usize>,
    ) -> Evaluated {
        match (given, arguments) {
            (Some(Given::Block(closure)), _) => {
                let closure = Rc::clone(closure);
                self.run(&closure, arguments)
            }
            (Some(Given::Method(name)), [receiver, rest @ ..]) => {
                self.method(receiver, name, rest.to_vec(), None, span)
            }
            _ => Ok(Value::Nil),
        }
    }

    /// Runs a block for every element; `break` ends the loop with a value.
    pub(super) fn each(
        &mut self,
        items: Vec<Value>,
        given: Option<&Given>,
        span: &Range<usize>,
        mut take: impl FnMut(Value, Value) -> bool,
    ) -> Result<Option<Value>, Flow> {
        for item in items {
            match self.give(given, std::slice::from_ref(&item), span) {
                Ok(value) => {
                    if !take(item, value) {
                        break;
                    }
                }
                Err(Flow::Break(value)) => return Ok(Some(value)),
                Err(flow) => return Err(flow),
            }
        }
        Ok(None)
    }

    /// Returns what a loop goes through.
    pub(super) fn elements(value: &Value) -> Option<Vec<Value>> {
        Some(match value {
            Value::List(items) => items.borrow().clone(),
            Value::Map(pairs) => pairs
                .borrow()
                .iter()
                .map(|(key, value)| Value::list(vec![key.clone(), value.clone()]))
                .collect(),
            Value::Range { first, last } => range::items(*first, *last).collect(),
            _ => return None,
        })
    }
}

/// `is_a?` for the classes that Vagrantfiles ask for.
fn is_a(value: &Value, class: &str) -> bool {
    match value {
        Value::Nil => class == "NilClass",
        Value::Bool(value) => class == if *value { "TrueClass" } else { "FalseClass" },
        Value::Integer(_) => matches!(class, "Integer" | "Fixnum" | "Numeric"),
        Value::Float(_) => matches!(class, "Float" | "Numeric"),
        Value::Text(_) => class == "String",
        Value::Symbol(_) => class == "Symbol",
        Value::List(_) => matches!(class, "Array" | "Enumerable"),
        Value::Map(_) => matches!(class, "Hash" | "Enumerable"),
        Value::Range { .. } => class == "Range",
        Value::Regex(_) => class == "Regexp",
        Value::Closure(_) => class == "Proc",
        _ => false,
    }
}
