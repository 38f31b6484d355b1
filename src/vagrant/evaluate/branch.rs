//! Conditions and loops.

use std::ops::Range;
use std::rc::Rc;

use super::call::Given;
use super::scope::Scope;
use super::value::Value;
use super::{Evaluated, Evaluator, Flow};
use crate::vagrant::ruby::syntax::{Block, Call, Kind, Node, Parameter};

/// Calls that change no machine: a condition for nothing but these needs no answer.
const WITHOUT_EFFECT: [&str; 13] = [
    "puts", "print", "p", "pp", "warn", "raise", "fail", "abort", "exit", "system", "require",
    "sleep", "info",
];

impl Evaluator {
    /// `and`, `or`, `not`
    pub(super) fn logic(&mut self, node: &Node, scope: &Rc<Scope>) -> Evaluated {
        let (left, right, is_and) = match &node.kind {
            Kind::And(left, right) => (left, right, true),
            Kind::Or(left, right) => (left, right, false),
            Kind::Not(inner) => {
                let value = self.evaluate(inner, scope)?;
                self.note_unset(&value, None);
                return Ok(match (value.is_true(), value) {
                    (Some(is_true), _) => Value::Bool(!is_true),
                    (None, value) => value,
                });
            }
            _ => return Ok(Value::Nil),
        };
        let value = self.evaluate(left, scope)?;
        match value.is_true() {
            None => Ok(value),
            Some(is_true) => {
                self.note_unset(&value, (!is_and).then_some(&**right));
                if is_true == is_and {
                    self.evaluate(right, scope)
                } else {
                    Ok(value)
                }
            }
        }
    }

    /// Says that an environment variable is taken as not set.
    pub(super) fn note_unset(&mut self, value: &Value, default: Option<&Node>) {
        let Value::Unset(why) = value else {
            return;
        };
        let default = default.and_then(|node| self.file.text.get(node.span.clone()));
        let message = match default {
            Some(text) => {
                let text = text.lines().next().unwrap_or_default();
                format!("{}: {text}", why.reason)
            }
            None => why.reason.clone(),
        };
        let span = why.place.span.clone();
        self.assumed(&span, message);
    }

    pub(super) fn condition(
        &mut self,
        condition: &Node,
        then: &[Node],
        otherwise: &[Node],
        span: &Range<usize>,
        scope: &Rc<Scope>,
    ) -> Evaluated {
        let value = self.evaluate(condition, scope)?;
        self.note_unset(&value, None);
        match (value.is_true(), &value) {
            (Some(true), _) => self.sequence(then, scope),
            (Some(false), _) => self.sequence(otherwise, scope),
            (None, value) => Ok(self.undecided(value, &[then, otherwise], span, scope)),
        }
    }

    pub(super) fn case(
        &mut self,
        subject: Option<&Node>,
        branches: &[(Vec<Node>, Vec<Node>)],
        otherwise: &[Node],
        span: &Range<usize>,
        scope: &Rc<Scope>,
    ) -> Evaluated {
        let subject = match subject {
            Some(node) => Some(self.evaluate(node, scope)?),
            None => None,
        };
        if let Some(value) = &subject {
            self.note_unset(value, None);
        }
        for (patterns, body) in branches {
            for pattern in patterns {
                let value = self.evaluate(pattern, scope)?;
                let matches = match &subject {
                    None => value,
                    Some(subject) => {
                        self.method(&value, "===", vec![subject.clone()], None, span)?
                    }
                };
                match matches.is_true() {
                    Some(true) => return self.sequence(body, scope),
                    Some(false) => {}
                    None => {
                        let mut all: Vec<&[Node]> = branches.iter().map(|it| &it.1[..]).collect();
                        all.push(otherwise);
                        return Ok(self.undecided(&matches, &all, span, scope));
                    }
                }
            }
        }
        self.sequence(otherwise, scope)
    }

    /// Nobody knows which branch is taken: none is, and what they set isn't known any more.
    fn undecided(
        &mut self,
        value: &Value,
        branches: &[&[Node]],
        span: &Range<usize>,
        scope: &Rc<Scope>,
    ) -> Value {
        let has_effect = self.forget(value, branches.iter().copied().flatten(), scope);
        if has_effect && let Some(why) = value.why() {
            let message = format!("whether this holds can't be told: {}", why.reason);
            self.fill_in(span, message);
        }
        value.clone()
    }

    /// A block that isn't run is listed if it would do more than set variables.
    pub(super) fn lost_block(&mut self, given: Option<&Given>, value: &Value, span: &Range<usize>) {
        if let (Some(Given::Block(closure)), Some(why)) = (given, value.why())
            && self.forget(value, &closure.block.body, &closure.scope)
        {
            self.fill_in(span, format!("the block is left out: {}", why.reason));
        }
    }

    /// Makes unknown what statements that aren't followed would set; tells whether they would do more.
    fn forget<'a>(
        &mut self,
        value: &Value,
        statements: impl IntoIterator<Item = &'a Node>,
        scope: &Rc<Scope>,
    ) -> bool {
        let mut targets = Vec::new();
        let mut has_effect = false;
        for node in statements {
            effects(node, &mut targets, &mut has_effect, 0);
        }
        for target in targets {
            if self.set(target, value.clone(), scope).is_err() {
                has_effect = true;
            }
        }
        has_effect
    }

    pub(super) fn while_loop(
        &mut self,
        condition: &Node,
        negated: bool,
        body: &[Node],
        scope: &Rc<Scope>,
    ) -> Evaluated {
        loop {
            let value = self.evaluate(condition, scope)?;
            match value.is_true() {
                None => return Ok(self.undecided(&value, &[body], &condition.span, scope)),
                Some(is_true) if is_true == negated => return Ok(Value::Nil),
                Some(_) => {}
            }
            match self.statements(body, scope) {
                Err(Flow::Break(value)) => return Ok(value),
                Ok(()) | Err(Flow::Next(_)) => {}
                Err(flow) => return Err(flow),
            }
        }
    }

    /// Unlike a block, the body sees and keeps the variables around it.
    pub(super) fn for_loop(
        &mut self,
        targets: &[Parameter],
        values: &Node,
        body: &Block,
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
            self.forget(&unknown, &body.body, scope);
            self.fill_in(span, format!("the loop is left out: {reason}"));
            return Ok(values);
        };
        for item in items {
            let item = match item {
                Value::List(parts) if targets.len() > 1 => parts.borrow().clone(),
                other => vec![other],
            };
            self.bind(targets, &item, scope)?;
            match self.statements(&body.body, scope) {
                Err(Flow::Break(value)) => return Ok(value),
                Ok(()) | Err(Flow::Next(_)) => {}
                Err(flow) => return Err(flow),
            }
        }
        Ok(values)
    }
}

/// Collects what statements would set, and whether they would do more than that.
fn effects<'a>(node: &'a Node, targets: &mut Vec<&'a Node>, has_effect: &mut bool, depth: usize) {
    if depth > 50 {
        *has_effect = true;
        return;
    }
    let mut all = |nodes: &'a [Node]| {
        for node in nodes {
            effects(node, targets, has_effect, depth + 1);
        }
    };
    match &node.kind {
        Kind::Assign { target, .. } => targets.push(target),
        Kind::AssignAll {
            targets: several, ..
        } => targets.extend(several),
        Kind::If {
            then, otherwise, ..
        } => {
            all(then);
            all(otherwise);
        }
        Kind::Case {
            branches,
            otherwise,
            ..
        } => {
            for (_, body) in branches {
                all(body);
            }
            all(otherwise);
        }
        Kind::Sequence(nodes) => all(nodes),
        Kind::Call(call) => {
            *has_effect |= may_change_something(call);
        }
        Kind::While { .. } | Kind::For { .. } | Kind::Return(_) | Kind::Break(_) => {
            *has_effect = true;
        }
        _ => {}
    }
}

/// Tells whether a call could set up a machine.
fn may_change_something(call: &Call) -> bool {
    let is_operator = !call
        .name
        .starts_with(|it: char| it == '_' || it.is_alphabetic());
    if is_operator {
        return call.name == "<<";
    }
    call.block.is_some()
        || (!call.arguments.is_empty() && !WITHOUT_EFFECT.contains(&call.name.as_str()))
}
