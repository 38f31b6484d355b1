//! The characters of a text: sets of them, parts, and what follows a text.

use super::MAXIMUM_LENGTH;
use super::value::Value;

/// Takes the characters of a set out, in which `a-z` and `^` mean what they mean to `tr`.
pub(super) fn without(text: &str, set: &str) -> Option<String> {
    let set = set_of(set)?;
    Some(text.chars().filter(|it| !set.contains(it)).collect())
}

fn set_of(set: &str) -> Option<Vec<char>> {
    if set.len() > 1 && set.starts_with('^') || set.contains('\\') {
        return None;
    }
    let characters: Vec<char> = set.chars().collect();
    let mut found = Vec::new();
    let mut index = 0;
    while index < characters.len() {
        match characters[index..] {
            [first, '-', last, ..] if first <= last => {
                found.extend(first..=last);
                index += 3;
            }
            _ => {
                found.push(characters[index]);
                index += 1;
            }
        }
    }
    Some(found)
}

pub(super) fn translated(text: &str, from: &str, to: &str) -> Option<String> {
    let (from, to) = (set_of(from)?, set_of(to)?);
    let one = |character: char| match from.iter().position(|it| *it == character) {
        None => Some(character),
        // The last one stands for those that are missing.
        Some(index) => to.get(index).or(to.last()).copied(),
    };
    Some(text.chars().filter_map(one).collect())
}

/// Puts a value in the place of a part: `text["a"] = "b"`.
pub(super) fn with_part(text: &str, at: &Value, value: &Value) -> Option<String> {
    let value = value.as_text()?;
    if let Value::Text(part) = at {
        let part = part.text();
        return text
            .contains(&*part)
            .then(|| text.replacen(&*part, &value, 1));
    }
    let length = text.chars().count();
    let (first, end) = match at {
        Value::Integer(index) => {
            let index = super::list::position(length, *index)?;
            (index, index + 1)
        }
        Value::Range { first, last } => (
            super::list::position(length, *first)?,
            super::list::position(length, *last)? + 1,
        ),
        _ => return None,
    };
    let is_inside = first < length || (first == length && length == 0);
    is_inside.then(|| {
        let end = end.max(first);
        format!(
            "{}{value}{}",
            characters(text, 0, first),
            characters(text, end, length)
        )
    })
}

/// The next of numbered names: "node-9" and "node-10", but "node9" and "nodf0".
pub(super) fn successor(text: &str) -> Option<String> {
    let mut characters: Vec<char> = text.chars().collect();
    // What was raised last, and what stands before it if it went round.
    let mut last: Option<(usize, char)> = None;
    for index in (0..characters.len()).rev() {
        let character = characters[index];
        if !character.is_ascii_alphanumeric() {
            continue;
        }
        if let Some((before, carried)) = last
            && before - index > 1
            && carried.is_ascii_digit() != character.is_ascii_digit()
        {
            break;
        }
        let (next, carried) = match character {
            'z' => ('a', 'a'),
            'Z' => ('A', 'A'),
            '9' => ('0', '1'),
            other => {
                characters[index] = char::from(u8::try_from(other).ok()? + 1);
                return Some(characters.into_iter().collect());
            }
        };
        characters[index] = next;
        last = Some((index, carried));
    }
    let (index, carried) = last?;
    characters.insert(index, carried);
    Some(characters.into_iter().collect())
}

pub(super) fn pad(text: &str, width: i64, fill: &str, name: &str) -> Option<Value> {
    let width = usize::try_from(width)
        .ok()
        .filter(|it| *it < MAXIMUM_LENGTH)?;
    let missing = width.saturating_sub(text.chars().count());
    let fill = |count: usize| fill.chars().cycle().take(count).collect::<String>();
    Some(Value::text(match name {
        "rjust" => fill(missing) + text,
        "ljust" => text.to_owned() + &fill(missing),
        _ => format!("{}{text}{}", fill(missing / 2), fill(missing - missing / 2)),
    }))
}

pub(super) fn characters(text: &str, first: usize, count: usize) -> String {
    text.chars().skip(first).take(count).collect()
}
