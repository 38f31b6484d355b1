//! Literals: texts, numbers, lists, maps and ranges.

use ruby_prism as prism;

use super::syntax::{Call, Kind, Node, Piece};
use super::{Converter, span, text};

impl Converter<'_> {
    pub(super) fn literal(&mut self, node: &prism::Node<'_>) -> Option<Kind> {
        Some(match node {
            prism::Node::NilNode { .. } => Kind::Nil,
            prism::Node::TrueNode { .. } => Kind::Bool(true),
            prism::Node::FalseNode { .. } => Kind::Bool(false),
            prism::Node::XStringNode { .. } | prism::Node::InterpolatedXStringNode { .. } => {
                Kind::Command
            }
            prism::Node::SourceFileNode { .. } => {
                Kind::Call(Call::plain(None, "__FILE__".to_owned(), Vec::new()))
            }
            prism::Node::SourceLineNode { .. } => {
                let start = span(&node.location()).start;
                let lines = self.text.get(..start).unwrap_or_default().matches('\n');
                Kind::Integer(i64::try_from(lines.count() + 1).unwrap_or(i64::MAX))
            }
            _ => return self.text_literal(node).or_else(|| self.collection(node)),
        })
    }

    fn text_literal(&mut self, node: &prism::Node<'_>) -> Option<Kind> {
        let plain = |bytes: &[u8]| vec![Piece::Text(text(bytes))];
        if let Some(string) = node.as_string_node() {
            return Some(Kind::Text(plain(string.unescaped())));
        }
        if let Some(symbol) = node.as_symbol_node() {
            return Some(Kind::Symbol(plain(symbol.unescaped())));
        }
        if let Some(string) = node.as_interpolated_string_node() {
            return Some(Kind::Text(self.pieces(&string.parts())));
        }
        if let Some(symbol) = node.as_interpolated_symbol_node() {
            return Some(Kind::Symbol(self.pieces(&symbol.parts())));
        }
        if let Some(regex) = node.as_regular_expression_node() {
            let mut pieces = flags(
                regex.is_ignore_case(),
                regex.is_extended(),
                regex.is_multi_line(),
            );
            pieces.extend(plain(regex.unescaped()));
            return Some(Kind::Regex(pieces));
        }
        let regex = node.as_interpolated_regular_expression_node()?;
        let mut pieces = flags(
            regex.is_ignore_case(),
            regex.is_extended(),
            regex.is_multi_line(),
        );
        pieces.extend(self.pieces(&regex.parts()));
        Some(Kind::Regex(pieces))
    }

    /// Reads the parts of a text; `"a" "b"` has texts as parts.
    fn pieces(&mut self, parts: &prism::NodeList<'_>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for part in parts {
            if let Some(part) = part.as_string_node() {
                pieces.push(Piece::Text(text(part.unescaped())));
            } else if let Some(code) = part.as_embedded_statements_node() {
                pieces.push(Piece::Code(self.statements(code.statements().as_ref())));
            } else if let Some(variable) = part.as_embedded_variable_node() {
                pieces.push(Piece::Code(vec![self.node(&variable.variable())]));
            } else {
                pieces.push(Piece::Code(vec![self.node(&part)]));
            }
        }
        pieces
    }

    fn collection(&mut self, node: &prism::Node<'_>) -> Option<Kind> {
        if let Some(number) = node.as_integer_node() {
            let number = integer(number.value().to_u32_digits());
            return Some(number.map_or(Kind::Unsupported("a number this long"), Kind::Integer));
        }
        if let Some(number) = node.as_float_node() {
            return Some(Kind::Float(number.value()));
        }
        if let Some(list) = node.as_array_node() {
            return Some(Kind::List(self.nodes(&list.elements())));
        }
        if let Some(map) = node.as_hash_node() {
            return Some(Kind::Map(self.pairs(&map.elements())));
        }
        if let Some(map) = node.as_keyword_hash_node() {
            return Some(Kind::Map(self.pairs(&map.elements())));
        }
        let range = node.as_range_node()?;
        let mut end = |node: Option<prism::Node<'_>>| match node {
            Some(node) => self.boxed(&node),
            None => Box::new(Node::new(Kind::Nil, span(&range.location()))),
        };
        Some(Kind::Range {
            first: end(range.left()),
            last: end(range.right()),
            exclusive: range.is_exclude_end(),
        })
    }

    fn pairs(&mut self, elements: &prism::NodeList<'_>) -> Vec<(Option<Node>, Node)> {
        let mut pairs = Vec::new();
        for element in elements {
            if let Some(pair) = element.as_assoc_node() {
                pairs.push((Some(self.node(&pair.key())), self.node(&pair.value())));
            } else if let Some(value) = element.as_assoc_splat_node().and_then(|it| it.value()) {
                pairs.push((None, self.node(&value)));
            }
        }
        pairs
    }
}

/// The flags of a regular expression, as its own text has them. Ruby's `m` is that of others with `s`.
fn flags(ignore_case: bool, extended: bool, multi_line: bool) -> Vec<Piece> {
    let flags = [
        (ignore_case, "(?i)"),
        (extended, "(?x)"),
        (multi_line, "(?s)"),
    ];
    let set = flags.into_iter().filter(|it| it.0);
    set.map(|it| Piece::Text(it.1.to_owned())).collect()
}

/// Puts an integer together from its digits of 32 bits, the lowest first.
fn integer((is_negative, digits): (bool, &[u32])) -> Option<i64> {
    let number = digits.iter().rev().try_fold(0_i64, |number, digit| {
        number.checked_mul(1 << 32)?.checked_add(i64::from(*digit))
    })?;
    Some(if is_negative { -number } else { number })
}
