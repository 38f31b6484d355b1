//! `format` and `"…" % …`.

use super::MAXIMUM_LENGTH;
use super::value::Value;

/// Fills in a format; `None` if it can't be followed.
pub(super) fn text(format: &str, values: &Value) -> Option<Value> {
    let values = match values {
        Value::List(items) => items.borrow().clone(),
        other => vec![other.clone()],
    };
    fill(format, &values)
}

/// Fills values into a format.
pub(super) fn fill(format: &str, values: &[Value]) -> Option<Value> {
    if let Some(why) = values.iter().find_map(Value::why_within) {
        return Some(Value::Unknown(why));
    }
    let mut values_left = values.iter();
    let mut text = String::new();
    let mut rest = format;
    while let Some(start) = rest.find('%') {
        text.push_str(&rest[..start]);
        rest = &rest[start + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            text.push('%');
            rest = after;
            continue;
        }
        if let Some(named) = rest.strip_prefix('{') {
            let (name, after) = named.split_once('}')?;
            text.push_str(&values.first()?.option(name)?.to_text()?);
            rest = after;
            continue;
        }
        let mut named = None;
        if let Some(start) = rest.strip_prefix('<') {
            let (name, after) = start.split_once('>')?;
            named = Some(values.first()?.option(name)?);
            rest = after;
        }
        let length = rest.find(|it: char| it.is_ascii_alphabetic())?;
        let flags = &rest[..length];
        let kind = rest[length..].chars().next()?;
        rest = &rest[length + 1..];
        let value = match named {
            Some(value) => value,
            None => values_left.next()?.clone(),
        };
        text.push_str(&one(flags, kind, &value)?);
        if text.len() > MAXIMUM_LENGTH {
            return None;
        }
    }
    text.push_str(rest);
    Some(Value::text(text))
}

fn one(flags: &str, kind: char, value: &Value) -> Option<String> {
    let is_left = flags.contains('-');
    let sign = ['+', ' '].into_iter().find(|it| flags.contains(*it));
    let flags = flags.trim_start_matches(['-', '+', ' ']);
    let is_zero = flags.starts_with('0');
    let (width, precision) = match flags.split_once('.') {
        Some((width, precision)) => (width, precision.parse::<usize>().ok()),
        None => (flags, None),
    };
    let width: usize = match width {
        "" => 0,
        digits => digits.parse().ok().filter(|it| *it < 1000)?,
    };
    let number = || match value {
        Value::Text(text) => super::number::integer_of(text.text().trim()),
        Value::Integer(number) => Some(*number),
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
        Value::Float(number) => Some(number.floor() as i64),
        _ => None,
    };
    let text = match kind {
        's' => value.to_text()?.to_string(),
        'p' => value.inspect(),
        // The precision of a number is the least number of digits.
        'd' | 'i' | 'u' => match precision {
            Some(digits) if digits < 100 => format!("{:0digits$}", number()?),
            _ => number()?.to_string(),
        },
        'x' => format!("{:x}", number()?),
        'X' => format!("{:X}", number()?),
        'b' => format!("{:b}", number()?),
        'f' => {
            let digits = precision.unwrap_or(6).min(50);
            format!("{:.digits$}", value.number()?)
        }
        _ => return None,
    };
    let text = match sign {
        Some(sign) if kind != 's' && !text.starts_with('-') => format!("{sign}{text}"),
        _ => text,
    };
    let missing = width.saturating_sub(text.chars().count());
    Some(match (is_left, is_zero && kind != 's') {
        (true, _) => text + &" ".repeat(missing),
        (false, true) => match text.strip_prefix(['-', '+', ' ']) {
            Some(digits) => format!("{}{}{digits}", &text[..1], "0".repeat(missing)),
            None => "0".repeat(missing) + &text,
        },
        (false, false) => " ".repeat(missing) + &text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_rubys() {
        for (format, value, expected) in [
            ("node%02d", Value::Integer(3), "node03"),
            (
                "%s-%01d",
                Value::list(vec![Value::text("k8s"), Value::Integer(1)]),
                "k8s-1",
            ),
            ("%-4s|", Value::text("ab"), "ab  |"),
            ("%3d%%", Value::Integer(7), "  7%"),
            ("%.2f", Value::Float(1.005), "1.00"),
            (
                "%{a}.%<b>03d",
                Value::map(vec![
                    (Value::symbol("a"), Value::text("x")),
                    (Value::symbol("b"), Value::Integer(5)),
                ]),
                "x.005",
            ),
            ("%d", Value::text("12"), "12"),
        ] {
            let found = text(format, &value).and_then(|it| it.to_text());
            assert_eq!(found.as_deref(), Some(expected), "{format}");
        }
        assert!(text("%d", &Value::text("x")).is_none());
        assert!(text("%s %s", &Value::text("x")).is_none());
    }
}
