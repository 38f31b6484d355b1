//! Methods of what isn't a plain value, and which class something is of.

use std::ops::Range;

use super::assignment::join;
use super::given::Given;
use super::value::{Object, Value};
use super::{Evaluated, Evaluator};

impl Evaluator {
    pub(super) fn object_method(
        &mut self,
        object: &Object,
        name: &str,
        arguments: Vec<Value>,
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Evaluated {
        match object {
            Object::Constant(constant) => {
                self.constant_method(constant, name, &arguments, given, span)
            }
            Object::Configuration { machine, path } => {
                self.configure(*machine, path, name, arguments, given, span)
            }
            Object::Provider { machine, path } => {
                let path = join(path, name);
                if arguments.is_empty() && given.is_none() {
                    let value = self.lab.provider_value(*machine, &path);
                    let machine = *machine;
                    return Ok(value.unwrap_or(Value::Object(Object::Provider { machine, path })));
                }
                if name != "[]" {
                    let place = self.place(span);
                    self.lab.call_provider(*machine, path, arguments, place);
                }
                Ok(Value::Nil)
            }
            Object::Provisioner => {
                if let ([value], true) = (&arguments[..], name.ends_with('=')) {
                    self.lab.set_provisioner(name, value.clone());
                }
                Ok(Value::Nil)
            }
            Object::Structure(_) | Object::Instance { .. } => {
                self.class_method(object, name, &arguments, given, span)
            }
            Object::Address(address) => {
                match super::computer::address_method(*address, name, &arguments) {
                    Some(value) => Ok(value),
                    None => self.no_method(&Value::Object(object.clone()), name, given, span),
                }
            }
            Object::Options => Ok(self.options_method(name, span)),
            Object::Error(failure) => Ok(match name {
                "message" | "to_s" | "full_message" => Value::text(failure.message.as_str()),
                "class" => Value::Object(Object::Constant(failure.class.clone())),
                "backtrace" => Value::list(Vec::new()),
                _ => self.unknown(span, &format!("`{name}` is not followed")),
            }),
        }
    }
}

/// `is_a?` for the classes that Vagrantfiles ask for.
pub(super) fn is_a(value: &Value, class: &str) -> bool {
    let own = match value {
        Value::Nil | Value::Unset(_) => "NilClass",
        Value::Bool(true) => "TrueClass",
        Value::Bool(false) => "FalseClass",
        Value::Integer(_) => "Integer",
        Value::Float(_) => "Float",
        Value::Text(_) => "String",
        Value::Symbol(_) => "Symbol",
        Value::List(_) => "Array",
        Value::Map(_) => "Hash",
        Value::Range { .. } => "Range",
        Value::Regex(_) => "Regexp",
        Value::Closure(_) => "Proc",
        Value::Object(Object::Address(_)) => "IPAddr",
        Value::Object(Object::Instance { class, .. }) => class,
        Value::Object(Object::Error(failure)) => {
            return super::error::is_kind(&failure.class, class);
        }
        _ => return false,
    };
    own == class
        || matches!(
            (own, class),
            ("Integer", "Fixnum")
                | ("Integer" | "Float", "Numeric")
                | ("Array" | "Hash" | "Range", "Enumerable")
        )
}
