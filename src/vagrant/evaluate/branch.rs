//! Conditions.

use std::ops::Range;
use std::rc::Rc;

use super::scope::Scope;
use super::value::Value;
use super::{Evaluated, Evaluator};
use crate::vagrant::ruby::syntax::{Kind, Node};

impl Evaluator {
    pub(super) fn branch(&mut self, node: &Node, scope: &Rc<Scope>) -> Evaluated {
        match &node.kind {
            Kind::And(left, right) => self.both(left, right, true, scope),
            Kind::Or(left, right) => self.both(left, right, false, scope),
            Kind::Not(inner) => {
                let value = self.evaluate(inner, scope)?;
                self.note_unset(&value, None);
                Ok(match (value.is_true(), value) {
                    (Some(is_true), _) => Value::Bool(!is_true),
                    (None, value) => value,
                })
            }
            Kind::If {
                condition,
                then,
                otherwise,
            } => {
                let value = self.evaluate(condition, scope)?;
                self.note_unset(&value, None);
                match value.is_true() {
                    Some(true) => self.sequence(then, scope),
                    Some(false) => self.sequence(otherwise, scope),
                    None => {
                        self.undecided(&value, &[then, otherwise], &node.span, scope);
                        Ok(value)
                    }
                }
            }
            Kind::Case {
                subject,
                branches,
                otherwise,
            } => self.case(subject.as_deref(), branches, otherwise, &node.span, scope),
            _ => Ok(Value::Nil),
        }
    }

    /// `and`, `or`
    fn both(&mut self, left: &Node, right: &Node, is_and: bool, scope: &Rc<Scope>) -> Evaluated {
        let value = self.evaluate(left, scope)?;
        match value.is_true() {
            None => {
                self.undecided(&value, &[std::slice::from_ref(right)], &right.span, scope);
                Ok(value)
            }
            Some(is_true) => {
                if is_true != is_and {
                    self.note_unset(&value, None);
                    return Ok(value);
                }
                let other = self.evaluate(right, scope)?;
                self.note_unset(&value, Some(&other));
                Ok(other)
            }
        }
    }

    /// Says that an environment variable is taken as not set.
    pub(super) fn note_unset(&mut self, value: &Value, default: Option<&Value>) {
        let Value::Unset(why) = value else {
            return;
        };
        let default = default.filter(|it| it.to_text().is_some() && it.why_within().is_none());
        let message = match default {
            Some(default) => format!("{}: {}", why.reason, default.inspect()),
            None => why.reason.clone(),
        };
        let span = why.place.span.clone();
        self.assumed(&span, message);
    }

    fn case(
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
            for value in self.values(patterns, scope)? {
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
                        self.undecided(&matches, &all, span, scope);
                        return Ok(matches);
                    }
                }
            }
        }
        self.sequence(otherwise, scope)
    }
}
