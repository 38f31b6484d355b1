//! What a plain scalar means in YAML 1.1, as PyYAML reads it for Ansible (and Psych for Ruby).
//!
//! `yes` is true, but `y` is text; `010` is eight, `1_000` a thousand, `1:30` ninety; `1e3` is text.

use super::Node;

/// Returns what a scalar without quotes and tags stands for.
pub(super) fn resolve(text: &str) -> Node {
    if let Some(value) = boolean(text) {
        return Node::Bool(value);
    }
    if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Node::Null;
    }
    match integer(text).or_else(|| float(text)) {
        Some(number) => Node::Number(number),
        None => Node::Text(text.to_owned()),
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// Returns an integer in decimal notation. One that is written so keeps its text.
fn integer(text: &str) -> Option<String> {
    let (sign, digits) = split_sign(text);
    let only = |digits: &str, is_digit: fn(&u8) -> bool| {
        !digits.is_empty() && digits.bytes().all(|byte| is_digit(&byte) || byte == b'_')
    };
    let radix = |digits: &str, radix: u32| {
        let number = u64::from_str_radix(&digits.replace('_', ""), radix).ok()?;
        Some(format!("{sign}{number}"))
    };
    if let Some(digits) = digits.strip_prefix("0b") {
        return only(digits, |byte| matches!(byte, b'0' | b'1')).then(|| radix(digits, 2))?;
    }
    if let Some(digits) = digits.strip_prefix("0x") {
        return only(digits, u8::is_ascii_hexdigit).then(|| radix(digits, 16))?;
    }
    if digits == "0" {
        return Some(format!("{sign}0"));
    }
    if let Some(digits) = digits.strip_prefix('0') {
        return only(digits, |byte| matches!(byte, b'0'..=b'7')).then(|| radix(digits, 8))?;
    }
    if digits.contains(':') {
        return sexagesimal(digits).map(|number| format!("{sign}{number}"));
    }
    let is_decimal = digits.starts_with(|first: char| first.is_ascii_digit());
    (is_decimal && only(digits, u8::is_ascii_digit))
        .then(|| format!("{sign}{}", digits.replace('_', "")))
}

/// Reads `1:30` as ninety: hours, minutes and seconds.
fn sexagesimal(text: &str) -> Option<u64> {
    let mut parts = text.split(':');
    let first = parts.next()?;
    let is_number = !first.starts_with(['0', '_'])
        && first
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_');
    let mut number: u64 = is_number.then(|| first.replace('_', "").parse().ok())??;
    for part in parts {
        let is_part =
            (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let part: u64 = is_part.then(|| part.parse().ok())??;
        number = number
            .checked_mul(60)?
            .checked_add((part < 60).then_some(part)?)?;
    }
    Some(number)
}

/// Returns a number with a point in it as it is written, without `_` and `+`.
fn float(text: &str) -> Option<String> {
    let (sign, digits) = split_sign(text);
    let (whole, rest) = digits.split_once('.')?;
    let (fraction, exponent) = match rest.split_once(['e', 'E']) {
        Some((fraction, exponent)) => (fraction, Some(exponent)),
        None => (rest, None),
    };
    let is_part = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let is_exponent = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or_default();
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let starts_with_digit = |part: &str| part.starts_with(|first: char| first.is_ascii_digit());
    // Only without a sign may the number begin with its point.
    let has_digits =
        starts_with_digit(whole) || (text.starts_with('.') && starts_with_digit(fraction));
    (has_digits && is_part(whole) && is_part(fraction) && is_exponent)
        .then(|| format!("{sign}{}", digits.replace('_', "")))
}

/// Returns `-` or nothing, and the text behind the sign.
fn split_sign(text: &str) -> (&str, &str) {
    match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_are_pyyamls() {
        let show = |text| match resolve(text) {
            Node::Null => "null".to_owned(),
            Node::Bool(value) => value.to_string(),
            Node::Number(text) => format!("number {text}"),
            node => format!("{node:?}"),
        };
        for (text, expected) in [
            ("yes", "true"),
            ("On", "true"),
            ("TRUE", "true"),
            ("no", "false"),
            ("OFF", "false"),
            ("False", "false"),
            ("tRUE", "Text(\"tRUE\")"),
            ("y", "Text(\"y\")"),
            ("N", "Text(\"N\")"),
            ("~", "null"),
            ("Null", "null"),
            ("nULL", "Text(\"nULL\")"),
            ("0", "number 0"),
            ("22", "number 22"),
            ("-7", "number -7"),
            ("+7", "number 7"),
            ("010", "number 8"),
            ("0755", "number 493"),
            ("08", "Text(\"08\")"),
            ("0o17", "Text(\"0o17\")"),
            ("0x1F", "number 31"),
            ("0b11", "number 3"),
            ("1_000", "number 1000"),
            ("1:30", "number 90"),
            ("1:60", "Text(\"1:60\")"),
            ("10:20:30", "number 37230"),
            ("08:30", "Text(\"08:30\")"),
            ("1.30", "number 1.30"),
            ("1_0.5", "number 10.5"),
            (".5", "number .5"),
            ("5.", "number 5."),
            ("1.5e+3", "number 1.5e+3"),
            ("1.5e3", "Text(\"1.5e3\")"),
            ("1e3", "Text(\"1e3\")"),
            ("433e40", "Text(\"433e40\")"),
            ("1.2.3", "Text(\"1.2.3\")"),
            ("v1.2", "Text(\"v1.2\")"),
            ("-", "Text(\"-\")"),
            (".", "Text(\".\")"),
            ("_1", "Text(\"_1\")"),
            ("10.0.0.1", "Text(\"10.0.0.1\")"),
            ("2001-01-01", "Text(\"2001-01-01\")"),
        ] {
            assert_eq!(show(text), expected, "{text}");
        }
    }
}
