//! Host ranges: `node[01:10]`, `db-[a:f]`, `n[0:8:2]`.

/// How many hosts one pattern may stand for; more is a typing error.
const MAXIMUM: usize = 10_000;

/// Returns the names that a pattern stands for: itself if it holds no range.
///
/// The error says what is wrong with the range.
pub(super) fn expand(pattern: &str) -> Result<Vec<String>, String> {
    let Some((head, range, tail)) = split(pattern) else {
        return Ok(vec![pattern.to_owned()]);
    };
    let items = items(range)?;
    let tails = expand(tail)?;
    if items.len().saturating_mul(tails.len()) > MAXIMUM {
        return Err(format!("stands for more than {MAXIMUM} hosts"));
    }
    let mut names = Vec::with_capacity(items.len() * tails.len());
    for item in &items {
        names.extend(tails.iter().map(|tail| format!("{head}{item}{tail}")));
    }
    Ok(names)
}

/// Brackets without a colon are part of the name, as in Ansible.
fn split(pattern: &str) -> Option<(&str, &str, &str)> {
    let open = pattern.find('[')?;
    let close = open + pattern[open..].find(']')?;
    let range = &pattern[open + 1..close];
    range
        .contains(':')
        .then(|| (&pattern[..open], range, &pattern[close + 1..]))
}

fn items(range: &str) -> Result<Vec<String>, String> {
    let parts: Vec<&str> = range.split(':').collect();
    let (begin, end, step) = match parts[..] {
        [begin, end] => (begin, end, 1),
        [begin, end, step] => (
            begin,
            end,
            step.parse()
                .ok()
                .filter(|step| *step > 0)
                .ok_or_else(|| format!("step `{step}` is not a positive number"))?,
        ),
        _ => return Err("write it as [first:last] or [first:last:step]".to_owned()),
    };
    let begin = if begin.is_empty() { "0" } else { begin };
    match (letter(begin), letter(end)) {
        (Some(first), Some(last)) => letters(first, last, step),
        _ => numbers(begin, end, step),
    }
}

fn numbers(begin: &str, end: &str, step: usize) -> Result<Vec<String>, String> {
    let number = |text: &str| {
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_plain
            .then(|| text.parse::<usize>().ok())
            .flatten()
            .ok_or_else(|| format!("`{text}` is neither a number nor a letter"))
    };
    let (first, last) = (number(begin)?, number(end)?);
    let is_padded = begin.len() > 1 && begin.starts_with('0');
    if is_padded && begin.len() != end.len() {
        return Err(format!(
            "`{begin}` and `{end}` must have the same number of digits"
        ));
    }
    check_order(first, last, begin, end, step)?;
    let width = if is_padded { begin.len() } else { 0 };
    Ok((first..=last)
        .step_by(step)
        .map(|number| format!("{number:0width$}"))
        .collect())
}

fn letters(first: usize, last: usize, step: usize) -> Result<Vec<String>, String> {
    let text = |index: usize| char::from(LETTERS[index]).to_string();
    check_order(first, last, &text(first), &text(last), step)?;
    Ok((first..=last).step_by(step).map(text).collect())
}

fn check_order(
    first: usize,
    last: usize,
    begin: &str,
    end: &str,
    step: usize,
) -> Result<(), String> {
    if first > last {
        return Err(format!("`{begin}` comes after `{end}`"));
    }
    if (last - first) / step >= MAXIMUM {
        return Err(format!("stands for more than {MAXIMUM} hosts"));
    }
    Ok(())
}

const LETTERS: &[u8; 52] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn letter(text: &str) -> Option<usize> {
    match text.as_bytes() {
        [byte] => LETTERS.iter().position(|letter| letter == byte),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::expand;

    #[test]
    fn patterns_expand_as_in_ansible() {
        for (pattern, expected) in [
            ("node1", "node1"),
            ("n[1:3]", "n1 n2 n3"),
            ("n[08:11].lab", "n08.lab n09.lab n10.lab n11.lab"),
            ("n[0:6:3]", "n0 n3 n6"),
            ("n[:2]", "n0 n1 n2"),
            ("db-[a:c]", "db-a db-b db-c"),
            ("[y:B]", "y z A B"),
            ("r[1:2]n[a:b]", "r1na r1nb r2na r2nb"),
            ("n[1]", "n[1]"),
        ] {
            assert_eq!(expand(pattern).unwrap().join(" "), expected, "{pattern}");
        }
    }

    #[test]
    fn wrong_ranges_say_why() {
        for (pattern, expected) in [
            ("n[3:1]", "`3` comes after `1`"),
            (
                "n[01:100]",
                "`01` and `100` must have the same number of digits",
            ),
            ("n[1:]", "`` is neither a number nor a letter"),
            ("n[a:3]", "`a` is neither a number nor a letter"),
            ("n[1:2:0]", "step `0` is not a positive number"),
            (
                "n[1:2:3:4]",
                "write it as [first:last] or [first:last:step]",
            ),
            ("n[0:99999999]", "stands for more than 10000 hosts"),
            ("n[1:999][1:999]", "stands for more than 10000 hosts"),
        ] {
            assert_eq!(expand(pattern).unwrap_err(), expected, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn numeric_ranges_are_complete_and_in_order(
            first in 0usize..500, count in 0usize..200, step in 1usize..9, width in 0usize..6,
        ) {
            let last = first + count;
            let (begin, end) = (format!("{first:0width$}"), format!("{last:0width$}"));
            prop_assume!(begin.len() == end.len() || !begin.starts_with('0') || begin == "0");
            let names = expand(&format!("a[{begin}:{end}:{step}]z")).unwrap();
            let padded = begin.len() > 1 && begin.starts_with('0');
            let width = if padded { begin.len() } else { 0 };
            let expected: Vec<String> = (first..=last).step_by(step)
                .map(|number| format!("a{number:0width$}z")).collect();
            prop_assert_eq!(names, expected);
        }

        #[test]
        fn any_pattern_is_expanded_or_refused(pattern in "[a-c0-9:\\[\\]]{0,24}") {
            if let Ok(names) = expand(&pattern) {
                prop_assert!(!names.is_empty());
            }
        }
    }
}
