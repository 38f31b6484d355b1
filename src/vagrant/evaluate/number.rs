//! Methods of numbers.

use std::ops::Range;

use super::call::Given;
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
        if let Value::Integer(number) = number {
            let ends = match (name, arguments) {
                ("times", []) => Some((0, number - 1)),
                ("upto", [Value::Integer(last)]) => Some((*number, *last)),
                _ => None,
            };
            if let Some((first, last)) = ends.filter(|it| range::is_short(it.0, it.1)) {
                let items: Vec<Value> = range::items(first, last).collect();
                if given.is_none() {
                    return Ok(Some(Value::Range { first, last }));
                }
                let stopped = self.each(items, given, span, |_, _| true)?;
                return Ok(Some(stopped.unwrap_or(Value::Integer(*number))));
            }
            if let ("downto", [Value::Integer(last)]) = (name, arguments)
                && range::is_short(*last, *number)
            {
                let mut items: Vec<Value> = range::items(*last, *number).collect();
                items.reverse();
                if given.is_none() {
                    return Ok(Some(Value::list(items)));
                }
                let stopped = self.each(items, given, span, |_, _| true)?;
                return Ok(Some(stopped.unwrap_or(Value::Integer(*number))));
            }
        }
        Ok(match (number, arguments) {
            (Value::Integer(number), []) => integer(*number, name),
            (Value::Integer(a), [Value::Integer(b)]) => integers(*a, name, *b),
            (Value::Integer(a), [Value::Integer(b), Value::Integer(c)]) => match name {
                "between?" => Some(Value::Bool((b..=c).contains(&a))),
                "clamp" if b <= c => Some(Value::Integer(*a.clamp(b, c))),
                _ => None,
            },
            (_, [other]) => match (number.number(), other.number()) {
                (Some(a), Some(b)) => floats(a, name, b),
                _ => None,
            },
            (Value::Float(number), []) => float(*number, name),
            _ => None,
        })
    }
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
        "to_s" if b == 10 => Value::text(a.to_string()),
        "to_s" if b == 16 => Value::text(format!("{a:x}")),
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
