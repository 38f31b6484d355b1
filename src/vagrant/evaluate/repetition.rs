//! `while`, `until` and `for`.

use std::ops::Range;
use std::rc::Rc;

use super::scope::Scope;
use super::value::Value;
use super::{Evaluated, Evaluator, Flow};
use crate::vagrant::ruby::syntax::{Kind, Node};

impl Evaluator {
    pub(super) fn repetition(&mut self, node: &Node, scope: &Rc<Scope>) -> Evaluated {
        match &node.kind {
            Kind::While {
                condition,
                negated,
                is_body_first,
                body,
            } => self.while_loop(condition, *negated, *is_body_first, body, scope),
            Kind::For {
                targets,
                values,
                body,
            } => self.for_loop(targets, values, body, &node.span, scope),
            _ => Ok(Value::Nil),
        }
    }

    fn while_loop(
        &mut self,
        condition: &Node,
        negated: bool,
        is_body_first: bool,
        body: &[Node],
        scope: &Rc<Scope>,
    ) -> Evaluated {
        let mut is_decided = is_body_first;
        loop {
            if !std::mem::take(&mut is_decided) {
                let value = self.evaluate(condition, scope)?;
                match value.is_true() {
                    None => {
                        self.undecided(&value, &[body], &condition.span, scope);
                        return Ok(value);
                    }
                    Some(is_true) if is_true == negated => return Ok(Value::Nil),
                    Some(_) => {}
                }
            }
            match self.statements(body, scope) {
                Err(Flow::Break(value)) => return Ok(value),
                Ok(()) | Err(Flow::Next(_)) => {}
                Err(flow) => return Err(flow),
            }
        }
    }

    /// Unlike a block, the body sees and keeps the variables around it.
    fn for_loop(
        &mut self,
        targets: &[Node],
        values: &Node,
        body: &[Node],
        span: &Range<usize>,
        scope: &Rc<Scope>,
    ) -> Evaluated {
        let values = self.evaluate(values, scope)?;
        let Some(items) = Self::elements(&values) else {
            let reason = match &values {
                Value::Unknown(why) => why.reason.clone(),
                _ => "this is nothing to go through".to_owned(),
            };
            let unknown = self.unknown(span, &reason);
            self.forget(&unknown, body, scope);
            self.fill_in(span, format!("the loop is left out: {reason}"));
            return Ok(values);
        };
        for item in items {
            self.set_all(targets, item, scope)?;
            match self.statements(body, scope) {
                Err(Flow::Break(value)) => return Ok(value),
                Ok(()) | Err(Flow::Next(_)) => {}
                Err(flow) => return Err(flow),
            }
        }
        Ok(values)
    }
}
