//! `raise` and `rescue`.

use std::ops::Range;
use std::rc::Rc;

use super::scope::Scope;
use super::value::{Failure, Object, Value};
use super::{Evaluated, Evaluator, Flow};
use crate::vagrant::ruby::syntax::{Kind, Node, Rescue};

/// Errors that `rescue` without a class, or with `StandardError`, doesn't catch.
const NO_STANDARD_ERRORS: [&str; 6] = [
    "Exception",
    "LoadError",
    "NotImplementedError",
    "ScriptError",
    "SyntaxError",
    "SystemExit",
];

/// Classes of errors with the one that they belong to.
const PARENTS: [(&str, &str); 9] = [
    ("Errno::ENOENT", "SystemCallError"),
    ("FloatDomainError", "RangeError"),
    ("JSON::ParserError", "JSON::JSONError"),
    ("KeyError", "IndexError"),
    ("LoadError", "ScriptError"),
    ("NoMethodError", "NameError"),
    ("Psych::SyntaxError", "Psych::Exception"),
    ("StopIteration", "IndexError"),
    ("Vagrant::Errors::VagrantError", "StandardError"),
];

/// Tells whether a `rescue` for a class catches errors of another.
pub(super) fn is_kind(class: &str, wanted: &str) -> bool {
    class == wanted
        || wanted == "Exception"
        || (wanted == "StandardError" && !NO_STANDARD_ERRORS.contains(&class))
        || PARENTS
            .iter()
            .any(|(child, parent)| *child == class && *parent == wanted)
}

impl Evaluator {
    /// The value of what ends in an error: a `rescue` may catch it, else the value isn't known.
    pub(super) fn fail(&mut self, span: &Range<usize>, class: &str, reason: &str) -> Evaluated {
        if self.rescues == 0 {
            return Ok(self.unknown(span, reason));
        }
        Err(Flow::Raise(Rc::new(Failure {
            class: class.to_owned(),
            message: reason.to_owned(),
        })))
    }

    /// `raise`: with a text, a class, or both.
    pub(super) fn raise(&mut self, arguments: &[Value], span: &Range<usize>) -> Evaluated {
        let text = |value: Option<&Value>| value.and_then(Value::to_text).map(|it| it.to_string());
        let failure = match arguments {
            [Value::Object(Object::Error(failure)), ..] => Failure::clone(failure),
            [Value::Object(Object::Constant(class)), rest @ ..] => Failure {
                class: class.clone(),
                message: text(rest.first()).unwrap_or_else(|| class.clone()),
            },
            rest => Failure {
                class: "RuntimeError".to_owned(),
                message: text(rest.first()).unwrap_or_else(|| "an error".to_owned()),
            },
        };
        if self.rescues > 0 {
            return Err(Flow::Raise(Rc::new(failure)));
        }
        self.fill_in(
            span,
            "the Vagrantfile stops here; what stands below was read all the same",
        );
        Ok(Value::Nil)
    }

    pub(super) fn begin(
        &mut self,
        body: &[Node],
        rescues: &[Rescue],
        otherwise: &[Node],
        ensure: &[Node],
        scope: &Rc<Scope>,
    ) -> Evaluated {
        let waiting = usize::from(!rescues.is_empty());
        self.rescues += waiting;
        let result = self.sequence(body, scope);
        self.rescues -= waiting;
        let result = match result {
            Err(Flow::Raise(failure)) => self.rescue(&failure, rescues, scope),
            Ok(_) if !otherwise.is_empty() => self.sequence(otherwise, scope),
            // What isn't followed may have failed as well.
            Ok(value) => {
                if let Value::Unknown(_) = value {
                    let branches: Vec<&[Node]> = rescues.iter().map(|it| &it.body[..]).collect();
                    let span = body.first().map_or(0..0, |it| it.span.clone());
                    self.undecided(&value, &branches, &span, scope);
                }
                Ok(value)
            }
            other => other,
        };
        self.statements(ensure, scope)?;
        result
    }

    fn rescue(
        &mut self,
        failure: &Rc<Failure>,
        rescues: &[Rescue],
        scope: &Rc<Scope>,
    ) -> Evaluated {
        for rescue in rescues {
            let mut names = rescue.classes.iter().filter_map(|it| match &it.kind {
                Kind::Constant(name) => Some(name.as_str()),
                _ => None,
            });
            let catches = if rescue.classes.is_empty() {
                is_kind(&failure.class, "StandardError")
            } else {
                names.any(|wanted| is_kind(&failure.class, wanted))
            };
            if catches {
                if let Some(target) = &rescue.target {
                    let error = Value::Object(Object::Error(Rc::clone(failure)));
                    self.set(target, error, scope)?;
                }
                return self.sequence(&rescue.body, scope);
            }
        }
        if self.rescues > 0 {
            return Err(Flow::Raise(Rc::clone(failure)));
        }
        let span = rescues.first().map_or(0..0, |it| {
            it.body.first().map_or(0..0, |it| it.span.clone())
        });
        Ok(self.unknown(&span, &failure.message))
    }
}
