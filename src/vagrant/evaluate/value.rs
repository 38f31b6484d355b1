//! Values of Ruby, and the one that Ruby doesn't have: not known.

use std::net::Ipv4Addr;
use std::rc::Rc;

use super::scope::Closure;
use super::shared::{Pairs, Shared};
use crate::diagnostic::Location;

/// Most parts of a list or map that are looked at: a list may hold itself.
const MAXIMUM_PARTS: usize = 2000;

/// A value. Texts, lists and maps are shared, as in Ruby: who changes one changes it for all.
#[derive(Clone)]
pub enum Value {
    Nil,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Rc<Shared<Rc<str>>>),
    Symbol(Rc<str>),
    List(Rc<Shared<Vec<Value>>>),
    Map(Rc<Shared<Pairs>>),
    Range {
        first: i64,
        last: i64,
    },
    Regex(Rc<str>),
    /// What a regular expression found.
    Match(Rc<Match>),
    Closure(Rc<Closure>),
    Object(Object),
    /// An environment variable, which is taken as not set.
    Unset(Rc<Why>),
    /// A value that only running Ruby, or another computer, could tell.
    Unknown(Rc<Why>),
}

/// Things with methods of their own.
#[derive(Clone)]
pub enum Object {
    /// `File`, `YAML`, `Vagrant` and the like, and modules and classes of the file.
    Constant(String),
    /// `config`, or `config.vm`: of all machines, or of one.
    Configuration {
        machine: Option<usize>,
        path: String,
    },
    /// `vb` in a provider's block.
    Provider { machine: usize, path: String },
    /// `s` in a provisioner's block.
    Provisioner,
    /// What `Struct.new` makes: a class of objects with these fields.
    Structure(Rc<[String]>),
    /// An object of a class of the file, with the values of `@name`.
    Instance {
        class: String,
        fields: Rc<Shared<Pairs>>,
    },
    /// `IPAddr`
    Address(Ipv4Addr),
    /// `GetoptLong` and `OptionParser`: the command line has no options.
    Options,
    /// What `rescue` is given.
    Error(Rc<Failure>),
}

/// An error of the Vagrantfile's own, which `rescue` may catch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub class: String,
    pub message: String,
}

/// The whole of what a regular expression found, and its groups.
#[derive(Debug, PartialEq, Eq)]
pub struct Match {
    pub groups: Vec<Option<String>>,
    pub names: Vec<Option<String>>,
    pub before: String,
    pub after: String,
}

/// Why a value isn't known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    pub place: Location,
    pub reason: String,
}

impl Value {
    pub fn list(items: Vec<Value>) -> Self {
        Self::List(Shared::new(items))
    }

    pub fn map(pairs: Vec<(Value, Value)>) -> Self {
        Self::Map(Shared::new(pairs.into()))
    }

    pub fn text(text: impl Into<Rc<str>>) -> Self {
        Self::Text(Shared::new(text.into()))
    }

    pub fn symbol(text: impl Into<Rc<str>>) -> Self {
        Self::Symbol(text.into())
    }

    pub fn count(count: usize) -> Self {
        Self::Integer(i64::try_from(count).unwrap_or(i64::MAX))
    }

    pub fn or_nil(value: Option<Value>) -> Self {
        value.unwrap_or(Self::Nil)
    }

    /// `None` if the value isn't known.
    pub fn is_true(&self) -> Option<bool> {
        match self {
            Self::Nil | Self::Bool(false) | Self::Unset(_) => Some(false),
            Self::Unknown(_) => None,
            _ => Some(true),
        }
    }

    pub fn why(&self) -> Option<&Rc<Why>> {
        match self {
            Self::Unknown(why) => Some(why),
            Self::Text(text) => text.lost(),
            Self::List(items) => items.lost(),
            Self::Map(pairs) => pairs.lost(),
            Self::Object(Object::Instance { fields, .. }) => fields.lost(),
            _ => None,
        }
    }

    /// Returns what makes the value unknown, also where that is a part of a list or map.
    pub fn why_within(&self) -> Option<Rc<Why>> {
        self.why_inside(&mut { MAXIMUM_PARTS })
    }

    fn why_inside(&self, parts: &mut usize) -> Option<Rc<Why>> {
        *parts = parts.checked_sub(1)?;
        if let Some(why) = self.why() {
            return Some(Rc::clone(why));
        }
        match self {
            Self::Unset(why) => Some(Rc::clone(why)),
            Self::List(items) => items.borrow().iter().find_map(|it| it.why_inside(parts)),
            Self::Map(pairs) => {
                let pairs = pairs.borrow();
                pairs.iter().find_map(|(_, it)| it.why_inside(parts))
            }
            _ => None,
        }
    }

    /// Makes a text, list or map unknown, whoever holds it.
    pub fn lose(&self, why: &Rc<Why>) {
        match self {
            Self::Text(text) => text.lose(why),
            Self::List(items) => items.lose(why),
            Self::Map(pairs) => pairs.lose(why),
            Self::Object(Object::Instance { fields, .. }) => fields.lose(why),
            _ => {}
        }
    }

    /// Returns the text of texts and symbols.
    pub fn as_text(&self) -> Option<Rc<str>> {
        match self {
            Self::Text(text) => Some(text.text()),
            Self::Symbol(text) => Some(Rc::clone(text)),
            _ => None,
        }
    }

    /// Returns the value of a key in a map; symbols and texts are different keys, as in Ruby.
    pub fn get(&self, key: &Value) -> Option<Value> {
        match self {
            Self::Map(pairs) => pairs.borrow().get(key).cloned(),
            _ => None,
        }
    }

    /// Returns an option, as in `ip: "…"` or `:ip => "…"` or `"ip" => "…"`.
    pub fn option(&self, name: &str) -> Option<Value> {
        self.get(&Self::symbol(name))
            .or_else(|| self.get(&Self::text(name)))
    }

    /// Tells whether an option is set to something true.
    pub fn has_option(&self, name: &str) -> bool {
        self.option(name)
            .is_some_and(|it| it.is_true() == Some(true))
    }

    /// `==`
    pub fn is_same(&self, other: &Value) -> bool {
        self.is_same_inside(other, &mut { MAXIMUM_PARTS })
    }

    fn is_same_inside(&self, other: &Value, parts: &mut usize) -> bool {
        *parts = parts.saturating_sub(1);
        if *parts == 0 {
            return false;
        }
        match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => *a.borrow() == *b.borrow(),
            (Self::Symbol(a), Self::Symbol(b)) | (Self::Regex(a), Self::Regex(b)) => a == b,
            (Self::Integer(_) | Self::Float(_), Self::Integer(_) | Self::Float(_)) => {
                match (self.number(), other.number()) {
                    // Exactly, as in Ruby: 0.1 + 0.2 isn't 0.3.
                    (Some(a), Some(b)) => a.partial_cmp(&b).is_some_and(std::cmp::Ordering::is_eq),
                    _ => false,
                }
            }
            (Self::List(a), Self::List(b)) => {
                let (a, b) = (a.borrow(), b.borrow());
                let mut pairs = a.iter().zip(b.iter());
                a.len() == b.len() && pairs.all(|(a, b)| a.is_same_inside(b, parts))
            }
            (Self::Map(a), Self::Map(b)) => {
                let (a, b) = (a.borrow(), b.borrow());
                let mut is_in = |key: &Value, value: &Value| {
                    b.iter().any(|(other, it)| {
                        other.is_same_inside(key, parts) && it.is_same_inside(value, parts)
                    })
                };
                a.len() == b.len() && a.iter().all(|(key, value)| is_in(key, value))
            }
            (
                Self::Range { first, last },
                Self::Range {
                    first: other_first,
                    last: other_last,
                },
            ) => first == other_first && last == other_last,
            (Self::Object(a), Self::Object(b)) => a == b,
            _ => false,
        }
    }

    /// Returns the number that a number is.
    #[expect(clippy::cast_precision_loss, reason = "sizes of machines are small")]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Constant(a), Self::Constant(b)) => a == b,
            (Self::Address(a), Self::Address(b)) => a == b,
            (Self::Instance { class, fields: a }, Self::Instance { fields: b, .. }) => {
                let is_structure = matches!(class.as_str(), "Struct" | "OpenStruct");
                let have_same = || {
                    let (a, b) = (a.borrow(), b.borrow());
                    let same = |(a, b): (&(Value, Value), &(Value, Value))| a.1.is_same(&b.1);
                    a.len() == b.len() && a.iter().zip(b.iter()).all(same)
                };
                Rc::ptr_eq(a, b) || (is_structure && have_same())
            }
            _ => false,
        }
    }
}
