//! Values as texts.

use std::rc::Rc;

use super::value::{Object, Value};

/// Most parts of a list or map that are written: a list may hold itself.
const MAXIMUM_PARTS: usize = 2000;

impl Value {
    /// `to_s`; `None` if Ruby's text of it means nothing here.
    pub fn to_text(&self) -> Option<Rc<str>> {
        Some(match self {
            Self::Nil => "".into(),
            Self::Bool(value) => value.to_string().into(),
            Self::Integer(number) => number.to_string().into(),
            Self::Float(number) => float_text(*number).into(),
            Self::Text(_) | Self::Symbol(_) => self.as_text()?,
            Self::Range { first, last } => format!("{first}..{last}").into(),
            Self::List(_) | Self::Map(_) => self.inspect().into(),
            Self::Match(found) => found.groups.first()?.as_deref()?.into(),
            Self::Object(Object::Address(address)) => address.to_string().into(),
            Self::Object(Object::Error(failure)) => failure.message.as_str().into(),
            Self::Object(Object::Constant(name)) => name.as_str().into(),
            Self::Regex(_)
            | Self::Closure(_)
            | Self::Object(_)
            | Self::Unset(_)
            | Self::Unknown(_) => {
                return None;
            }
        })
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
            Self::Text(text) => format!("{:?}", text.text()),
            Self::Symbol(text) => format!(":{text}"),
            Self::List(items) => {
                let items = items.borrow();
                let items: Vec<String> = items.iter().map(|it| it.inspect_inside(parts)).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Map(pairs) => {
                let pairs = pairs.borrow();
                let mut pair = |(key, value): &(Value, Value)| {
                    let value = value.inspect_inside(parts);
                    format!("{}=>{value}", key.inspect_inside(parts))
                };
                let pairs: Vec<String> = pairs.iter().map(&mut pair).collect();
                format!("{{{}}}", pairs.join(", "))
            }
            other => other
                .to_text()
                .map_or_else(|| "?".to_owned(), |it| it.to_string()),
        }
    }
}

fn float_text(number: f64) -> String {
    let size = number.abs();
    if number != 0.0 && number.is_finite() && !(1e-4..1e15).contains(&size) {
        // Ruby writes `1.0e+20` and `1.0e-05`.
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let point = if digits.contains('.') { "" } else { ".0" };
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(exponent) => ('-', exponent),
            None => ('+', exponent),
        };
        return format!("{digits}{point}e{sign}{exponent:0>2}");
    }
    if number.fract() == 0.0 {
        format!("{number:.1}")
    } else {
        number.to_string()
    }
}
