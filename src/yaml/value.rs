//! A YAML value that knows where it stands.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::{Doubled, byte_span, scalar};
use crate::diagnostic::{Location, SourceFile};

/// A value and its place.
#[derive(Clone, PartialEq)]
pub struct Value {
    pub node: Node,
    pub location: Location,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Null,
    Bool(bool),
    /// A number as it was written, so that the version `1.30` doesn't become `1.3`.
    Number(String),
    Text(String),
    List(Vec<Value>),
    Map(Vec<Entry>),
}

/// One key of a mapping with its value, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: String,
    pub key_location: Location,
    pub value: Value,
}

/// Shows kind and place only: the value may be a password.
impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.location.line();
        write!(
            formatter,
            "{} in {:?}:{line}",
            self.kind(),
            self.location.file
        )
    }
}

impl Value {
    /// Returns the entries of a mapping.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.node {
            Node::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Finds the value of a key in a mapping.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let entry = self.entries()?.iter().find(|entry| entry.key == key)?;
        Some(&entry.value)
    }

    /// Returns the elements of a list.
    pub fn items(&self) -> Option<&[Value]> {
        match &self.node {
            Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// Returns text and numbers as they were written.
    pub fn text(&self) -> Option<&str> {
        match &self.node {
            Node::Text(text) | Node::Number(text) => Some(text),
            _ => None,
        }
    }

    /// Names the kind of the value, for messages: "a list".
    pub fn kind(&self) -> &'static str {
        match self.node {
            Node::Null => "nothing",
            Node::Bool(_) => "a yes/no value",
            Node::Number(_) => "a number",
            Node::Text(_) => "text",
            Node::List(_) => "a list",
            Node::Map(_) => "a mapping",
        }
    }

    pub(super) fn from_raw(
        file: &Arc<SourceFile>,
        raw: Spanned<RawNode>,
        doubled: &mut Vec<Doubled>,
    ) -> Self {
        let span = byte_span(file, &raw.defined);
        let node = match raw.value {
            RawNode::Scalar(node) => match plain(file, &span, &node) {
                Some(text) => scalar::resolve(text),
                None => node,
            },
            RawNode::List(items) => Node::List(
                items
                    .into_iter()
                    .map(|item| Self::from_raw(file, item, doubled))
                    .collect(),
            ),
            RawNode::Map(raw_entries) => {
                let mut entries: IndexMap<String, Entry> = IndexMap::new();
                for (key, value) in raw_entries {
                    let entry = Entry {
                        key_location: location(file, byte_span(file, &key.defined)),
                        value: Self::from_raw(file, value, doubled),
                        key: key.value,
                    };
                    let key = entry.key.clone();
                    let second = entry.key_location.clone();
                    if let Some(first) = entries.insert(key.clone(), entry) {
                        doubled.push(Doubled {
                            key,
                            first: first.key_location,
                            second,
                        });
                    }
                }
                Node::Map(entries.into_values().collect())
            }
        };
        Self {
            node,
            location: location(file, span),
        }
    }

    /// Gives the value and everything in it another place.
    pub fn moved_to(&mut self, place: &Location) {
        self.location = place.clone();
        match &mut self.node {
            Node::List(items) => items.iter_mut().for_each(|item| item.moved_to(place)),
            Node::Map(entries) => {
                for entry in entries {
                    entry.key_location = place.clone();
                    entry.value.moved_to(place);
                }
            }
            _ => {}
        }
    }
}

fn location(file: &Arc<SourceFile>, span: Range<usize>) -> Location {
    Location {
        file: Arc::clone(file),
        span,
    }
}

/// Returns the text of a scalar if it has neither quotes nor a tag, so that its text says what it is.
fn plain<'a>(file: &'a SourceFile, span: &Range<usize>, node: &Node) -> Option<&'a str> {
    let source = file.text.get(span.clone())?;
    let is_marked = source.starts_with(['"', '\'', '|', '>', '!', '&', '*']);
    let before = file.text.get(..span.start)?.trim_end_matches([' ', '\t']);
    let is_tagged = before
        .rsplit(char::is_whitespace)
        .next()
        .is_some_and(|word| word.starts_with('!'));
    // A text of several lines isn't what stands in the file.
    let is_whole = !matches!(node, Node::Text(text) if text != source);
    (!source.is_empty() && !is_marked && !is_tagged && is_whole).then_some(source)
}

/// What the YAML library hands over, before places are byte ranges of our file.
pub(super) enum RawNode {
    Scalar(Node),
    List(Vec<Spanned<RawNode>>),
    Map(Vec<(Spanned<String>, Spanned<RawNode>)>),
}

impl<'de> Deserialize<'de> for RawNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawNodeVisitor)
    }
}

struct RawNodeVisitor;

impl<'de> Visitor<'de> for RawNodeVisitor {
    type Value = RawNode;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<RawNode, E> {
        Ok(RawNode::Scalar(Node::Null))
    }

    fn visit_none<E>(self) -> Result<RawNode, E> {
        Ok(RawNode::Scalar(Node::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<RawNode, D::Error> {
        RawNode::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawNode, E> {
        Ok(RawNode::Scalar(Node::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawNode, E> {
        Ok(RawNode::Scalar(Node::Number(value.to_string())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawNode, E> {
        Ok(RawNode::Scalar(Node::Number(value.to_string())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawNode, E> {
        Ok(RawNode::Scalar(Node::Number(value.to_string())))
    }

    fn visit_str<E>(self, value: &str) -> Result<RawNode, E> {
        Ok(RawNode::Scalar(Node::Text(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<RawNode, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(RawNode::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<RawNode, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(RawNode::Map(entries))
    }
}
