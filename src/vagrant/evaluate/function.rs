//! Functions: those of the file, and those that Ruby has everywhere.

use std::ops::Range;
use std::rc::Rc;

use super::given::Given;
use super::scope::{Frame, Scope};
use super::value::{Object, Value};
use super::{Evaluated, Evaluator, Flow, format};

impl Evaluator {
    pub(super) fn function(
        &mut self,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
        scope: &Rc<Scope>,
    ) -> Evaluated {
        let frame = &scope.frame;
        if let Some(own @ Value::Object(Object::Instance { class, .. })) = &frame.own {
            let has_it = self.functions.contains_key(&format!("{class}#{name}"));
            let has_field = self.variable(&format!("@{name}"), scope).is_some();
            if has_it || (has_field && arguments.is_empty()) {
                return self.method(own, name, arguments.to_vec(), given, span);
            }
        } else if !frame.module.is_empty()
            && let Some(value) = self.module_function(&frame.module, name, arguments, given)?
        {
            return Ok(value);
        }
        let own = Frame {
            given: given.cloned(),
            ..Frame::default()
        };
        if let Some(value) = self.own_function(name, own, arguments)? {
            return Ok(value);
        }
        Ok(match (name, arguments) {
            ("block_given?", []) => Value::Bool(frame.given.is_some()),
            (
                "private"
                | "public"
                | "protected"
                | "module_function"
                | "using"
                | "at_exit"
                | "attr_accessor"
                | "attr_reader"
                | "attr_writer"
                | "private_class_method"
                | "private_constant"
                | "extend"
                | "include",
                _,
            ) => Value::Nil,
            ("puts" | "print" | "p" | "pp" | "warn" | "printf" | "sleep" | "srand", _) => {
                Value::Nil
            }
            ("require" | "require_relative" | "load", [path]) => {
                self.require(name, path, span)?;
                Value::Bool(true)
            }
            ("raise" | "fail", arguments) => self.raise(arguments, span)?,
            ("abort" | "exit" | "exit!", _) => {
                self.fill_in(
                    span,
                    "the Vagrantfile stops here; what stands below was read all the same",
                );
                Value::Nil
            }
            ("format" | "sprintf", [Value::Text(text), values @ ..]) => {
                match format::fill(&text.text(), values) {
                    Some(value) => value,
                    None => self.unknown(span, "the format is not followed"),
                }
            }
            ("lambda" | "proc", []) => match given {
                Some(Given::Block(closure)) => Value::Closure(Rc::new(super::scope::Closure {
                    block: Rc::clone(&closure.block),
                    scope: Rc::clone(&closure.scope),
                    file: std::sync::Arc::clone(&closure.file),
                    is_lambda: name == "lambda",
                })),
                _ => Value::Nil,
            },
            ("loop", []) => return self.endless(given, span),
            ("__FILE__", []) => Value::text("./Vagrantfile"),
            ("__dir__", []) => Value::text("."),
            ("system" | "exec" | "spawn", _) => self.unknown(span, "commands are not run"),
            ("gets" | "rand", _) => self.unknown(span, "its value differs from run to run"),
            ("Integer" | "Float" | "String" | "Array" | "Hash" | "Rational", [value, ..]) => {
                self.conversion(name, value, span)?
            }
            _ => {
                let reason = format!("`{name}` is not known");
                let unknown = self.unknown(span, &reason);
                self.lost_block(given, &unknown, span);
                unknown
            }
        })
    }

    fn endless(&mut self, given: Option<&Given>, span: &Range<usize>) -> Evaluated {
        while given.is_some() {
            match self.give(given, &[], span) {
                Err(Flow::Raise(failure)) if failure.class == "StopIteration" => break,
                result => result?,
            };
        }
        Ok(Value::Nil)
    }

    /// `Integer("5")` and its like.
    fn conversion(&mut self, name: &str, value: &Value, span: &Range<usize>) -> Evaluated {
        if let Some(why) = value.why() {
            return Ok(Value::Unknown(Rc::clone(why)));
        }
        match (name, value) {
            ("Array", Value::List(_)) => Ok(value.clone()),
            ("Array", Value::Nil | Value::Unset(_)) => Ok(Value::list(Vec::new())),
            ("Array", value) => Ok(match Self::elements(value) {
                Some(items) => Value::list(items),
                None => Value::list(vec![value.clone()]),
            }),
            ("Integer" | "Float", Value::Text(text)) => {
                let text = text.text();
                let digits = text.trim().replace('_', "");
                let number = match name {
                    "Integer" => super::number::integer_of(&digits).map(Value::Integer),
                    _ => digits.parse().ok().map(Value::Float),
                };
                match number {
                    Some(number) => Ok(number),
                    None => self.fail(span, "ArgumentError", &format!("`{text}` is not a number")),
                }
            }
            ("Integer" | "Float", Value::Nil | Value::Unset(_)) => {
                self.fail(span, "TypeError", "nothing (nil) is not a number")
            }
            ("Integer", _) => self.method(value, "to_i", Vec::new(), None, span),
            ("Float", _) => self.method(value, "to_f", Vec::new(), None, span),
            ("String", _) => self.text_of(value, span),
            _ => self.no_method(value, name, None, span),
        }
    }
}
