//! Follows a Vagrantfile as Ruby would, as far as its values can be known without running anything.
//!
//! Nothing is executed and nothing is written. What can't be known is a [`Value::Unknown`] that keeps the
//! place where it came from; it spreads through everything that is computed from it, until it reaches a
//! setting of a machine, and is listed there.

mod assignment;
mod branch;
mod call;
mod change;
mod changed;
mod characters;
mod class;
mod command_line;
mod computer;
mod configuration;
mod constant;
mod environment;
mod error;
mod files;
mod format;
mod function;
mod given;
mod inspect;
mod list;
mod list_form;
mod list_with_block;
mod literal;
mod map;
mod number;
mod object;
mod parameters;
mod pattern;
mod range;
mod repetition;
pub mod scope;
pub mod shared;
mod split;
mod text;
mod undecided;
pub mod value;

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use scope::{Closure, Frame, Scope};
use value::{Failure, Match, Value, Why};

use super::Environment;
use super::lab::Lab;
use super::note::{self, Note, Notes};
use super::ruby::syntax::{Block, Function, Kind, Node};
use super::ruby::{self, Problem};
use crate::diagnostic::{Location, SourceFile};

/// A loop that goes on for longer is not a lab.
const MAXIMUM_STEPS: usize = 50_000;

/// Methods and expressions within each other.
const MAXIMUM_DEPTH: usize = 400;

/// Longest text that is computed.
const MAXIMUM_LENGTH: usize = 1_000_000;

/// Longest list that is computed, or loop over numbers that is followed.
const MAXIMUM_ITEMS: usize = 10_000;

/// Follows Vagrantfiles.
pub struct Evaluator {
    pub lab: Lab,
    pub notes: Notes,
    /// The file that is being followed.
    pub file: Arc<SourceFile>,
    globals: HashMap<String, Value>,
    constants: HashMap<String, Value>,
    /// Methods of the file: `name`, `Module.name`, `Class#name`.
    functions: HashMap<String, (Rc<Function>, Arc<SourceFile>)>,
    /// Variables of the environment that are known.
    environment: HashMap<String, Value>,
    /// Variables that every computer has, with the values of this one.
    computer: BTreeMap<String, String>,
    /// What the last regular expression found.
    last_match: Result<Option<Rc<Match>>, Rc<Why>>,
    /// The blocks of `Vagrant.configure`: Vagrant runs them when it has read the whole file.
    configurations: Vec<Rc<Closure>>,
    /// A file that was read has a `define` in it.
    defines: bool,
    /// The first thing to fill in.
    first_problem: Option<(Location, String)>,
    /// Where the Vagrantfile lies.
    folder: PathBuf,
    files_read: Vec<PathBuf>,
    steps: usize,
    depth: usize,
    is_stopped: bool,
    /// How many `rescue` wait for an error.
    rescues: usize,
    /// What the method was called on that last turned out to be not followed, and where.
    not_followed: Option<(Location, Value)>,
    /// Inside blocks whose contents don't matter, nothing is noted.
    muted: usize,
}

/// Why an expression has no value: the flow goes elsewhere.
#[derive(Clone)]
pub enum Flow {
    Next(Value),
    Break(Value),
    Return(Value),
    /// An error that a `rescue` around it may catch.
    Raise(Rc<Failure>),
    /// The limits are reached, or the file ends itself.
    Stop,
}

pub type Evaluated = Result<Value, Flow>;

impl Evaluator {
    pub fn new(file: Arc<SourceFile>, environment: &Environment) -> Self {
        let folder = file.path.parent().map(Path::to_path_buf);
        let given = environment.given.iter();
        let known = given.map(|(name, value)| (name.clone(), Value::text(value.as_str())));
        Self {
            folder: folder.unwrap_or_default(),
            environment: known.collect(),
            computer: environment.computer.clone(),
            configurations: Vec::new(),
            defines: false,
            first_problem: None,
            last_match: Ok(None),
            files_read: Vec::new(),
            lab: Lab::default(),
            notes: Notes::default(),
            file,
            globals: HashMap::new(),
            constants: HashMap::new(),
            functions: HashMap::new(),
            steps: 0,
            depth: 0,
            is_stopped: false,
            rescues: 0,
            not_followed: None,
            muted: 0,
        }
    }

    /// Follows the file from its first line to its last.
    pub fn file(&mut self, file: &Arc<SourceFile>) {
        let outer = std::mem::replace(&mut self.file, Arc::clone(file));
        let (nodes, problems) = ruby::parse(&file.text);
        self.defines |= file.text.contains(".define");
        self.report(problems);
        let scope = Scope::of(Frame::default());
        for node in &nodes {
            if self.statement(node, &scope).is_err() {
                break;
            }
        }
        self.file = outer;
    }

    /// Follows statements; the value is that of the last one.
    fn sequence(&mut self, nodes: &[Node], scope: &Rc<Scope>) -> Evaluated {
        let Some((last, others)) = nodes.split_last() else {
            return Ok(Value::Nil);
        };
        self.statements(others, scope)?;
        let value = self.evaluate(last, scope)?;
        self.lose_receiver(last, &value);
        Ok(value)
    }

    /// Follows statements whose values nothing uses.
    fn statements(&mut self, nodes: &[Node], scope: &Rc<Scope>) -> Result<(), Flow> {
        nodes
            .iter()
            .try_for_each(|node| self.statement(node, scope))
    }

    fn statement(&mut self, node: &Node, scope: &Rc<Scope>) -> Result<(), Flow> {
        let value = self.evaluate(node, scope)?;
        if let (Kind::Call(_) | Kind::Command, Value::Unknown(why)) = (&node.kind, &value)
            && why.place == self.place(&node.span)
        {
            self.left_out(&node.span, why.reason.clone());
        }
        self.lose_receiver(node, &value);
        Ok(())
    }

    /// Whoever calls a method without looking at its value wants it to change something: if it isn't followed, what it
    /// was called on isn't known any more.
    fn lose_receiver(&mut self, node: &Node, value: &Value) {
        if let (Kind::Call(_), Value::Unknown(why)) = (&node.kind, value)
            && let Some((called, receiver)) = self.not_followed.take()
            && called == why.place
            && called == self.place(&node.span)
        {
            receiver.lose(why);
        }
    }

    /// Returns the value of an expression.
    fn evaluate(&mut self, node: &Node, scope: &Rc<Scope>) -> Evaluated {
        self.step(&node.span)?;
        self.depth += 1;
        let value = self.kind(node, scope);
        self.depth -= 1;
        let value = value?;
        Ok(match value.why() {
            Some(why) => Value::Unknown(Rc::clone(why)),
            None => value,
        })
    }

    /// Counts what is followed, so that every file comes to an end.
    fn step(&mut self, span: &Range<usize>) -> Result<(), Flow> {
        self.steps += 1;
        if self.steps < MAXIMUM_STEPS && self.depth < MAXIMUM_DEPTH {
            return Ok(());
        }
        if !std::mem::replace(&mut self.is_stopped, true) {
            self.fill_in(span, "what follows takes too many steps to be followed");
        }
        Err(Flow::Stop)
    }

    fn kind(&mut self, node: &Node, scope: &Rc<Scope>) -> Evaluated {
        match &node.kind {
            Kind::And(..) | Kind::Or(..) | Kind::Not(_) | Kind::If { .. } | Kind::Case { .. } => {
                self.branch(node, scope)
            }
            Kind::While { .. } | Kind::For { .. } => self.repetition(node, scope),
            Kind::Call(call) => self.call(call, &node.span, scope),
            Kind::Yield(arguments) => {
                let arguments = self.values(arguments, scope)?;
                self.give(scope.frame.given.as_ref(), &arguments, &node.span)
            }
            Kind::Assign {
                target,
                operator,
                value,
            } => self.assign(target, operator.as_deref(), value, scope),
            Kind::AssignAll { targets, value } => self.assign_all(targets, value, scope),
            Kind::AssignGroups(call, targets) => self.assign_groups(call, targets, scope),
            Kind::Sequence(nodes) => self.sequence(nodes, scope),
            Kind::Begin {
                body,
                rescues,
                otherwise,
                ensure,
            } => self.begin(body, rescues, otherwise, ensure, scope),
            Kind::Define(function) => Ok(self.define_function(function, scope)),
            Kind::Module { name, body } => self.module(name, body, scope),
            Kind::OwnMethods(body) => self.sequence(body, scope),
            Kind::Return(value) => Err(Flow::Return(self.optional(value.as_deref(), scope)?)),
            Kind::Next(value) => Err(Flow::Next(self.optional(value.as_deref(), scope)?)),
            Kind::Break(value) => Err(Flow::Break(self.optional(value.as_deref(), scope)?)),
            Kind::Splat(inner) => self.evaluate(inner, scope),
            Kind::Unreadable => Ok(self.unknown(&node.span, "this can't be read")),
            Kind::Unsupported(what) => {
                self.left_out(&node.span, format!("{what} is not followed"));
                Ok(self.unknown(&node.span, &format!("{what} is not followed")))
            }
            _ => self.literal_or_name(node, scope),
        }
    }

    fn optional(&mut self, node: Option<&Node>, scope: &Rc<Scope>) -> Evaluated {
        node.map_or(Ok(Value::Nil), |node| self.evaluate(node, scope))
    }

    fn closure(&self, block: &Rc<Block>, is_lambda: bool, scope: &Rc<Scope>) -> Rc<Closure> {
        Rc::new(Closure {
            block: Rc::clone(block),
            scope: Rc::clone(scope),
            file: Arc::clone(&self.file),
            is_lambda,
        })
    }

    /// Runs something without noting anything: a provisioner's block.
    pub fn muted<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        self.muted += 1;
        let result = run(self);
        self.muted -= 1;
        result
    }

    pub fn place(&self, span: &Range<usize>) -> Location {
        Location {
            file: Arc::clone(&self.file),
            span: span.clone(),
        }
    }

    pub fn unknown(&self, span: &Range<usize>, reason: &str) -> Value {
        Value::Unknown(Rc::new(Why {
            place: self.place(span),
            reason: reason.to_owned(),
        }))
    }

    fn report(&mut self, problems: Vec<Problem>) {
        for problem in problems {
            self.fill_in(&problem.span, problem.message);
        }
    }

    pub fn assumed(&mut self, span: &Range<usize>, message: impl Into<String>) {
        if self.muted == 0 {
            let note = Note::new(&self.place(span), message);
            note::add(&mut self.notes.assumed, note);
        }
    }

    pub fn left_out(&mut self, span: &Range<usize>, message: impl Into<String>) {
        if self.muted == 0 {
            let note = Note::new(&self.place(span), message);
            note::add(&mut self.notes.left_out, note);
        }
    }

    pub fn fill_in(&mut self, span: &Range<usize>, message: impl Into<String>) {
        if self.muted == 0 {
            let place = self.place(span);
            let mut note = Note::new(&place, message);
            let first = || (place, note.message.clone());
            self.first_problem.get_or_insert_with(first);
            if let Some(machine) = self.lab.current_name() {
                note = note.of(machine);
            }
            note::add(&mut self.notes.to_fill_in, note);
        }
    }
}

#[cfg(test)]
mod tests;
