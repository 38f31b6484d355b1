//! How parameters get their values.

use std::rc::Rc;

use super::given::Given;
use super::scope::Scope;
use super::value::Value;
use super::{Evaluator, Flow};
use crate::vagrant::ruby::syntax::{Parameter, ParameterKind, Pattern};

impl Evaluator {
    /// Gives values to the parameters of a block or method; too few are nil, too many are left.
    pub(super) fn bind(
        &mut self,
        parameters: &[Parameter],
        values: &[Value],
        given: Option<&Given>,
        scope: &Rc<Scope>,
    ) -> Result<(), Flow> {
        let has = |kinds: &[ParameterKind]| parameters.iter().any(|it| kinds.contains(&it.kind));
        let takes_keys = has(&[ParameterKind::Key, ParameterKind::KeyRest]);
        let options = match values.last() {
            Some(Value::Map(options)) if takes_keys => Some(options.borrow().clone()),
            _ => None,
        };
        // What is given by key has no position.
        let mut values = values[..values.len() - usize::from(options.is_some())]
            .iter()
            .cloned();
        let mut options = options.unwrap_or_default();
        let positions = parameters
            .iter()
            .filter(|it| it.kind == ParameterKind::Position);
        let mut needed = positions.clone().filter(|it| it.default.is_none()).count();
        for parameter in parameters {
            let given = match parameter.kind {
                // Those without a default are served first.
                ParameterKind::Position if parameter.default.is_some() => {
                    if values.len() > needed {
                        values.next()
                    } else {
                        None
                    }
                }
                ParameterKind::Position => {
                    needed = needed.saturating_sub(1);
                    values.next()
                }
                ParameterKind::Rest => {
                    let count = values.len().saturating_sub(needed);
                    Some(Value::list(values.by_ref().take(count).collect()))
                }
                ParameterKind::Key => {
                    let key = match &parameter.name {
                        Pattern::Name(name) => Value::symbol(name.as_str()),
                        Pattern::List(_) => Value::Nil,
                    };
                    let value = options.get(&key).cloned();
                    options.retain(|(other, _)| !other.is_same(&key));
                    value
                }
                ParameterKind::KeyRest => Some(Value::map(options.drain(..).collect())),
                ParameterKind::Local => Some(Value::Nil),
                ParameterKind::Block => given.map(|it| match it {
                    Given::Block(closure) => Value::Closure(Rc::clone(closure)),
                    Given::Method(name) => Value::Symbol(Rc::clone(name)),
                }),
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
                    self.bind(inner, &items, None, scope)?;
                }
                (Pattern::List(inner), Value::Unknown(why)) => {
                    let values = vec![Value::Unknown(why); inner.len()];
                    self.bind(inner, &values, None, scope)?;
                }
                (Pattern::List(inner), value) => self.bind(inner, &[value], None, scope)?,
            }
        }
        Ok(())
    }
}
