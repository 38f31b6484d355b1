//! Variables and who sees them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::given::Given;
use super::value::Value;
use crate::diagnostic::SourceFile;
use crate::vagrant::ruby::syntax::Block;

/// Local variables of a block, which sees those around it, or of a method, which doesn't.
#[derive(Default)]
pub struct Scope {
    variables: RefCell<HashMap<String, Value>>,
    outer: Option<Rc<Scope>>,
    pub frame: Rc<Frame>,
}

/// What a method, and all blocks in it, run with.
#[derive(Default)]
pub struct Frame {
    /// What `yield` runs.
    pub given: Option<Given>,
    /// `self`, where that is an object of a class of the file.
    pub own: Option<Value>,
    /// The module or class around it: `A::B`, or nothing.
    pub module: String,
}

/// A block with the variables that it sees, and the file that it stands in.
pub struct Closure {
    pub block: Rc<Block>,
    pub scope: Rc<Scope>,
    pub file: Arc<SourceFile>,
    /// `return` ends a lambda; in a block it ends the method around it.
    pub is_lambda: bool,
}

impl Scope {
    /// The scope of a method, a module or a file.
    pub fn of(frame: Frame) -> Rc<Self> {
        Rc::new(Self {
            variables: RefCell::default(),
            outer: None,
            frame: Rc::new(frame),
        })
    }

    /// The scope of a block.
    pub fn inside(outer: &Rc<Scope>) -> Rc<Self> {
        Rc::new(Self {
            variables: RefCell::default(),
            frame: Rc::clone(&outer.frame),
            outer: Some(Rc::clone(outer)),
        })
    }

    pub fn get(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.variables.borrow().get(name) {
            return Some(value.clone());
        }
        self.outer.as_ref()?.get(name)
    }

    /// Sets a variable where it is, or else here.
    pub fn set(&self, name: &str, value: Value) {
        if let Err(value) = self.replace(name, value) {
            self.declare(name, value);
        }
    }

    /// Sets a variable of this scope, whatever is outside.
    pub fn declare(&self, name: &str, value: Value) {
        self.variables.borrow_mut().insert(name.to_owned(), value);
    }

    fn replace(&self, name: &str, value: Value) -> Result<(), Value> {
        if let Some(place) = self.variables.borrow_mut().get_mut(name) {
            *place = value;
            return Ok(());
        }
        match &self.outer {
            Some(outer) => outer.replace(name, value),
            None => Err(value),
        }
    }
}
