//! The paths that a source names: `crate::a::b`, `super::{c, d::E}`.

/// Returns all paths that begin with `crate`, `super` or `self`, word by word.
pub fn named_in(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for begin in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(begin) {
            let before = code[..at].chars().next_back();
            // Not the end of a longer word, nor of a path that was read already.
            if !before.is_some_and(|it| it.is_alphanumeric() || "_:".contains(it)) {
                paths.extend(tree(&code[at..]));
            }
        }
    }
    paths
}

/// Reads a path with all its branches.
fn tree(text: &str) -> Vec<Vec<String>> {
    if let Some(inner) = text.strip_prefix('{') {
        return branches(inner)
            .into_iter()
            .flat_map(|it| tree(it.trim_start()))
            .collect();
    }
    let length = text.find(|it: char| !it.is_alphanumeric() && it != '_');
    let (word, rest) = text.split_at(length.unwrap_or(text.len()));
    let ends = match rest.strip_prefix("::") {
        Some(rest) => tree(rest),
        None => vec![Vec::new()],
    };
    let with_word = |end: Vec<String>| [vec![word.to_owned()], end].concat();
    ends.into_iter().map(with_word).collect()
}

/// Splits what stands in braces at its own commas.
fn branches(inner: &str) -> Vec<&str> {
    let (mut branches, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in inner.char_indices() {
        match letter {
            '{' => depth += 1,
            ',' if depth == 0 => {
                branches.push(&inner[start..at]);
                start = at + 1;
            }
            '}' if depth == 0 => {
                branches.push(&inner[start..at]);
                break;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    branches.retain(|it| !it.trim().is_empty());
    branches
}

#[test]
fn paths_with_branches_are_read() {
    let paths = named_in("use super::{a::{B, c}, d};\nlet x = crate::e::f(super::super::g);");
    let paths: Vec<String> = paths.iter().map(|it| it.join(" ")).collect();
    assert_eq!(
        paths,
        [
            "crate e f",
            "super a B",
            "super a c",
            "super d",
            "super super g"
        ]
    );
}
