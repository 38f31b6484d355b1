//! Functions: those of the file, and those that Ruby has everywhere.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::call::Given;
use super::scope::Scope;
use super::value::Value;
use super::{Evaluated, Evaluator, Flow, format};

impl Evaluator {
    pub(super) fn function(
        &mut self,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Evaluated {
        if let Some((function, file)) = self.functions.get(name) {
            let (function, file) = (Rc::clone(function), Arc::clone(file));
            let scope = Rc::new(Scope::default());
            let outer = std::mem::replace(&mut self.file, file);
            let block = &function.block;
            let bound = self.bind(&block.parameters, arguments, &scope);
            let result = bound.and_then(|()| self.sequence(&block.body, &scope));
            self.file = outer;
            return match result {
                Err(Flow::Return(value) | Flow::Next(value)) => Ok(value),
                other => other,
            };
        }
        Ok(match (name, arguments) {
            ("puts" | "print" | "p" | "pp" | "warn" | "printf" | "sleep" | "srand", _) => {
                Value::Nil
            }
            ("private" | "public" | "module_function" | "using" | "at_exit", _) => Value::Nil,
            ("require" | "require_relative" | "load", [path]) => {
                self.require(name, path, span);
                Value::Nil
            }
            ("raise" | "fail" | "abort" | "exit" | "exit!", _) => {
                self.fill_in(
                    span,
                    "the Vagrantfile stops here; what stands below was read all the same",
                );
                Value::Nil
            }
            ("format" | "sprintf", [Value::Text(text), values @ ..]) => {
                match format::fill(text, values) {
                    Some(value) => value,
                    None => self.unknown(span, "the format is not followed"),
                }
            }
            ("Integer", [value, ..]) => match value {
                Value::Text(text) => match text.trim().replace('_', "").parse() {
                    Ok(number) => Value::Integer(number),
                    Err(_) => self.unknown(span, &format!("`{text}` is not a number")),
                },
                _ => self.method(value, "to_i", Vec::new(), None, span)?,
            },
            ("Float", [value]) => self.method(value, "to_f", Vec::new(), None, span)?,
            ("String", [value]) => self.method(value, "to_s", Vec::new(), None, span)?,
            ("Array", [Value::List(_)]) => arguments[0].clone(),
            ("Array", [value]) => match Self::elements(value) {
                Some(items) => Value::list(items),
                None => Value::list(vec![value.clone()]),
            },
            ("lambda" | "proc", []) => match given {
                Some(Given::Block(closure)) => Value::Closure(Rc::clone(closure)),
                _ => Value::Nil,
            },
            ("loop", []) => loop {
                match self.give(given, &[], span) {
                    Ok(_) => {}
                    Err(Flow::Break(value)) => return Ok(value),
                    Err(flow) => return Err(flow),
                }
                if given.is_none() {
                    return Ok(Value::Nil);
                }
            },
            ("__FILE__", []) => Value::text("./Vagrantfile"),
            ("__dir__", []) => Value::text("."),
            ("system" | "exec" | "spawn", _) => self.unknown(span, "commands are not run"),
            ("gets" | "rand", _) => self.unknown(span, "its value differs from run to run"),
            _ => {
                let reason = format!("`{name}` is not known");
                let unknown = self.unknown(span, &reason);
                self.lost_block(given, &unknown, span);
                unknown
            }
        })
    }
}
