//! Follows a Vagrantfile as Ruby would, as far as its values can be known without running anything.
//!
//! Nothing is executed and nothing is written. What can't be known is a [`Value::Unknown`] that keeps the
//! place where it came from; it spreads through everything that is computed from it, until it reaches a
//! setting of a machine, and is listed there.

mod assignment;
mod branch;
mod call;
mod configuration;
mod constant;
mod files;
mod format;
mod function;
mod list;
mod list_with_block;
mod map;
mod number;
mod pattern;
mod range;
pub mod scope;
mod text;
pub mod value;

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use scope::{Closure, Scope};
use value::{Value, Why};

use super::lab::Lab;
use super::note::{self, Note, Notes};
use super::ruby::syntax::{Function, Kind, Node, Piece};
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
    functions: HashMap<String, (Rc<Function>, Arc<SourceFile>)>,
    /// Variables of the environment that the file sets itself.
    environment: HashMap<String, Value>,
    /// Where the Vagrantfile lies.
    folder: PathBuf,
    files_read: Vec<PathBuf>,
    steps: usize,
    depth: usize,
    is_stopped: bool,
    /// Inside blocks whose contents don't matter, nothing is noted.
    muted: usize,
}

/// Why an expression has no value: the flow goes elsewhere.
#[derive(Clone)]
pub enum Flow {
    Next(Value),
    Break(Value),
    Return(Value),
    /// The limits are reached, or the file ends itself.
    Stop,
}

pub type Evaluated = Result<Value, Flow>;

impl Evaluator {
    pub fn new(file: Arc<SourceFile>) -> Self {
        let folder = file.path.parent().map(Path::to_path_buf);
        Self {
            folder: folder.unwrap_or_default(),
            environment: HashMap::new(),
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
            muted: 0,
        }
    }

    /// Follows the file from its first line to its last.
    pub fn file(&mut self, file: &Arc<SourceFile>) {
        let outer = std::mem::replace(&mut self.file, Arc::clone(file));
        let (nodes, problems) = ruby::parse(&file.text);
        self.report(problems);
        let scope = Rc::new(Scope::default());
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
        for node in others {
            self.statement(node, scope)?;
        }
        self.evaluate(last, scope)
    }

    /// Follows statements whose values nobody uses.
    fn statements(&mut self, nodes: &[Node], scope: &Rc<Scope>) -> Result<(), Flow> {
        nodes
            .iter()
            .try_for_each(|node| self.statement(node, scope))
    }

    fn statement(&mut self, node: &Node, scope: &Rc<Scope>) -> Result<(), Flow> {
        let value = self.evaluate(node, scope)?;
        if let (Kind::Call(_) | Kind::Command, Value::Unknown(why)) = (&node.kind, value)
            && why.place == self.place(&node.span)
        {
            self.left_out(&node.span, why.reason.clone());
        }
        Ok(())
    }

    /// Returns the value of an expression.
    fn evaluate(&mut self, node: &Node, scope: &Rc<Scope>) -> Evaluated {
        self.step(&node.span)?;
        self.depth += 1;
        let value = self.kind(node, scope);
        self.depth -= 1;
        value
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
        Ok(match &node.kind {
            Kind::Nil => Value::Nil,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Integer(number) => Value::Integer(*number),
            Kind::Float(number) => Value::Float(*number),
            Kind::Text(pieces) => self.text(pieces, &node.span, scope)?,
            Kind::Symbol(pieces) => match self.text(pieces, &node.span, scope)? {
                Value::Text(text) => Value::Symbol(text),
                other => other,
            },
            Kind::Regex(pieces) => match self.text(pieces, &node.span, scope)? {
                Value::Text(text) => Value::Regex(text),
                other => other,
            },
            Kind::Command => self.command(&node.span),
            Kind::List(items) => Value::list(self.values(items, scope)?),
            Kind::Map(pairs) => self.map_literal(pairs, scope)?,
            Kind::Range {
                first,
                last,
                exclusive,
            } => {
                let (first, last) = (self.evaluate(first, scope)?, self.evaluate(last, scope)?);
                self.range(&node.span, &first, &last, *exclusive)
            }
            Kind::Own => self.unknown(&node.span, "`self` is not followed"),
            Kind::Name(name) => match scope.get(name) {
                Some(value) => value,
                None => self.function(name, &[], None, &node.span)?,
            },
            Kind::Constant(name) => self.constant(name, &node.span),
            Kind::Variable(name) => self.globals.get(name).cloned().unwrap_or(Value::Nil),
            Kind::Call(call) => self.call(call, &node.span, scope)?,
            Kind::Lambda(block) => self.closure(block, scope),
            Kind::Assign {
                target,
                operator,
                value,
            } => self.assign(target, *operator, value, scope)?,
            Kind::AssignAll { targets, value } => self.assign_all(targets, value, scope)?,
            Kind::And(..) | Kind::Or(..) | Kind::Not(_) => self.logic(node, scope)?,
            Kind::If {
                condition,
                then,
                otherwise,
            } => self.condition(condition, then, otherwise, &node.span, scope)?,
            Kind::Case {
                subject,
                branches,
                otherwise,
            } => self.case(subject.as_deref(), branches, otherwise, &node.span, scope)?,
            Kind::While {
                condition,
                negated,
                body,
            } => self.while_loop(condition, *negated, body, scope)?,
            Kind::For {
                targets,
                values,
                body,
            } => self.for_loop(targets, values, body, &node.span, scope)?,
            Kind::Sequence(nodes) => self.sequence(nodes, scope)?,
            Kind::Define(function) => {
                let entry = (Rc::clone(function), Arc::clone(&self.file));
                self.functions.insert(function.name.clone(), entry);
                Value::Nil
            }
            Kind::Return(value) => {
                return Err(Flow::Return(self.optional(value.as_deref(), scope)?));
            }
            Kind::Next(value) => return Err(Flow::Next(self.optional(value.as_deref(), scope)?)),
            Kind::Break(value) => return Err(Flow::Break(self.optional(value.as_deref(), scope)?)),
            Kind::Splat(inner) => self.evaluate(inner, scope)?,
            Kind::Defined(inner) => match &inner.without_parentheses().kind {
                Kind::Name(name) => Value::Bool(scope.get(name).is_some()),
                Kind::Variable(name) => Value::Bool(self.globals.contains_key(name)),
                Kind::Constant(name) => Value::Bool(self.constants.contains_key(name)),
                _ => self.unknown(&node.span, "`defined?` is followed for variables only"),
            },
            Kind::Unsupported(what) => {
                self.left_out(&node.span, format!("{what} is not followed"));
                self.unknown(&node.span, &format!("{what} is not followed"))
            }
        })
    }

    fn optional(&mut self, node: Option<&Node>, scope: &Rc<Scope>) -> Evaluated {
        node.map_or(Ok(Value::Nil), |node| self.evaluate(node, scope))
    }

    /// Evaluates a list of expressions; `*list` stands for its elements.
    fn values(&mut self, nodes: &[Node], scope: &Rc<Scope>) -> Result<Vec<Value>, Flow> {
        let mut values = Vec::new();
        for node in nodes {
            let value = self.evaluate(node, scope)?;
            match (&node.kind, &value) {
                (Kind::Splat(_), Value::List(items)) => values.extend(items.borrow().clone()),
                (Kind::Splat(_), Value::Range { first, last }) => {
                    values.extend(range::items(*first, *last));
                }
                _ => values.push(value),
            }
        }
        Ok(values)
    }

    fn map_literal(&mut self, pairs: &[(Option<Node>, Node)], scope: &Rc<Scope>) -> Evaluated {
        let mut found: Vec<(Value, Value)> = Vec::new();
        for (key, value) in pairs {
            let Some(key) = key else {
                match self.evaluate(value, scope)? {
                    Value::Map(others) => {
                        for (key, value) in others.borrow().iter() {
                            map::insert(&mut found, key.clone(), value.clone());
                        }
                    }
                    Value::Unknown(why) => return Ok(Value::Unknown(why)),
                    _ => {}
                }
                continue;
            };
            let key = self.evaluate(key, scope)?;
            let value = self.evaluate(value, scope)?;
            map::insert(&mut found, key, value);
        }
        Ok(Value::map(found))
    }

    /// Puts a text together.
    fn text(&mut self, pieces: &[Piece], span: &Range<usize>, scope: &Rc<Scope>) -> Evaluated {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Code(range) => {
                    let file = Arc::clone(&self.file);
                    let (nodes, problems) = ruby::parse_part(&file.text, range.clone());
                    if let Some(problem) = problems.first() {
                        return Ok(self.unknown(span, &problem.message));
                    }
                    let value = self.sequence(&nodes, scope)?;
                    match (value.to_text(), value) {
                        (Some(part), _) => text.push_str(&part),
                        (None, Value::Unknown(why) | Value::Unset(why)) => {
                            return Ok(Value::Unknown(why));
                        }
                        (None, _) => {
                            return Ok(self.unknown(span, "an object has no text of its own"));
                        }
                    }
                }
            }
            if text.len() > MAXIMUM_LENGTH {
                return Ok(self.unknown(span, "the text is too long"));
            }
        }
        Ok(Value::Text(text))
    }

    fn closure(&self, block: &Rc<ruby::syntax::Block>, scope: &Rc<Scope>) -> Value {
        Value::Closure(Rc::new(Closure {
            block: Rc::clone(block),
            scope: Rc::clone(scope),
            file: Arc::clone(&self.file),
        }))
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
            let mut note = Note::new(&self.place(span), message);
            if let Some(machine) = self.lab.current_name() {
                note = note.of(machine);
            }
            note::add(&mut self.notes.to_fill_in, note);
        }
    }
}

#[cfg(test)]
mod tests;
