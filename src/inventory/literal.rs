//! Python literals, as Ansible reads values of INI inventories: `True`, `5`, `['a', 'b']`, `{'k': 1}`.
//!
//! What is no literal is text: `true`, `10.0.0.1`, `node1`.

use crate::diagnostic::Location;
use crate::yaml::{Entry, Node, Value};

/// Deeper nesting is taken as text.
const MAXIMUM_DEPTH: usize = 32;

/// Reads a value; everything in it gets the same place.
pub(super) fn value(text: &str, location: Location) -> Value {
    let mut parser = Parser {
        rest: text.trim_start_matches([' ', '\t']),
        location: &location,
        depth: 0,
    };
    let node = parser.node().filter(|_| {
        parser.skip_space();
        parser.rest.is_empty() || parser.rest.starts_with('#')
    });
    Value {
        node: node.unwrap_or_else(|| Node::Text(text.to_owned())),
        location,
    }
}

struct Parser<'a> {
    rest: &'a str,
    location: &'a Location,
    depth: usize,
}

impl Parser<'_> {
    fn node(&mut self) -> Option<Node> {
        self.skip_space();
        match self.rest.chars().next()? {
            '[' => self.sequence(']').map(|(items, _)| Node::List(items)),
            '(' => {
                let (mut items, has_comma) = self.sequence(')')?;
                match items.len() {
                    1 if !has_comma => items.pop().map(|value| value.node),
                    _ => Some(Node::List(items)),
                }
            }
            '{' => self.mapping(),
            '\'' | '"' => self.strings().map(Node::Text),
            '0'..='9' | '.' | '-' | '+' => self.number().map(Node::Number),
            _ => self.word(),
        }
    }

    fn value(&mut self) -> Option<Value> {
        Some(Value {
            node: self.node()?,
            location: self.location.clone(),
        })
    }

    /// Reads elements up to the closing bracket; tells whether a comma stood among them.
    fn sequence(&mut self, close: char) -> Option<(Vec<Value>, bool)> {
        self.enter()?;
        let mut items = Vec::new();
        let mut has_comma = false;
        while !self.take(close) {
            items.push(self.value()?);
            if self.take(',') {
                has_comma = true;
            } else if !self.take(close) {
                return None;
            } else {
                break;
            }
        }
        self.depth -= 1;
        Some((items, has_comma))
    }

    fn mapping(&mut self) -> Option<Node> {
        self.enter()?;
        let mut entries: Vec<Entry> = Vec::new();
        while !self.take('}') {
            let key = self.value()?.text()?.to_owned();
            if !self.take(':') {
                return None;
            }
            let value = self.value()?;
            entries.retain(|entry| entry.key != key);
            entries.push(Entry {
                key,
                key_location: self.location.clone(),
                value,
            });
            if !self.take(',') {
                if !self.take('}') {
                    return None;
                }
                break;
            }
        }
        self.depth -= 1;
        Some(Node::Map(entries))
    }

    /// Reads one or more strings; neighbours are joined.
    fn strings(&mut self) -> Option<String> {
        let mut text = String::new();
        while let Some(quote @ ('\'' | '"')) = self.rest.chars().next() {
            self.string(quote, &mut text)?;
            self.skip_space();
        }
        Some(text)
    }

    fn string(&mut self, quote: char, text: &mut String) -> Option<()> {
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((offset, character)) = characters.next() {
            match character {
                _ if character == quote => {
                    self.rest = &self.rest[offset + 1..];
                    return Some(());
                }
                '\\' => match characters.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    escaped @ ('\\' | '\'' | '"') => text.push(escaped),
                    other => text.extend(['\\', other]),
                },
                _ => text.push(character),
            }
        }
        None
    }

    fn number(&mut self) -> Option<String> {
        let length = self
            .rest
            .find(|character: char| {
                !(character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '+' | '-'))
            })
            .unwrap_or(self.rest.len());
        let text = self.rest[..length].replace('_', "");
        let digits = text.trim_start_matches(['+', '-']);
        if text.len() > digits.len() + 1 {
            return None;
        }
        let number = if let Some(hexadecimal) = digits.strip_prefix("0x") {
            u64::from_str_radix(hexadecimal, 16).ok()?.to_string()
        } else {
            let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit());
            let has_leading_zero = digits.len() > 1 && digits.starts_with('0');
            if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
                || (is_integer && has_leading_zero && digits.bytes().any(|byte| byte != b'0'))
            {
                return None;
            }
            text.parse::<f64>().ok()?;
            text.trim_start_matches('+').to_owned()
        };
        self.rest = &self.rest[length..];
        Some(number)
    }

    fn word(&mut self) -> Option<Node> {
        for (word, node) in [
            ("True", Node::Bool(true)),
            ("False", Node::Bool(false)),
            ("None", Node::Null),
        ] {
            if let Some(rest) = self.rest.strip_prefix(word)
                && !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_')
            {
                self.rest = rest;
                return Some(node);
            }
        }
        None
    }

    fn enter(&mut self) -> Option<()> {
        self.rest = &self.rest[1..];
        self.depth += 1;
        (self.depth <= MAXIMUM_DEPTH).then_some(())
    }

    fn take(&mut self, character: char) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::SourceFile;

    fn show(node: &Node) -> String {
        match node {
            Node::Null => "None".to_owned(),
            Node::Bool(value) => value.to_string(),
            Node::Number(text) => format!("number {text}"),
            Node::Text(text) => format!("'{text}'"),
            Node::List(items) => {
                let items: Vec<String> = items.iter().map(|item| show(&item.node)).collect();
                format!("[{}]", items.join(", "))
            }
            Node::Map(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|entry| format!("{}: {}", entry.key, show(&entry.value.node)))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    #[test]
    fn literals_are_pythons() {
        let location = Location {
            file: Arc::new(SourceFile {
                path: PathBuf::new(),
                text: String::new(),
            }),
            span: 0..0,
        };
        for (text, expected) in [
            ("True", "true"),
            ("true", "'true'"),
            ("Trueish", "'Trueish'"),
            ("None", "None"),
            ("", "''"),
            ("22", "number 22"),
            ("-1", "number -1"),
            ("1.30", "number 1.30"),
            ("1_000", "number 1000"),
            ("0x1F", "number 31"),
            ("022", "'022'"),
            ("1.2.3", "'1.2.3'"),
            ("192.168.56.11", "'192.168.56.11'"),
            ("10.0.0.0/8", "'10.0.0.0/8'"),
            ("2G", "'2G'"),
            ("inf", "'inf'"),
            ("5 # five", "number 5"),
            ("x # y", "'x # y'"),
            ("'a b'", "'a b'"),
            ("\"a\\n\" 'b'", "'a\nb'"),
            ("'a", "''a'"),
            ("['a', 1, [True],]", "['a', number 1, [true]]"),
            ("('a', 'b')", "['a', 'b']"),
            ("('a')", "'a'"),
            ("[]", "[]"),
            ("[a]", "'[a]'"),
            ("{'k': 'v', 'n': {'x': 1}}", "{k: 'v', n: {x: number 1}}"),
            ("{{ other }}", "'{{ other }}'"),
        ] {
            let found = value(text, location.clone());
            assert_eq!(show(&found.node), expected, "{text}");
        }
        let deep = "[".repeat(5000);
        assert_eq!(value(&deep, location).text(), Some(deep.as_str()));
    }
}
