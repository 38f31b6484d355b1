//! `=`, `+=`, `||=` and `a, b =`.

use std::rc::Rc;

use super::scope::Scope;
use super::value::{Object, Value};
use super::{Evaluated, Evaluator, Flow, list};
use crate::vagrant::ruby::syntax::{Call, Kind, Node};

impl Evaluator {
    pub(super) fn assign(
        &mut self,
        target: &Node,
        operator: Option<&str>,
        value: &Node,
        scope: &Rc<Scope>,
    ) -> Evaluated {
        let value = match operator {
            None => self.evaluate(value, scope)?,
            Some(sign) => {
                let old = match &target.kind {
                    Kind::Name(name) => Value::or_nil(scope.get(name)),
                    Kind::Constant(name) => Value::or_nil(self.constants.get(name).cloned()),
                    _ => self.evaluate(target, scope)?,
                };
                match (sign, old.is_true()) {
                    ("||", Some(true)) | ("&&", Some(false)) => return Ok(old),
                    ("||" | "&&", None) => old,
                    ("||" | "&&", _) => {
                        let value = self.evaluate(value, scope)?;
                        self.note_unset(&old, Some(&value));
                        value
                    }
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
        self.set_all(targets, value.clone(), scope)?;
        Ok(value)
    }

    /// `/(?<name>…)/ =~ text`
    pub(super) fn assign_groups(
        &mut self,
        call: &Node,
        targets: &[Node],
        scope: &Rc<Scope>,
    ) -> Evaluated {
        let value = self.evaluate(call, scope)?;
        for target in targets {
            let Kind::Name(name) = &target.kind else {
                continue;
            };
            let group = self.named_group(name);
            scope.set(name, group);
        }
        Ok(value)
    }

    /// Takes a value apart for several targets; one target gets it as a whole.
    pub(super) fn set_all(
        &mut self,
        targets: &[Node],
        value: Value,
        scope: &Rc<Scope>,
    ) -> Result<(), Flow> {
        if let [target] = targets
            && !matches!(target.kind, Kind::Splat(_))
        {
            return self.set(target, value, scope);
        }
        let mut values = match &value {
            Value::List(items) => items.borrow().clone(),
            Value::Unknown(_) => vec![value.clone(); targets.len()],
            other => vec![other.clone()],
        };
        for (index, target) in targets.iter().enumerate() {
            let behind = targets.len() - index - 1;
            if let Kind::Splat(inner) = &target.kind {
                let rest = values.len().saturating_sub(behind);
                let rest: Vec<Value> = values.drain(..rest).collect();
                self.set(inner, Value::list(rest), scope)?;
                continue;
            }
            let value = if values.is_empty() {
                Value::Nil
            } else {
                values.remove(0)
            };
            self.set(target, value, scope)?;
        }
        Ok(())
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
            Kind::Variable(name) => match &scope.frame.own {
                Some(Value::Object(Object::Instance { fields, .. })) if name.starts_with('@') => {
                    fields.set(Value::symbol(name.as_str()), value);
                }
                _ => {
                    self.globals.insert(name.clone(), value);
                }
            },
            Kind::Constant(name) => {
                let name = join_module(&scope.frame.module, name);
                self.constants.insert(name, value);
            }
            Kind::List(targets) => self.set_all(targets, value, scope)?,
            Kind::Call(Call {
                receiver: Some(receiver),
                name,
                arguments,
                ..
            }) => {
                let receiver = self.evaluate(receiver, scope)?;
                let arguments = self.values(arguments, scope)?;
                self.set_attribute(&receiver, name, &arguments, value, target)?;
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
    ) -> Result<(), Flow> {
        if let (Some(why), Value::Map(_) | Value::List(_)) =
            (arguments.iter().find_map(Value::why), receiver)
        {
            // Which element it is isn't known, so that none is.
            receiver.lose(why);
            return Ok(());
        }
        match (receiver, arguments) {
            (Value::Map(pairs), [key]) if name == "[]" => pairs.set(key.clone(), value),
            (Value::Map(pairs), []) if name == "default" => {
                pairs.borrow_mut().default = Some(value);
            }
            (Value::List(items), [Value::Integer(index)]) if name == "[]" => {
                list::store(&mut items.borrow_mut(), *index, value);
            }
            (Value::Text(text), [at]) if name == "[]" => {
                match super::characters::with_part(&text.text(), at, &value) {
                    Some(new) => text.replace(new.into()),
                    None => self.not_set(receiver, target),
                }
            }
            (Value::Object(Object::Configuration { machine, path }), []) => {
                let path = join(path, name);
                self.set_configuration(*machine, path, value, &target.span);
            }
            (Value::Object(Object::Provider { machine, path }), arguments) => {
                let path = match arguments {
                    [key] => join(path, key.as_text().as_deref().unwrap_or("[]")),
                    _ => join(path, name),
                };
                self.lab
                    .set_provider(*machine, path, value, self.place(&target.span));
            }
            (Value::Object(Object::Provisioner), []) => self.lab.set_provisioner(name, value),
            (Value::Object(Object::Instance { .. }), arguments) => {
                let arguments = [arguments, &[value]].concat();
                let name = format!("{name}=");
                self.method(receiver, &name, arguments, None, &target.span)?;
            }
            (Value::Object(Object::Constant(name)), [variable]) if name == "ENV" => {
                if let Some(variable) = variable.as_text() {
                    self.set_environment(&variable, value);
                }
            }
            (Value::Object(Object::Options), _) => {}
            (Value::Unknown(why), _) => {
                let reason = why.reason.clone();
                self.left_out(&target.span, reason);
            }
            _ => self.not_set(receiver, target),
        }
        Ok(())
    }

    fn not_set(&mut self, receiver: &Value, target: &Node) {
        let reason = "this can't be set here";
        self.left_out(&target.span, reason);
        if let Some(why) = self.unknown(&target.span, reason).why() {
            receiver.lose(why);
        }
    }
}

/// Puts a name behind that of a module.
pub(super) fn join_module(module: &str, name: &str) -> String {
    match module {
        "" => name.to_owned(),
        _ => format!("{module}::{name}"),
    }
}

/// Puts a name behind a path: `vm` and `box` are `vm.box`.
pub(super) fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    }
}
