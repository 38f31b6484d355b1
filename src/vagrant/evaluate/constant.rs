//! Constants and the methods of `Vagrant`, `ENV`, `Array` and their like.

use std::ops::Range;
use std::rc::Rc;

use super::call::Given;
use super::value::{Object, Value, Why};
use super::{Evaluated, Evaluator, Flow};

/// Constants of Ruby and Vagrant that have methods which are followed, or are classes to ask for.
const KNOWN: [&str; 24] = [
    "Array",
    "Dir",
    "ENV",
    "File",
    "FileTest",
    "Float",
    "Hash",
    "Integer",
    "IO",
    "JSON",
    "NilClass",
    "Numeric",
    "Object",
    "Proc",
    "Psych",
    "Range",
    "Regexp",
    "String",
    "Symbol",
    "TrueClass",
    "FalseClass",
    "Vagrant",
    "Vagrant::Config",
    "YAML",
];

impl Evaluator {
    pub(super) fn constant(&mut self, name: &str, span: &Range<usize>) -> Value {
        if let Some(value) = self.constants.get(name) {
            return value.clone();
        }
        if KNOWN.contains(&name) {
            return Value::Object(Object::Constant(name.to_owned()));
        }
        match name {
            "ARGV" => {
                self.assumed(span, "the command line is taken as `vagrant up`");
                Value::list(vec![Value::text("up")])
            }
            "File::SEPARATOR" | "File::Separator" => Value::text("/"),
            _ => self.unknown(span, &format!("`{name}` is not known")),
        }
    }

    pub(super) fn constant_method(
        &mut self,
        constant: &str,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Evaluated {
        match constant {
            "ENV" => return self.environment(name, arguments, given, span),
            "File" | "Dir" | "FileTest" | "IO" => {
                if let Some(value) = self.file_method(constant, name, arguments, span) {
                    return Ok(value);
                }
            }
            "YAML" | "Psych" | "JSON" => {
                if let Some(value) = self.data_method(constant, name, arguments, span) {
                    return Ok(value);
                }
            }
            _ => {}
        }
        Ok(match (constant, name, arguments) {
            ("Vagrant", "configure", _) | ("Vagrant::Config", "run", _) => {
                let configuration = Value::Object(Object::Configuration {
                    machine: None,
                    path: String::new(),
                });
                self.give(given, &[configuration], span)?;
                Value::Nil
            }
            ("Vagrant", "require_version" | "require_plugin", _) => Value::Nil,
            ("Vagrant", "has_plugin?", [plugin, ..]) => {
                let plugin = plugin.as_text().unwrap_or("the plugin");
                self.assumed(span, format!("{plugin} is taken as installed"));
                Value::Bool(true)
            }
            ("Hash", "new", _) => Value::map(Vec::new()),
            ("String", "new", _) => arguments.first().cloned().unwrap_or(Value::text("")),
            ("Array", "new", []) => Value::list(Vec::new()),
            ("Array", "new", [Value::Integer(count), rest @ ..]) => {
                let mut items = Vec::new();
                for index in 0..(*count).min(10_000) {
                    items.push(match (given, rest.first()) {
                        (Some(_), _) => self.give(given, &[Value::Integer(index)], span)?,
                        (None, value) => value.cloned().unwrap_or(Value::Nil),
                    });
                }
                Value::list(items)
            }
            ("Regexp", "new", [Value::Text(text)]) => Value::Regex(text.clone()),
            ("Integer" | "String" | "Float", "()", [value]) => value.clone(),
            _ => {
                let reason = format!("`{constant}.{name}` is not followed");
                let unknown = self.unknown(span, &reason);
                self.lost_block(given, &unknown, span);
                unknown
            }
        })
    }

    /// Commands are not run; what processor this is, kinstall knows itself.
    pub(super) fn command(&mut self, span: &Range<usize>) -> Value {
        let text = self.file.text.get(span.clone()).unwrap_or_default();
        if text.trim_matches('`').trim() == "uname -m" {
            let processor = std::env::consts::ARCH;
            self.assumed(
                span,
                format!("`uname -m` is {processor}, as on this computer"),
            );
            return Value::text(processor);
        }
        self.unknown(span, "commands are not run")
    }

    /// The environment of whoever used the Vagrantfile isn't known: what is read is taken as not set.
    fn environment(
        &mut self,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Value, Flow> {
        let Some(variable) = arguments.first().and_then(Value::as_text) else {
            return Ok(self.unknown(span, "the environment is not known"));
        };
        if let Some(value) = self.environment.get(variable) {
            return Ok(value.clone());
        }
        let unset = Value::Unset(Rc::new(Why {
            place: self.place(span),
            reason: format!("ENV['{variable}'] is taken as not set"),
        }));
        Ok(match (name, &arguments[1..]) {
            ("[]", []) => unset,
            ("fetch", [default]) => {
                let text = default.to_text().unwrap_or_default();
                self.assumed(
                    span,
                    format!("ENV['{variable}'] is taken as not set: {text}"),
                );
                default.clone()
            }
            ("fetch", []) if given.is_some() => {
                self.note_unset(&unset, None);
                self.give(given, arguments, span)?
            }
            ("key?" | "has_key?" | "include?" | "member?", []) => {
                self.note_unset(&unset, None);
                Value::Bool(false)
            }
            _ => self.unknown(span, &format!("ENV['{variable}'] is not known")),
        })
    }
}
