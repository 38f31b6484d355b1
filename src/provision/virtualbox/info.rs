//! What VBoxManage tells: `--machinereadable` pairs, and blocks of `Key:  value` lines.

use super::paths::unescape;
use super::uuid::Uuid;

/// The pairs of `--machinereadable`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info(Vec<(String, String)>);

impl Info {
    /// Reads lines `key=value`, `key="value"` and `"key"="value"`. Quotes inside are escaped by a backslash,
    /// a quoted value may go over several lines, and lines of other forms (` rec_screen0`) are left out.
    pub fn parse(text: &str) -> Self {
        let mut pairs = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (pair, after) = pair(rest);
            pairs.extend(pair);
            rest = after;
        }
        Self(pairs)
    }

    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs()
            .find(|(it, _)| *it == key)
            .map(|(_, value)| value)
    }

    /// Returns a number; zero where there is none.
    pub fn number(&self, key: &str) -> u64 {
        self.get(key).and_then(|it| it.parse().ok()).unwrap_or(0)
    }

    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Returns all values whose key begins like this, with the rest of the key.
    pub fn starting_with<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.pairs()
            .filter_map(move |(key, value)| Some((key.strip_prefix(prefix)?, value)))
    }
}

fn pair(text: &str) -> (Option<(String, String)>, &str) {
    let line_end = text.find('\n').unwrap_or(text.len());
    let next_line = &text[(line_end + 1).min(text.len())..];
    let (key, after_key) = if text.starts_with('"') {
        match quoted(text) {
            Some((key, rest)) => match rest.strip_prefix('=') {
                Some(rest) => (key, rest),
                None => return (None, next_line),
            },
            None => return (None, next_line),
        }
    } else {
        match text[..line_end].split_once('=') {
            Some((key, _)) => (key.to_owned(), &text[key.len() + 1..]),
            None => return (None, next_line),
        }
    };
    if after_key.starts_with('"')
        && let Some((value, rest)) = quoted(after_key)
    {
        let rest = rest.split_once('\n').map_or("", |(_, next)| next);
        return (Some((key, value)), rest);
    }
    let value = after_key.lines().next().unwrap_or_default().to_owned();
    let rest = after_key.split_once('\n').map_or("", |(_, next)| next);
    (Some((key, value)), rest)
}

/// Reads a text in quotes; returns it and what stands behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut is_escaped = false;
    for (index, character) in text.char_indices().skip(1) {
        if character == '"' && !is_escaped {
            return Some((unescape(&text[1..index]), &text[index + 1..]));
        }
        is_escaped = character == '\\' && !is_escaped;
    }
    None
}

/// One object of a `list`: `Key:   value` lines up to an empty line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block(Vec<(String, String)>);

impl Block {
    /// Reads all objects of a list that begin with this key.
    pub fn parse_all(text: &str, first: &str) -> Vec<Self> {
        let mut blocks: Vec<Self> = Vec::new();
        for line in text.lines() {
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            if key == first {
                blocks.push(Self(Vec::new()));
            }
            if let Some(block) = blocks.last_mut() {
                block
                    .0
                    .push((key.trim().to_owned(), value.trim().to_owned()));
            }
        }
        blocks
    }

    pub fn get(&self, key: &str) -> &str {
        let found = self.0.iter().find(|(it, _)| it == key);
        found.map_or("", |(_, value)| value.as_str())
    }
}

/// Reads `list vms`: lines `"name" {uuid}`, where a name's quotes aren't escaped.
pub fn machines(text: &str) -> Vec<(String, Uuid)> {
    text.lines()
        .filter_map(|line| {
            let (name, uuid) = line.rsplit_once(" {")?;
            let uuid = uuid.strip_suffix('}')?.parse().ok()?;
            let name = name.strip_prefix('"')?.strip_suffix('"')?;
            Some((name.to_owned(), uuid))
        })
        .collect()
}

/// Reads `getextradata … enumerate`: lines `Key: k, Value: v`.
pub fn extra_data(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| line.strip_prefix("Key: ")?.split_once(", Value: "))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Block, Info, machines};

    #[test]
    fn all_forms_of_lines_are_read() {
        let info = Info::parse(
            "name=\"a \\\"b\\\"\"\nmemory=2048\n\"SATA-0-0\"=\"C:\\vm\\a.vdi\"\n rec_screen0\n\
             description=\"one\nkey=\\\"two\\\"\"\ncpus=2\nbroken=\"no end",
        );
        let pairs: Vec<_> = info
            .pairs()
            .map(|(key, value)| format!("{key}: {value}"))
            .collect();
        insta::assert_snapshot!(pairs.join("\n"), @r#"
        name: a "b"
        memory: 2048
        SATA-0-0: C:\vm\a.vdi
        description: one
        key="two"
        cpus: 2
        broken: "no end
        "#);
    }

    #[test]
    fn names_with_quotes_are_read() {
        let uuid = "b1b1a4a8-1e51-82a4-a06d-3dd5dc69b5d9";
        let text = format!("\"a \"b\" {{c}}\" {{{uuid}}}\nnonsense\n");
        assert_eq!(
            machines(&text),
            [("a \"b\" {c}".to_owned(), uuid.parse().unwrap())]
        );
    }

    #[test]
    fn blocks_are_read() {
        let text = "UUID:   1\nLocation:  C:\\a b\nCapacity:   64 MBytes\n\nUUID:  2\n\tx: y\n";
        let blocks = Block::parse_all(text, "UUID");
        assert_eq!(blocks.len(), 2);
        assert_eq!(blocks[0].get("Location"), "C:\\a b");
        assert_eq!(blocks[1].get("Capacity"), "");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(pairs in prop::collection::vec(("[a-zA-Z()0-9-]{1,12}", "[^\\\\]{0,20}"), 0..8)) {
            let lines = pairs.iter().map(|(key, value)| format!("\"{key}\"=\"{}\"\n", value.replace('"', "\\\"")));
            let text = lines.collect::<Vec<_>>().concat();
            let info = Info::parse(&text);
            let found: Vec<_> = info.pairs().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            prop_assert_eq!(found, pairs);
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = (Info::parse(&text), Block::parse_all(&text, "UUID"), machines(&text));
        }
    }
}
