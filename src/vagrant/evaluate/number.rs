//! Methods of numbers.

use std::ops::Range;

use super::given::Given;
use super::value::Value;
use super::{Evaluator, Flow, range};

impl Evaluator {
    pub(super) fn number_method(
        &mut self,
        number: &Value,
        name: &str,
        arguments: &[Value],
        given: Option<&Given>,
        span: &Range<usize>,
    ) -> Result<Option<Value>, Flow> {
        if let Value::Integer(number) = number
            && let Some(items) = counted(*number, name, arguments)
        {
            if given.is_none() {
                return Ok(Some(Value::list(items)));
            }
            self.results(items, given, span)?;
            return Ok(Some(Value::Integer(*number)));
        }
        if let (Value::Integer(_), "/" | "%" | "div" | "modulo" | "divmod", [Value::Integer(0)]) =
            (number, name, arguments)
        {
            return self
                .fail(span, "ZeroDivisionError", "divided by 0")
                .map(Some);
        }
        Ok(match (number, arguments) {
            (Value::Integer(number), []) => integer(*number, name),
            (Value::Integer(a), [Value::Integer(b)]) => integers(*a, name, *b),
            (Value::Integer(a), [Value::Integer(b), Value::Integer(c)]) => match name {
                "between?" => Some(Value::Bool((b..=c).contains(&a))),
                "clamp" if b <= c => Some(Value::Integer(*a.clamp(b, c))),
                _ => None,
            },
            (Value::Float(number), [Value::Integer(digits)]) if name == "round" => {
                let scale = 10_f64.powi(i32::try_from(*digits).unwrap_or(0));
                Some(Value::Float((number * scale).round() / scale))
            }
            (_, [other]) => match (number.number(), other.number()) {
                (Some(a), Some(b)) => floats(a, name, b),
                _ => None,
            },
            (Value::Float(number), []) => float(*number, name),
            _ => None,
        })
    }
}

/// The numbers that a loop counts.
fn counted(number: i64, name: &str, arguments: &[Value]) -> Option<Vec<Value>> {
    let (first, last, step) = match (name, arguments) {
        ("times", []) => (0, number.checked_sub(1)?, 1),
        ("upto" | "step", [Value::Integer(last)]) => (number, *last, 1),
        ("downto", [Value::Integer(first)]) => (*first, number, 1),
        ("step", [Value::Integer(last), Value::Integer(step)]) if *step > 0 => {
            (number, *last, *step)
        }
        _ => return None,
    };
    if !range::is_short(first, last) {
        return None;
    }
    let step = usize::try_from(step).ok()?;
    let mut items: Vec<Value> = range::items(first, last).step_by(step).collect();
    if name == "downto" {
        items.reverse();
    }
    Some(items)
}

#[expect(clippy::cast_precision_loss, reason = "numbers of a lab are small")]
fn integer(number: i64, name: &str) -> Option<Value> {
    Some(match name {
        "to_s" => Value::text(number.to_string()),
        "to_i" | "to_int" | "round" | "floor" | "ceil" => Value::Integer(number),
        "to_f" => Value::Float(number as f64),
        "-@" => Value::Integer(number.checked_neg()?),
        "abs" => Value::Integer(number.checked_abs()?),
        "succ" | "next" => Value::Integer(number.checked_add(1)?),
        "pred" => Value::Integer(number.checked_sub(1)?),
        "even?" => Value::Bool(number % 2 == 0),
        "odd?" => Value::Bool(number % 2 != 0),
        "zero?" => Value::Bool(number == 0),
        "positive?" => Value::Bool(number > 0),
        "negative?" => Value::Bool(number < 0),
        "chr" => {
            let character = char::from(u8::try_from(number).ok()?);
            Value::text(character.to_string())
        }
        "digits" => {
            let digits = number.to_string();
            let digits = digits.chars().rev().filter_map(|it| it.to_digit(10));
            Value::list(digits.map(|it| Value::Integer(it.into())).collect())
        }
        _ => return None,
    })
}

fn integers(a: i64, name: &str, b: i64) -> Option<Value> {
    Some(match name {
        "+" => Value::Integer(a.checked_add(b)?),
        "-" => Value::Integer(a.checked_sub(b)?),
        "*" => Value::Integer(a.checked_mul(b)?),
        // Ruby rounds down, Rust towards zero.
        "/" | "div" => Value::Integer({
            let quotient = a.checked_div(b)?;
            let is_inexact = quotient.checked_mul(b)? != a;
            quotient - i64::from(is_inexact && (a < 0) != (b < 0))
        }),
        "%" | "modulo" => Value::Integer(a.checked_rem(b)?.checked_add(b)?.checked_rem(b)?),
        "**" | "pow" => Value::Integer(a.checked_pow(u32::try_from(b).ok()?)?),
        "<<" => Value::Integer(a.checked_mul(2_i64.checked_pow(u32::try_from(b).ok()?)?)?),
        ">>" => Value::Integer(a.checked_shr(u32::try_from(b).ok()?)?),
        "&" => Value::Integer(a & b),
        "|" => Value::Integer(a | b),
        "<" => Value::Bool(a < b),
        "<=" => Value::Bool(a <= b),
        ">" => Value::Bool(a > b),
        ">=" => Value::Bool(a >= b),
        "<=>" => Value::Integer(a.cmp(&b) as i64),
        "divmod" => Value::list(vec![integers(a, "/", b)?, integers(a, "%", b)?]),
        "fdiv" => floats(
            Value::Integer(a).number()?,
            "/",
            Value::Integer(b).number()?,
        )?,
        "gcd" => {
            let (mut a, mut b) = (a.checked_abs()?, b.checked_abs()?);
            while b != 0 {
                (a, b) = (b, a % b);
            }
            Value::Integer(a)
        }
        "^" => Value::Integer(a ^ b),
        "[]" => Value::Integer(a.checked_shr(u32::try_from(b).ok()?)? & 1),
        "round" | "floor" | "ceil" if b >= 0 => Value::Integer(a),
        "to_s" if b == 10 => Value::text(a.to_string()),
        "to_s" if b == 16 => Value::text(format!("{a:x}")),
        "to_s" if b == 8 => Value::text(format!("{a:o}")),
        "to_s" if b == 2 => Value::text(format!("{a:b}")),
        _ => return None,
    })
}

fn floats(a: f64, name: &str, b: f64) -> Option<Value> {
    Some(match name {
        "+" => Value::Float(a + b),
        "-" => Value::Float(a - b),
        "*" => Value::Float(a * b),
        "/" if b != 0.0 => Value::Float(a / b),
        "<" => Value::Bool(a < b),
        "<=" => Value::Bool(a <= b),
        ">" => Value::Bool(a > b),
        ">=" => Value::Bool(a >= b),
        _ => return None,
    })
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
fn float(number: f64, name: &str) -> Option<Value> {
    Some(match name {
        "to_i" | "to_int" | "truncate" => Value::Integer(number as i64),
        "round" => Value::Integer(number.round() as i64),
        "floor" => Value::Integer(number.floor() as i64),
        "ceil" => Value::Integer(number.ceil() as i64),
        "to_f" => Value::Float(number),
        "-@" => Value::Float(-number),
        "to_s" => Value::text(Value::Float(number).to_text()?),
        _ => return None,
    })
}

/// As `to_i` has it: what follows the digits doesn't count, and nothing is 0.
pub(super) fn leading_integer(text: &str) -> i64 {
    let text = text.trim_start();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = unsigned.chars().filter(|it| *it != '_');
    let digits: String = digits.take_while(char::is_ascii_digit).collect();
    let number = digits.parse::<i64>().unwrap_or(0);
    if text.starts_with('-') {
        -number
    } else {
        number
    }
}

/// `to_f`
pub(super) fn leading_float(text: &str) -> f64 {
    let text = text.trim_start();
    let end = text.find(|it: char| !it.is_ascii_digit() && !matches!(it, '.' | '-' | '+'));
    let mut number = &text[..end.unwrap_or(text.len())];
    loop {
        match number.parse() {
            Ok(value) => return value,
            Err(_) if number.is_empty() => return 0.0,
            Err(_) => number = &number[..number.len() - 1],
        }
    }
}

/// As `Integer("…")` has it: all of the text is a number, in the form of Ruby's literals.
pub(super) fn integer_of(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits.to_lowercase()),
        None => (1, text.strip_prefix('+').unwrap_or(text).to_lowercase()),
    };
    let prefixes = [("0x", 16), ("0b", 2), ("0o", 8), ("0d", 10), ("0", 8)];
    let found = prefixes.iter().find_map(|(prefix, radix)| {
        let digits = digits.strip_prefix(prefix).filter(|it| !it.is_empty())?;
        Some((digits, *radix))
    });
    let (digits, radix) = found.unwrap_or((&digits, 10));
    let is_plain = digits.chars().all(|it| it.is_digit(radix));
    let number = i64::from_str_radix(digits, radix)
        .ok()
        .filter(|_| is_plain)?;
    number.checked_mul(sign)
}
