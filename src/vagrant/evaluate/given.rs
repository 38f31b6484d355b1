//! Blocks, and how they are run.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::scope::{Closure, Scope};
use super::value::Value;
use super::{Evaluated, Evaluator, Flow, range};
use crate::vagrant::ruby::syntax::{Parameter, ParameterKind};

/// A block that a method was given.
#[derive(Clone)]
pub enum Given {
    Block(Rc<Closure>),
    /// `&:name`
    Method(Rc<str>),
}

impl Evaluator {
    /// Runs a block; `next` ends it with a value.
    pub(super) fn run(&mut self, closure: &Closure, arguments: &[Value]) -> Evaluated {
        let scope = Scope::inside(&closure.scope);
        let parameters = &closure.block.parameters;
        let takes_several =
            |it: &&Parameter| matches!(it.kind, ParameterKind::Position | ParameterKind::Rest);
        let takes_several = parameters.iter().filter(takes_several).count() > 1;
        self.step(&closure.block.span)?;
        let outer = std::mem::replace(&mut self.file, Arc::clone(&closure.file));
        let bound = match arguments {
            // One list for several parameters is taken apart.
            [Value::List(items)] if takes_several && !closure.is_lambda => {
                let items = items.borrow().clone();
                self.bind(parameters, &items, None, &scope)
            }
            _ => self.bind(parameters, arguments, None, &scope),
        };
        let result = bound.and_then(|()| self.sequence(&closure.block.body, &scope));
        self.file = outer;
        match result {
            Err(Flow::Next(value)) => Ok(value),
            Err(Flow::Return(value)) if closure.is_lambda => Ok(value),
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

    /// Runs a block for every element, and returns what it returned.
    pub(super) fn results(
        &mut self,
        items: Vec<Value>,
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Vec<Value>, Flow> {
        let run = |item: Value| self.give(given, &[item], span);
        items.into_iter().map(run).collect()
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
            Value::Range { first, last } if range::is_short(*first, *last) => {
                range::items(*first, *last).collect()
            }
            _ => return None,
        })
    }
}
