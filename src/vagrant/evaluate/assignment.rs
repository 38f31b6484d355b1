//! `=`, `+=`, `||=` and `a, b =`.

use std::rc::Rc;

use super::scope::Scope;
use super::value::{Object, Value};
use super::{Evaluated, Evaluator, Flow, list, map};
use crate::vagrant::ruby::syntax::{Call, Kind, Node, Parameter, Pattern};

impl Evaluator {
    pub(super) fn assign(
        &mut self,
        target: &Node,
        operator: Option<&'static str>,
        value: &Node,
        scope: &Rc<Scope>,
    ) -> Evaluated {
        let value = match operator {
            None => self.evaluate(value, scope)?,
            Some(sign) => {
                let old = match &target.kind {
                    Kind::Name(name) => scope.get(name).unwrap_or(Value::Nil),
                    Kind::Constant(name) => self.constants.get(name).cloned().unwrap_or(Value::Nil),
                    _ => self.evaluate(target, scope)?,
                };
                match (sign, old.is_true()) {
                    ("||", Some(true)) | ("&&", Some(false)) => return Ok(old),
                    ("||" | "&&", None) => old,
                    ("||", _) => {
                        self.note_unset(&old, Some(value));
                        self.evaluate(value, scope)?
                    }
                    ("&&", _) => self.evaluate(value, scope)?,
                    _ => {
                        let value = self.evaluate(value, scope)?;
                        self.method(&old, sign, vec![value], None, &target.span)?
                    }
                }
            }
        };
        self.set(target, value.clone(), scope)?;
        Ok(value)
    }

    pub(super) fn assign_all(
        &mut self,
        targets: &[Node],
        value: &Node,
        scope: &Rc<Scope>,
    ) -> Evaluated {
        let value = self.evaluate(value, scope)?;
        let values = match &value {
            Value::List(items) => items.borrow().clone(),
            Value::Unknown(_) => vec![value.clone(); targets.len()],
            other => vec![other.clone()],
        };
        for (index, target) in targets.iter().enumerate() {
            if let Kind::Splat(inner) = &target.kind {
                let rest = values.get(index..).unwrap_or_default().to_vec();
                self.set(inner, Value::list(rest), scope)?;
                break;
            }
            let value = values.get(index).cloned().unwrap_or(Value::Nil);
            self.set(target, value, scope)?;
        }
        Ok(value)
    }

    /// Gives a value to a variable, an element or a setting.
    pub(super) fn set(
        &mut self,
        target: &Node,
        value: Value,
        scope: &Rc<Scope>,
    ) -> Result<(), Flow> {
        match &target.kind {
            Kind::Name(name) => scope.set(name, value),
            Kind::Variable(name) => {
                self.globals.insert(name.clone(), value);
            }
            Kind::Constant(name) => {
                self.constants.insert(name.clone(), value);
            }
            Kind::Call(Call {
                receiver: Some(receiver),
                name,
                arguments,
                ..
            }) => {
                let receiver = self.evaluate(receiver, scope)?;
                let arguments = self.values(arguments, scope)?;
                self.set_attribute(&receiver, name, &arguments, value, target);
            }
            _ => {}
        }
        Ok(())
    }

    fn set_attribute(
        &mut self,
        receiver: &Value,
        name: &str,
        arguments: &[Value],
        value: Value,
        target: &Node,
    ) {
        match (receiver, arguments) {
            (Value::Map(pairs), [key]) if name == "[]" => {
                map::insert(&mut pairs.borrow_mut(), key.clone(), value);
            }
            (Value::List(items), [Value::Integer(index)]) if name == "[]" => {
                list::store(&mut items.borrow_mut(), *index, value);
            }
            (Value::Object(Object::Configuration { machine, path }), []) => {
                let path = join(path, name);
                self.set_configuration(*machine, path, value, &target.span);
            }
            (Value::Object(Object::Provider { machine, path }), arguments) => {
                let path = match arguments {
                    [key] => join(path, key.as_text().unwrap_or("[]")),
                    _ => join(path, name),
                };
                self.lab
                    .set_provider(*machine, path, value, self.place(&target.span));
            }
            (Value::Object(Object::Provisioner), []) => {
                self.lab.set_provisioner(name.to_owned(), value);
            }
            (Value::Object(Object::Constant(name)), [variable]) if name == "ENV" => {
                if let Some(variable) = variable.as_text() {
                    self.environment.insert(variable.to_owned(), value);
                }
            }
            (Value::Unknown(why), _) => {
                let reason = why.reason.clone();
                self.left_out(&target.span, reason);
            }
            _ => self.left_out(&target.span, "this can't be set here"),
        }
    }

    /// Gives values to the parameters of a block; too few are nil, too many are left.
    pub(super) fn bind(
        &mut self,
        parameters: &[Parameter],
        values: &[Value],
        scope: &Rc<Scope>,
    ) -> Result<(), Flow> {
        let options = parameters
            .iter()
            .any(|it| it.is_key)
            .then(|| values.last().filter(|it| matches!(it, Value::Map(_))))
            .flatten();
        // What is given by key has no position.
        let values = &values[..values.len() - usize::from(options.is_some())];
        for (index, parameter) in parameters.iter().enumerate() {
            let given = if parameter.is_rest {
                let rest = values.get(index..).unwrap_or_default().to_vec();
                Some(Value::list(rest))
            } else if let (true, Pattern::Name(name)) = (parameter.is_key, &parameter.name) {
                options.and_then(|it| it.option(name))
            } else {
                values.get(index).cloned()
            };
            let value = match (given, &parameter.default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.evaluate(default, scope)?,
                (None, None) => Value::Nil,
            };
            match (&parameter.name, value) {
                (Pattern::Name(name), value) => scope.declare(name, value),
                (Pattern::List(inner), Value::List(items)) => {
                    let items = items.borrow().clone();
                    self.bind(inner, &items, scope)?;
                }
                (Pattern::List(inner), Value::Unknown(why)) => {
                    let values = vec![Value::Unknown(why); inner.len()];
                    self.bind(inner, &values, scope)?;
                }
                (Pattern::List(inner), value) => self.bind(inner, &[value], scope)?,
            }
        }
        Ok(())
    }
}

/// Puts a name behind a path: `vm` and `box` are `vm.box`.
pub(super) fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    }
}
