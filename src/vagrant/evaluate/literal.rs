//! Literals, and what has a name.

use std::ops::Range;
use std::rc::Rc;

use super::scope::Scope;
use super::shared::Pairs;
use super::value::{Object, Value};
use super::{Evaluated, Evaluator, Flow, MAXIMUM_LENGTH};
use crate::vagrant::ruby::syntax::{Kind, Node, Piece};

impl Evaluator {
    pub(super) fn literal_or_name(&mut self, node: &Node, scope: &Rc<Scope>) -> Evaluated {
        Ok(match &node.kind {
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Integer(number) => Value::Integer(*number),
            Kind::Float(number) => Value::Float(*number),
            Kind::Text(pieces) => self.text(pieces, &node.span, scope)?,
            Kind::Symbol(pieces) => match self.text(pieces, &node.span, scope)? {
                Value::Text(text) => Value::Symbol(text.text()),
                other => other,
            },
            Kind::Regex(pieces) => match self.text(pieces, &node.span, scope)? {
                Value::Text(text) => Value::Regex(text.text()),
                other => other,
            },
            Kind::Command => self.command(&node.span),
            Kind::List(items) => Value::list(self.values(items, scope)?),
            Kind::Map(pairs) => self.map_literal(pairs, scope)?,
            Kind::Range {
                first,
                last,
                exclusive,
            } => {
                let (first, last) = (self.evaluate(first, scope)?, self.evaluate(last, scope)?);
                self.range(&node.span, &first, &last, *exclusive)
            }
            Kind::Lambda(block) => Value::Closure(self.closure(block, true, scope)),
            Kind::Own => match &scope.frame.own {
                Some(own) => own.clone(),
                None if !scope.frame.module.is_empty() => {
                    Value::Object(Object::Constant(scope.frame.module.clone()))
                }
                None => self.unknown(&node.span, "`self` is not followed"),
            },
            // One that a branch would have set, and no branch has, is nil.
            Kind::Name(name) => Value::or_nil(scope.get(name)),
            Kind::Constant(name) => self.constant(name, &node.span, scope),
            Kind::Variable(name) => Value::or_nil(self.variable(name, scope)),
            Kind::Group(group) => self.group(*group),
            Kind::Defined(inner) => self.is_defined(inner, &node.span, scope),
            _ => Value::Nil,
        })
    }

    /// `$name`, and `@name` of the object or, outside of objects, of the file.
    pub(super) fn variable(&self, name: &str, scope: &Scope) -> Option<Value> {
        match (&scope.frame.own, name) {
            (Some(Value::Object(Object::Instance { fields, .. })), _) if name.starts_with('@') => {
                fields.borrow().get(&Value::symbol(name)).cloned()
            }
            (_, "$~") => Some(match &self.last_match {
                Ok(Some(found)) => Value::Match(Rc::clone(found)),
                Ok(None) => Value::Nil,
                Err(why) => Value::Unknown(Rc::clone(why)),
            }),
            _ => self.globals.get(name).cloned(),
        }
    }

    fn is_defined(&mut self, node: &Node, span: &Range<usize>, scope: &Rc<Scope>) -> Value {
        let (is_known, what) = match &node.without_parentheses().kind {
            Kind::Name(_) => (true, "local-variable"),
            Kind::Call(call) if call.receiver.is_none() => {
                (self.functions.contains_key(&call.name), "method")
            }
            Kind::Variable(name) if name.starts_with('$') => {
                (self.variable(name, scope).is_some(), "global-variable")
            }
            Kind::Variable(name) => (self.variable(name, scope).is_some(), "instance-variable"),
            Kind::Constant(name) => {
                let is_unknown = matches!(self.constant(name, span, scope), Value::Unknown(_));
                (!is_unknown, "constant")
            }
            _ => return self.unknown(span, "`defined?` is followed for variables only"),
        };
        if is_known {
            Value::text(what)
        } else {
            Value::Nil
        }
    }

    /// Evaluates a list of expressions; `*list` stands for its elements.
    pub(super) fn values(&mut self, nodes: &[Node], scope: &Rc<Scope>) -> Result<Vec<Value>, Flow> {
        let mut values = Vec::new();
        for node in nodes {
            let value = self.evaluate(node, scope)?;
            match (&node.kind, &value) {
                (Kind::Splat(_), Value::Nil) => {}
                (Kind::Splat(_), _) => match Self::elements(&value) {
                    Some(items) => values.extend(items),
                    None => values.push(value),
                },
                _ => values.push(value),
            }
        }
        Ok(values)
    }

    fn map_literal(&mut self, pairs: &[(Option<Node>, Node)], scope: &Rc<Scope>) -> Evaluated {
        let mut found = Pairs::default();
        for (key, value) in pairs {
            let Some(key) = key else {
                match self.evaluate(value, scope)? {
                    Value::Map(others) => {
                        for (key, value) in others.borrow().iter() {
                            found.set(key.clone(), value.clone());
                        }
                    }
                    Value::Unknown(why) => return Ok(Value::Unknown(why)),
                    _ => {}
                }
                continue;
            };
            let key = self.evaluate(key, scope)?;
            let value = self.evaluate(value, scope)?;
            if let Value::Unknown(_) = key {
                return Ok(key);
            }
            found.set(key, value);
        }
        Ok(Value::Map(super::shared::Shared::new(found)))
    }

    /// Puts a text together.
    fn text(&mut self, pieces: &[Piece], span: &Range<usize>, scope: &Rc<Scope>) -> Evaluated {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Code(nodes) => {
                    let value = match &nodes[..] {
                        [node] => self.evaluate(node, scope)?,
                        nodes => self.sequence(nodes, scope)?,
                    };
                    match self.text_of(&value, span)? {
                        Value::Text(part) => text.push_str(&part.text()),
                        other => return Ok(other),
                    }
                }
            }
            if text.len() > MAXIMUM_LENGTH {
                return Ok(self.unknown(span, "the text is too long"));
            }
        }
        Ok(Value::text(text))
    }

    /// `to_s`, as `#{…}` calls it.
    pub(super) fn text_of(&mut self, value: &Value, span: &Range<usize>) -> Evaluated {
        if let Value::Object(Object::Instance { .. }) = value {
            return self.method(value, "to_s", Vec::new(), None, span);
        }
        Ok(match (value.to_text(), value) {
            (Some(text), _) => Value::text(text),
            (None, Value::Unknown(why) | Value::Unset(why)) => Value::Unknown(Rc::clone(why)),
            (None, _) => self.unknown(span, "an object has no text of its own"),
        })
    }
}
