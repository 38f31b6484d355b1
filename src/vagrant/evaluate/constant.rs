//! Constants and the methods of `Vagrant`, `Array` and their like.

use std::ops::Range;
use std::rc::Rc;

use super::given::Given;
use super::scope::Scope;
use super::shared::{Pairs, Shared};
use super::value::{Failure, Object, Value};
use super::{Evaluated, Evaluator, Flow, computer};

/// Constants of Ruby and Vagrant that have methods which are followed, or are classes to ask for.
const KNOWN: [&str; 38] = [
    "Array",
    "BasicObject",
    "Dir",
    "Dotenv",
    "ENV",
    "Enumerable",
    "Etc",
    "FalseClass",
    "File",
    "FileTest",
    "FileUtils",
    "Float",
    "GetoptLong",
    "Hash",
    "IO",
    "IPAddr",
    "Integer",
    "JSON",
    "NilClass",
    "Numeric",
    "Object",
    "OpenStruct",
    "OptionParser",
    "Proc",
    "Psych",
    "Range",
    "RbConfig",
    "Regexp",
    "Set",
    "Struct",
    "String",
    "Symbol",
    "TrueClass",
    "Vagrant",
    "Vagrant::Config",
    "Vagrant::Util::Platform",
    "YAML",
    "Fixnum",
];

impl Evaluator {
    /// Looks a constant up in the module around, then further outside.
    pub(super) fn constant(&mut self, name: &str, span: &Range<usize>, scope: &Scope) -> Value {
        let mut module = scope.frame.module.as_str();
        loop {
            let full = super::assignment::join_module(module, name);
            if let Some(value) = self.constants.get(&full) {
                return value.clone();
            }
            if module.is_empty() {
                break;
            }
            module = module.rsplit_once("::").map_or("", |it| it.0);
        }
        let is_error =
            name.ends_with("Error") || name.starts_with("Errno::") || name == "Exception";
        if KNOWN.contains(&name) || is_error {
            return Value::Object(Object::Constant(name.to_owned()));
        }
        if let Some((value, message)) = computer::constant(name) {
            self.assumed(span, message);
            return value;
        }
        match name {
            "ARGV" => {
                self.assumed(span, "the command line is taken as `vagrant up`");
                Value::list(vec![Value::text("up")])
            }
            "File::SEPARATOR" | "File::Separator" => Value::text("/"),
            "RUBY_VERSION" => Value::text("3.3.8"),
            // Which one it is doesn't matter where they are used.
            "Socket::AF_INET"
            | "Socket::AF_INET6"
            | "GetoptLong::REQUIRED_ARGUMENT"
            | "GetoptLong::OPTIONAL_ARGUMENT"
            | "GetoptLong::NO_ARGUMENT"
            | "GetoptLong::PERMUTE"
            | "GetoptLong::REQUIRE_ORDER"
            | "GetoptLong::RETURN_IN_ORDER" => Value::symbol(name),
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
        if let Some(value) = self.module_function(constant, name, arguments, given)? {
            return Ok(value);
        }
        let found = match constant {
            "ENV" => return self.environment_method(name, arguments, given, span),
            "Dotenv" => Some(self.dotenv(arguments, span)),
            "File" | "Dir" | "FileTest" | "IO" => {
                self.file_method(constant, name, arguments, span)?
            }
            "YAML" | "Psych" | "JSON" => self.data_method(constant, name, arguments, span)?,
            "Vagrant" | "Vagrant::Config" => self.vagrant_method(name, arguments, given, span)?,
            "GetoptLong" | "OptionParser" if name == "new" => Some(self.options(span)),
            "FileUtils" => {
                self.left_out(span, "files are not changed");
                Some(Value::Nil)
            }
            _ => match computer::method(constant, name, arguments) {
                Some((value, Some(message))) => {
                    self.assumed(span, message);
                    Some(value)
                }
                Some((value, None)) => Some(value),
                None => self.class_new(constant, name, arguments, given, span)?,
            },
        };
        if let Some(value) = found {
            return Ok(value);
        }
        let unknown = self.unknown(span, &format!("`{constant}.{name}` is not followed"));
        self.lost_block(given, &unknown, span);
        Ok(unknown)
    }

    fn vagrant_method(
        &mut self,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        Ok(Some(match (name, arguments) {
            ("configure" | "run", _) => {
                if let Some(Given::Block(block)) = given {
                    self.configurations.push(Rc::clone(block));
                }
                Value::Nil
            }
            ("require_version" | "require_plugin", _) => Value::Nil,
            ("has_plugin?", [plugin, ..]) => {
                let plugin = plugin.as_text();
                let plugin = plugin.as_deref().unwrap_or("the plugin");
                self.assumed(span, format!("{plugin} is taken as installed"));
                Value::Bool(true)
            }
            _ => return Ok(None),
        }))
    }

    /// `new` and other methods of Ruby's classes.
    fn class_new(
        &mut self,
        class: &str,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        Ok(Some(match (class, name, arguments) {
            ("Hash", "new", default) => {
                let block = match given {
                    Some(Given::Block(closure)) => Some(Value::Closure(Rc::clone(closure))),
                    _ => None,
                };
                let mut pairs = Pairs::default();
                pairs.default = default.first().cloned().or(block);
                Value::Map(Shared::new(pairs))
            }
            ("Hash", "[]", [Value::Map(pairs)]) => Value::Map(Shared::new(pairs.borrow().clone())),
            ("Hash", "[]", [Value::List(items)]) => super::list_form::pairs(items.borrow().clone()),
            ("String", "new", [text @ Value::Text(_), ..]) => {
                Value::text(text.as_text().unwrap_or_default())
            }
            ("String", "new", []) => Value::text(""),
            ("Array" | "Set", "new", []) => Value::list(Vec::new()),
            ("Array", "new", [Value::Integer(count), rest @ ..]) => {
                let mut items = Vec::new();
                for index in 0..(*count).min(10_000) {
                    items.push(match (given, rest.first()) {
                        (Some(_), _) => self.give(given, &[Value::Integer(index)], span)?,
                        (None, value) => Value::or_nil(value.cloned()),
                    });
                }
                Value::list(items)
            }
            ("Regexp", "new", [Value::Text(text), ..]) => Value::Regex(text.text()),
            ("Regexp", "escape" | "quote", [text]) => match text.as_text() {
                Some(text) => Value::text(regex_lite::escape(&text)),
                None => return Ok(None),
            },
            ("Regexp", "last_match", []) => Value::or_nil(self.variable("$~", &Scope::default())),
            ("Regexp", "last_match", [Value::Integer(group)]) => {
                self.group(usize::try_from(*group).unwrap_or(usize::MAX))
            }
            ("Integer" | "String" | "Float", "()", [value]) => value.clone(),
            ("Struct", "new", names) if given.is_none() => {
                let names = names.iter().filter(|it| matches!(it, Value::Symbol(_)));
                let names: Vec<String> = names
                    .filter_map(|it| it.as_text().map(|it| it.to_string()))
                    .collect();
                Value::Object(Object::Structure(names.into()))
            }
            ("OpenStruct", "new", fields) => super::class::open_structure(fields),
            (class, "new", arguments) if class.ends_with("Error") => {
                let message = arguments.first().and_then(Value::to_text);
                Value::Object(Object::Error(Rc::new(Failure {
                    class: class.to_owned(),
                    message: message.map_or_else(|| class.to_owned(), |it| it.to_string()),
                })))
            }
            _ => return Ok(None),
        }))
    }
}
