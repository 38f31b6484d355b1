//! Methods, modules and classes that the file defines, and objects of them.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use super::assignment::join_module;
use super::given::Given;
use super::scope::{Frame, Scope};
use super::shared::{Pairs, Shared};
use super::value::{Object, Value};
use super::{Evaluated, Evaluator, Flow};
use crate::vagrant::ruby::syntax::{Function, Node};

impl Evaluator {
    /// Remembers a method: as `name`, `Module.name`, or `Class#name`.
    pub(super) fn define_function(&mut self, function: &Rc<Function>, scope: &Scope) -> Value {
        let module = scope.frame.module.as_str();
        let name = match (function.owner.as_deref(), module) {
            (None, "") => function.name.clone(),
            (None, module) => format!("{module}#{}", function.name),
            (Some("self"), module) => format!("{module}.{}", function.name),
            (Some(owner), module) if module.rsplit("::").next() == Some(owner) => {
                format!("{module}.{}", function.name)
            }
            (Some(owner), _) => format!("{owner}.{}", function.name),
        };
        let entry = (Rc::clone(function), Arc::clone(&self.file));
        self.functions.insert(name, entry);
        Value::symbol(function.name.as_str())
    }

    /// Follows what stands in a module or class.
    pub(super) fn module(&mut self, name: &str, body: &[Node], scope: &Rc<Scope>) -> Evaluated {
        let name = join_module(&scope.frame.module, name);
        let object = Value::Object(Object::Constant(name.clone()));
        self.constants.insert(name.clone(), object);
        let frame = Frame {
            module: name,
            ..Frame::default()
        };
        self.sequence(body, &Scope::of(frame))
    }

    /// Calls a method that the file defines, if there is one.
    pub(super) fn own_function(
        &mut self,
        name: &str,
        frame: Frame,
        arguments: &[Value],
    ) -> Result<Option<Value>, Flow> {
        let Some((function, file)) = self.functions.get(name) else {
            return Ok(None);
        };
        let (function, file) = (Rc::clone(function), Arc::clone(file));
        let scope = Scope::of(frame);
        let outer = std::mem::replace(&mut self.file, file);
        // `$1` is that of each method.
        let found = std::mem::replace(&mut self.last_match, Ok(None));
        let block = &function.block;
        let given = scope.frame.given.clone();
        let bound = self.bind(&block.parameters, arguments, given.as_ref(), &scope);
        let result = bound.and_then(|()| self.sequence(&block.body, &scope));
        self.last_match = found;
        self.file = outer;
        match result {
            Ok(value) | Err(Flow::Return(value) | Flow::Next(value)) => Ok(Some(value)),
            Err(flow) => Err(flow),
        }
    }

    /// A method of a module or class of the file: one of its own, or `new`.
    pub(super) fn module_function(
        &mut self,
        module: &str,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
    ) -> Result<Option<Value>, Flow> {
        if name == "new" && self.constants.contains_key(module) {
            let fields = Shared::new(Pairs::default());
            let class = module.to_owned();
            let own = Value::Object(Object::Instance { class, fields });
            let frame = frame(module, Some(&own), given);
            self.own_function(&format!("{module}#initialize"), frame, arguments)?;
            return Ok(Some(own));
        }
        for name in [format!("{module}.{name}"), format!("{module}#{name}")] {
            let frame = frame(module, None, given);
            if let Some(value) = self.own_function(&name, frame, arguments)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// Tells whether a value is of a class of the file that says itself what equals it.
    pub(super) fn compares_itself(&self, value: &Value) -> bool {
        match value {
            Value::Object(Object::Instance { class, .. }) => {
                self.functions.contains_key(&format!("{class}#=="))
            }
            _ => false,
        }
    }

    /// A method of an object of the file's classes, or of a class that `Struct.new` made.
    pub(super) fn class_method(
        &mut self,
        object: &Object,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Evaluated {
        let own = Value::Object(object.clone());
        let (class, fields) = match object {
            Object::Instance { class, fields } => (class.as_str(), fields),
            Object::Structure(names) if name == "new" => return Ok(structure(names, arguments)),
            _ => return self.no_method(&own, name, given, span),
        };
        let frame = frame(class, Some(&own), given);
        if let Some(value) = self.own_function(&format!("{class}#{name}"), frame, arguments)? {
            return Ok(value);
        }
        let field = |name: &str| Value::symbol(format!("@{name}"));
        let found = match (name, arguments) {
            ("to_h", []) => Some(Value::map(pairs_of(fields))),
            ("to_a", []) => Some(Value::list(
                pairs_of(fields).into_iter().map(|it| it.1).collect(),
            )),
            ("[]", [key]) => key
                .as_text()
                .and_then(|key| fields.borrow().get(&field(&key)).cloned()),
            ("[]=", [key, value]) => key.as_text().map(|key| {
                fields.set(field(&key), value.clone());
                value.clone()
            }),
            (name, [value]) if name.ends_with('=') => {
                fields.set(field(name.trim_end_matches('=')), value.clone());
                Some(value.clone())
            }
            (name, []) => {
                let value = fields.borrow().get(&field(name)).cloned();
                // An OpenStruct has every field.
                value.or_else(|| (class == "OpenStruct").then_some(Value::Nil))
            }
            _ => None,
        };
        match found {
            Some(value) => Ok(value),
            None => self.no_method(&own, name, given, span),
        }
    }
}

fn frame(module: &str, own: Option<&Value>, given: Option<&Given>) -> Frame {
    Frame {
        given: given.cloned(),
        own: own.cloned(),
        module: module.to_owned(),
    }
}

fn pairs_of(fields: &Shared<Pairs>) -> Vec<(Value, Value)> {
    let fields = fields.borrow();
    let pair = |(name, value): &(Value, Value)| {
        let name = name.as_text()?;
        Some((Value::symbol(name.trim_start_matches('@')), value.clone()))
    };
    fields.iter().filter_map(pair).collect()
}

/// Makes an object of a structure from values in their order, or by name.
fn structure(names: &[String], arguments: &[Value]) -> Value {
    let by_name = match arguments {
        [options @ Value::Map(_)]
            if names
                .iter()
                .any(|it| options.get(&Value::symbol(it.as_str())).is_some()) =>
        {
            Some(options)
        }
        _ => None,
    };
    let value = |(index, name): (usize, &String)| {
        let value = match by_name {
            Some(options) => options.get(&Value::symbol(name.as_str())),
            None => arguments.get(index).cloned(),
        };
        (Value::symbol(format!("@{name}")), Value::or_nil(value))
    };
    let fields: Vec<_> = names.iter().enumerate().map(value).collect();
    Value::Object(Object::Instance {
        class: "Struct".to_owned(),
        fields: Shared::new(fields.into()),
    })
}

/// `OpenStruct.new`
pub(super) fn open_structure(arguments: &[Value]) -> Value {
    let mut fields = Pairs::default();
    if let Some(Value::Map(options)) = arguments.first() {
        for (name, value) in options.borrow().iter() {
            if let Some(name) = name.as_text() {
                fields.set(Value::symbol(format!("@{name}")), value.clone());
            }
        }
    }
    Value::Object(Object::Instance {
        class: "OpenStruct".to_owned(),
        fields: Shared::new(fields),
    })
}
