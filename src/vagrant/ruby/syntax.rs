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
    /// The inside of `#{…}`, read when it is needed: scripts are full of things that look like it.
    Code(Range<usize>),
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
    /// A variable, or a method without arguments.
    Name(String),
    /// `A::B`
    Constant(String),
    /// `$name`, `@name`
    Variable(String),
    Call(Call),
    Lambda(Rc<Block>),
    Assign {
        target: Box<Node>,
        /// `+` of `+=`
        operator: Option<&'static str>,
        value: Box<Node>,
    },
    /// `a, b = …`
    AssignAll {
        targets: Vec<Node>,
        value: Box<Node>,
    },
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
        body: Vec<Node>,
    },
    For {
        targets: Vec<Parameter>,
        values: Box<Node>,
        body: Rc<Block>,
    },
    /// `( … )` and `begin … rescue … end`; what is done after errors is left out.
    Sequence(Vec<Node>),
    Define(Rc<Function>),
    Return(Option<Box<Node>>),
    Next(Option<Box<Node>>),
    Break(Option<Box<Node>>),
    /// `*list` among arguments or in a list
    Splat(Box<Node>),
    Defined(Box<Node>),
    /// Read, but not followed: a class, for instance. Says what it is.
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
    pub block: Rc<Block>,
}

/// A parameter of a block or method.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: Pattern,
    pub default: Option<Node>,
    /// `name:`
    pub is_key: bool,
    /// `*name`
    pub is_rest: bool,
}

/// What a parameter binds.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    Name(String),
    /// `(a, b)`
    List(Vec<Parameter>),
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

    /// Returns the text of a literal without interpolation.
    pub fn plain_text(&self) -> Option<&str> {
        let (Kind::Text(pieces) | Kind::Symbol(pieces)) = &self.kind else {
            return None;
        };
        match &pieces[..] {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }
}
