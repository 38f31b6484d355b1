//! Values of Ruby, and the one that Ruby doesn't have: not known.

use std::cell::RefCell;
use std::rc::Rc;

use super::scope::Closure;
use crate::diagnostic::Location;

/// Most parts of a list or map that are looked at: a list may hold itself.
const MAXIMUM_PARTS: usize = 2000;

/// A value. Lists and maps are shared, as in Ruby: who changes one changes it for all.
#[derive(Clone)]
pub enum Value {
    Nil,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    Symbol(String),
    List(Rc<RefCell<Vec<Value>>>),
    Map(Rc<RefCell<Vec<(Value, Value)>>>),
    Range {
        first: i64,
        last: i64,
    },
    Regex(String),
    /// What a regular expression found: the whole and its groups.
    Match(Rc<Vec<Option<String>>>),
    Closure(Rc<Closure>),
    Object(Object),
    /// An environment variable, which is taken as not set.
    Unset(Rc<Why>),
    /// A value that only running Ruby, or another computer, could tell.
    Unknown(Rc<Why>),
}

/// Things with methods of their own.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    /// `File`, `YAML`, `Vagrant` and the like.
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
}

/// Why a value isn't known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    pub place: Location,
    pub reason: String,
}

impl Value {
    pub fn list(items: Vec<Value>) -> Self {
        Self::List(Rc::new(RefCell::new(items)))
    }

    pub fn map(pairs: Vec<(Value, Value)>) -> Self {
        Self::Map(Rc::new(RefCell::new(pairs)))
    }

    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// `None` if nobody knows.
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
            _ => None,
        }
    }

    /// Returns what makes the value unknown, be it a part of a list or map.
    pub fn why_within(&self) -> Option<Rc<Why>> {
        self.why_inside(&mut { MAXIMUM_PARTS })
    }

    fn why_inside(&self, parts: &mut usize) -> Option<Rc<Why>> {
        *parts = parts.checked_sub(1)?;
        match self {
            Self::Unknown(why) | Self::Unset(why) => Some(Rc::clone(why)),
            Self::List(items) => items.borrow().iter().find_map(|it| it.why_inside(parts)),
            Self::Map(pairs) => {
                let pairs = pairs.borrow();
                pairs.iter().find_map(|(_, it)| it.why_inside(parts))
            }
            _ => None,
        }
    }

    /// Returns the text of texts and symbols.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Symbol(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the value of a key in a map; symbols and texts are different keys, as in Ruby.
    pub fn get(&self, key: &Value) -> Option<Value> {
        let Self::Map(pairs) = self else {
            return None;
        };
        let pairs = pairs.borrow();
        let pair = pairs.iter().find(|(other, _)| other.is_same(key))?;
        Some(pair.1.clone())
    }

    /// Returns an option, as in `ip: "…"` or `:ip => "…"` or `"ip" => "…"`.
    pub fn option(&self, name: &str) -> Option<Value> {
        self.get(&Self::Symbol(name.to_owned()))
            .or_else(|| self.get(&Self::text(name)))
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
            (Self::Text(a), Self::Text(b))
            | (Self::Symbol(a), Self::Symbol(b))
            | (Self::Regex(a), Self::Regex(b)) => a == b,
            (Self::Integer(_) | Self::Float(_), Self::Integer(_) | Self::Float(_)) => {
                match (self.number(), other.number()) {
                    (Some(a), Some(b)) => (a - b).abs() < f64::EPSILON,
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

    /// `to_s`; `None` if Ruby's text of it means nothing here.
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Nil => Some(String::new()),
            Self::Bool(value) => Some(value.to_string()),
            Self::Integer(number) => Some(number.to_string()),
            Self::Float(number) => Some(float_text(*number)),
            Self::Text(text) | Self::Symbol(text) => Some(text.clone()),
            Self::Range { first, last } => Some(format!("{first}..{last}")),
            Self::List(_) | Self::Map(_) => Some(self.inspect()),
            Self::Regex(_)
            | Self::Match(_)
            | Self::Closure(_)
            | Self::Object(_)
            | Self::Unset(_)
            | Self::Unknown(_) => None,
        }
    }

    /// Writes the value as Ruby's own text.
    pub fn inspect(&self) -> String {
        self.inspect_inside(&mut { MAXIMUM_PARTS })
    }

    fn inspect_inside(&self, parts: &mut usize) -> String {
        *parts = parts.saturating_sub(1);
        match self {
            _ if *parts == 0 => "…".to_owned(),
            Self::Nil => "nil".to_owned(),
            Self::Text(text) => format!("{text:?}"),
            Self::Symbol(text) => format!(":{text}"),
            Self::List(items) => {
                let items = items.borrow();
                let items: Vec<String> = items.iter().map(|it| it.inspect_inside(parts)).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Map(pairs) => {
                let pairs = pairs.borrow();
                let pair = |(key, value): &(Value, Value)| {
                    format!(
                        "{} => {}",
                        key.inspect_inside(parts),
                        value.inspect_inside(parts)
                    )
                };
                let pairs: Vec<String> = pairs.iter().map(pair).collect();
                format!("{{{}}}", pairs.join(", "))
            }
            other => other.to_text().unwrap_or_else(|| "?".to_owned()),
        }
    }
}

fn float_text(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        format!("{number:.1}")
    } else {
        number.to_string()
    }
}
