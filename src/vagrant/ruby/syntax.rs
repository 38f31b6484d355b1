//! The tree that a Vagrantfile becomes.

use std::ops::Range;
use std::rc::Rc;

/// An expression and its place; in Ruby everything is an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub kind: Kind,
    pub span: Range<usize>,
}

/// A part of a text literal.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    Text(String),
    /// The inside of `#{…}`.
    Code(Vec<Node>),
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Nil,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Vec<Piece>),
    Symbol(Vec<Piece>),
    Regex(Vec<Piece>),
    /// A command in backticks.
    Command,
    List(Vec<Node>),
    /// A hash; without a key it is `**other`.
    Map(Vec<(Option<Node>, Node)>),
    Range {
        first: Box<Node>,
        last: Box<Node>,
        exclusive: bool,
    },
    /// `self`
    Own,
    /// A local variable.
    Name(String),
    /// `A::B`
    Constant(String),
    /// `$name`, `@name`
    Variable(String),
    /// `$1`: what a group of the last regular expression found; 0 is all of it.
    Group(usize),
    Call(Call),
    Lambda(Rc<Block>),
    Assign {
        target: Box<Node>,
        /// `+` of `+=`
        operator: Option<String>,
        value: Box<Node>,
    },
    /// `a, b = …`; a target that is a list stands for `(a, b)`.
    AssignAll {
        targets: Vec<Node>,
        value: Box<Node>,
    },
    /// `/(?<name>…)/ =~ text` gives what the groups found to variables.
    AssignGroups(Box<Node>, Vec<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    If {
        condition: Box<Node>,
        then: Vec<Node>,
        otherwise: Vec<Node>,
    },
    Case {
        subject: Option<Box<Node>>,
        branches: Vec<(Vec<Node>, Vec<Node>)>,
        otherwise: Vec<Node>,
    },
    While {
        condition: Box<Node>,
        /// `until`
        negated: bool,
        /// `begin … end while …`
        is_body_first: bool,
        body: Vec<Node>,
    },
    For {
        targets: Vec<Node>,
        values: Box<Node>,
        body: Vec<Node>,
    },
    /// `( … )`
    Sequence(Vec<Node>),
    /// `begin … rescue … else … ensure … end`
    Begin {
        body: Vec<Node>,
        rescues: Vec<Rescue>,
        otherwise: Vec<Node>,
        ensure: Vec<Node>,
    },
    Define(Rc<Function>),
    /// A module or a class.
    Module {
        name: String,
        body: Vec<Node>,
    },
    /// `class << self`
    OwnMethods(Vec<Node>),
    Yield(Vec<Node>),
    Return(Option<Box<Node>>),
    Next(Option<Box<Node>>),
    Break(Option<Box<Node>>),
    /// `*list` among arguments or in a list
    Splat(Box<Node>),
    Defined(Box<Node>),
    /// Where the parser found an error, which is told by itself.
    Unreadable,
    /// Read, but not followed. Says what it is.
    Unsupported(&'static str),
}

/// A method call: `receiver.name arguments do … end`.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub receiver: Option<Box<Node>>,
    pub name: String,
    /// `key: value` is gathered in a map at the end.
    pub arguments: Vec<Node>,
    pub block: Option<Rc<Block>>,
    /// `&:name` or `&variable`
    pub block_argument: Option<Box<Node>>,
    /// `&.`
    pub safe: bool,
}

/// A block with its parameters.
#[derive(Debug, PartialEq)]
pub struct Block {
    pub parameters: Vec<Parameter>,
    pub body: Vec<Node>,
    pub span: Range<usize>,
}

/// A method that the file defines.
#[derive(Debug, PartialEq)]
pub struct Function {
    pub name: String,
    /// `self` or a module, in `def self.name`.
    pub owner: Option<String>,
    pub block: Rc<Block>,
}

/// A parameter of a block or method.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: Pattern,
    pub default: Option<Node>,
    pub kind: ParameterKind,
}

/// How a parameter gets its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    Position,
    /// `*name`
    Rest,
    /// `name:`
    Key,
    /// `**name`
    KeyRest,
    /// `&name`
    Block,
    /// Behind `;`: a variable of the block's own.
    Local,
}

/// What is done after an error.
#[derive(Clone, Debug, PartialEq)]
pub struct Rescue {
    /// None stands for `StandardError`.
    pub classes: Vec<Node>,
    /// `=> error`
    pub target: Option<Box<Node>>,
    pub body: Vec<Node>,
}

/// What a parameter binds.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    Name(String),
    /// `(a, b)`
    List(Vec<Parameter>),
}

impl Call {
    /// A call without a block.
    pub(super) fn plain(receiver: Option<Box<Node>>, name: String, arguments: Vec<Node>) -> Self {
        Self {
            receiver,
            name,
            arguments,
            block: None,
            block_argument: None,
            safe: false,
        }
    }
}

impl Parameter {
    pub(super) fn named(name: String, kind: ParameterKind) -> Self {
        Self {
            name: Pattern::Name(name),
            default: None,
            kind,
        }
    }
}

impl Node {
    pub(super) fn new(kind: Kind, span: Range<usize>) -> Self {
        Self { kind, span }
    }

    /// Returns what stands in parentheses.
    pub fn without_parentheses(&self) -> &Self {
        match &self.kind {
            Kind::Sequence(nodes) if nodes.len() == 1 => &nodes[0],
            _ => self,
        }
    }
}
